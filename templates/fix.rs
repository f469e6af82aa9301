//! Old templates as they are written today: every fixer of the peer, in its order.

mod amazon;
mod builders;
mod print;
mod processors;
mod renames;
#[cfg(test)]
mod tests;
mod vsphere;

use std::path::Path;

use serde_json::{Map, Value};

use crate::json;
use crate::problem::Problem;

/// An object of a template.
type Object = Map<String, Value>;

/// Changes a whole template; the error ends the fixing.
type Fixer = fn(&mut Object) -> Result<(), String>;

/// Why a template cannot be fixed.
#[derive(Debug)]
pub enum Unfixable {
    /// It cannot be read.
    Read(String),
    /// It is no JSON.
    Form(Vec<Problem>),
    /// A fixer met what it cannot change.
    Fixer(String),
}

/// Every fixer by its name, in order.
const FIXERS: &[(&str, Fixer)] = &[
    ("iso-md5", builders::iso_md5),
    ("createtime", builders::createtime),
    ("virtualbox-gaattach", builders::guest_additions_attach),
    ("pp-vagrant-override", processors::vagrant_override),
    ("virtualbox-rename", builders::virtualbox),
    ("vmware-rename", builders::vmware),
    ("parallels-headless", renames::parallels_headless),
    ("parallels-deprecations", renames::parallels),
    ("sshkeypath", renames::ssh_key_path),
    ("sshdisableagent", renames::ssh_disable_agent),
    ("scaleway-access-key", renames::scaleway),
    ("manifest-filename", processors::manifest_filename),
    ("amazon-shutdown_behavior", amazon::shutdown_behavior),
    ("amazon-enhanced-networking", amazon::enhanced_networking),
    ("amazon-private-ip", amazon::private_ip),
    ("amazon-temp-sec-cidrs", amazon::source_cidrs),
    ("docker-email", processors::docker_email),
    ("docker-tag-tags", processors::docker_tags),
    ("powershell-escapes", processors::powershell_escapes),
    ("vmware-compaction", builders::vmware_compaction),
    ("hyperv-deprecations", renames::hyperv_temp_path),
    ("hyperv-vmxc-typo", renames::hyperv_typo),
    ("hyperv-cpu-and-ram", renames::hyperv_size),
    ("clean-image-name", builders::clean_image_name),
    ("spot-price-auto-product", amazon::spot_price),
    ("qemu-disk-size", builders::qemu_disk_size),
    ("galaxy-command", processors::galaxy_command),
    ("comm-config", renames::virtualbox_ports),
    ("ssh-wait-timeout", renames::ssh_wait_timeout),
    ("vsphere-iso-net-disk", vsphere::lists),
    ("iso-checksum-type-and-url", builders::iso_checksum),
    ("qemu-host-port", renames::qemu_ports),
    ("azure-exclude_from_latest", builders::azure_typo),
    ("proxmox-type", builders::proxmox),
];

/// The template, fixed, as JSON with sorted keys and two spaces.
pub fn read(path: &Path) -> Result<String, Unfixable> {
    let file = if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
    let text = std::fs::read_to_string(file).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Unfixable::Read("no such file or directory".to_owned()),
        _ => Unfixable::Read(e.to_string()),
    })?;
    fixed(&text)
}

/// A template's text, fixed.
pub fn fixed(text: &str) -> Result<String, Unfixable> {
    let (node, problems) = json::parse(text);
    let Some(node) = node else { return Err(Unfixable::Form(problems)) };
    let at = node.at;
    let Value::Object(mut template) = print::value(node) else {
        return Err(Unfixable::Form(vec![Problem::at(at, "a template must be an object")]));
    };
    check(&template).map_err(Unfixable::Fixer)?;
    for (_, fixer) in FIXERS {
        fixer(&mut template).map_err(Unfixable::Fixer)?;
    }
    Ok(print::text(&Value::Object(template)))
}

/// What every fixer relies on.
fn check(template: &Object) -> Result<(), String> {
    for (key, shown) in [("builders", "Builders"), ("provisioners", "Provisioners"), ("post-processors", "PostProcessors")] {
        match template.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) if key != "post-processors" => {
                if let Some((i, item)) = items.iter().enumerate().find(|(_, item)| !item.is_object()) {
                    return Err(format!("'{shown}[{i}]' expected a map, got '{}'", print::kind(item)));
                }
            }
            Some(Value::Array(_)) => {}
            Some(other) => return Err(format!("'{shown}': source data must be an array or slice, got {}", print::kind(other))),
        }
    }
    Ok(())
}

/// The objects of a list of the template.
fn objects<'a>(template: &'a mut Object, list: &str) -> impl Iterator<Item = &'a mut Object> {
    template.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Builders of one of these types; of any type when there are none.
fn builders<'a>(template: &'a mut Object, types: &'a [&str]) -> impl Iterator<Item = &'a mut Object> {
    objects(template, "builders").filter(move |b| types.is_empty() || types.contains(&kind(b)))
}

/// Builders whose type begins so.
fn builders_like<'a>(template: &'a mut Object, start: &'a str) -> impl Iterator<Item = &'a mut Object> {
    objects(template, "builders").filter(move |b| kind(b).starts_with(start))
}

/// Provisioners of a type.
fn provisioners<'a>(template: &'a mut Object, of: &'a str) -> impl Iterator<Item = &'a mut Object> {
    objects(template, "provisioners").filter(move |p| kind(p) == of)
}

/// Post-processors of a type, in sequences too.
fn post_processors<'a>(template: &'a mut Object, of: &'a str) -> impl Iterator<Item = &'a mut Object> {
    let items = template.get_mut("post-processors").and_then(Value::as_array_mut).into_iter().flatten();
    let single = items.flat_map(|item| match item {
        Value::Array(sequence) => sequence.iter_mut().collect::<Vec<_>>(),
        other => vec![other],
    });
    single.filter_map(Value::as_object_mut).filter(move |p| kind(p) == of)
}

/// Its `type`; empty when it has none.
fn kind(object: &Object) -> &str {
    object.get("type").and_then(Value::as_str).unwrap_or_default()
}
