//! Fixers of builders that do more than change a name.

use serde_json::Value;

use super::renames::replace;
use super::{Object, builders, kind, objects};

/// Takes an option that is a text.
fn take_text(object: &mut Object, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?.to_owned();
    object.shift_remove(key);
    Some(text)
}

pub(super) fn iso_md5(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &[]) {
        if let Some(sum) = take_text(builder, "iso_md5") {
            builder.insert("iso_checksum".to_owned(), Value::from(format!("md5:{sum}")));
        }
    }
    Ok(())
}

/// `{{.CreateTime}}`, with spaces or without.
pub(super) fn createtime(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &[]) {
        for key in ["ami_name", "bundle_prefix", "snapshot_name"] {
            if let Some(Value::String(text)) = builder.get_mut(key) {
                *text = without_create_time(text);
            }
        }
    }
    Ok(())
}

fn without_create_time(text: &str) -> String {
    let mut fixed = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}").map(|i| start + i) else { break };
        let inside = rest[start + 2..end].trim();
        fixed.push_str(&rest[..start]);
        fixed.push_str(if inside == ".CreateTime" { "{{timestamp}}" } else { &rest[start..end + 2] });
        rest = &rest[end + 2..];
    }
    fixed + rest
}

pub(super) fn guest_additions_attach(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &["virtualbox"]) {
        if let Some(Value::Bool(attach)) = builder.get("guest_additions_attach").cloned() {
            builder.shift_remove("guest_additions_attach");
            let mode = if attach { "attach" } else { "upload" };
            builder.insert("guest_additions_mode".to_owned(), Value::from(mode));
        }
    }
    Ok(())
}

fn retype(template: &mut Object, old: &str, new: &str) {
    builders(template, &[old]).for_each(|b| drop(b.insert("type".to_owned(), Value::from(new))));
}

/// A builder without a name has its type for one, which overrides of provisioners speak of.
pub(super) fn virtualbox(template: &mut Object) -> Result<(), String> {
    retype(template, "virtualbox", "virtualbox-iso");
    for provisioner in objects(template, "provisioners") {
        if let Some(Value::Object(overrides)) = provisioner.get_mut("override") {
            replace(overrides, "virtualbox", "virtualbox-iso");
        }
    }
    Ok(())
}

/// Overrides stay under the old name, as the peer leaves them.
pub(super) fn vmware(template: &mut Object) -> Result<(), String> {
    retype(template, "vmware", "vmware-iso");
    Ok(())
}

pub(super) fn proxmox(template: &mut Object) -> Result<(), String> {
    retype(template, "proxmox", "proxmox-iso");
    Ok(())
}

pub(super) fn vmware_compaction(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &["vmware-iso"]) {
        if builder.get("remote_type").and_then(Value::as_str) != Some("esx5") {
            continue;
        }
        match builder.get("disk_type_id").and_then(Value::as_str) {
            Some("thin") => continue,
            Some(_) => {}
            None => drop(builder.insert("disk_type_id".to_owned(), Value::from("zeroedthick"))),
        }
        builder.insert("skip_compaction".to_owned(), Value::from(true));
    }
    Ok(())
}

/// Only in a builder's own texts, not deeper.
pub(super) fn clean_image_name(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &[]) {
        for value in builder.values_mut() {
            if let Value::String(text) = value {
                *text = text.replace("clean_image_name", "clean_resource_name").replace("clean_ami_name", "clean_resource_name");
            }
        }
    }
    Ok(())
}

/// A number counted mebibytes.
pub(super) fn qemu_disk_size(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &["qemu"]) {
        if let Some(size) = builder.get("disk_size").and_then(Value::as_f64) {
            builder.insert("disk_size".to_owned(), Value::from(format!("{}M", size.trunc())));
        }
    }
    Ok(())
}

/// The kind and the source of a checksum became a part of it.
pub(super) fn iso_checksum(template: &mut Object) -> Result<(), String> {
    for builder in builders(template, &[]) {
        let text = |key: &str| builder.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (url, kind, sum) = (text("iso_checksum_url"), text("iso_checksum_type"), text("iso_checksum"));
        builder.shift_remove("iso_checksum_url");
        builder.shift_remove("iso_checksum_type");
        let fixed = match (url.as_str(), kind.as_str(), sum.as_str()) {
            ("", "", _) | ("", _, "") => continue,
            ("", kind, sum) => format!("{kind}:{sum}"),
            (url, _, _) => format!("file:{url}"),
        };
        builder.insert("iso_checksum".to_owned(), Value::from(fixed));
    }
    Ok(())
}

pub(super) fn azure_typo(template: &mut Object) -> Result<(), String> {
    for builder in objects(template, "builders").filter(|b| kind(b) == "azure-chroot") {
        if let Some(Value::Object(destination)) = builder.get_mut("shared_image_destination") {
            replace(destination, "exlude_from_latest", "exclude_from_latest");
        }
    }
    Ok(())
}
