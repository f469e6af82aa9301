//! What is in a provider's box, and what its metadata and Vagrantfile say.

use std::path::{Path, PathBuf};

use kiste_boxes::image;
use kiste_boxes::pack::PackSource;
use serde_json::{Map, Value, json};

use super::provider::{Kind, Provider};
use super::{base_name, ovf, refuse};
use crate::artifact::{Artifact, Image};
use crate::error::Error;
use crate::post_processor::PostProcessorRun;

const GIB: u64 = 1 << 30;
/// Folders of a machine that Hyper-V exports.
const HYPERV_FOLDERS: [&str; 3] = ["Virtual Machines", "Virtual Hard Disks", "Snapshots"];

/// A box before its Vagrantfile is complete.
pub struct Layout {
    /// Name in the box and content.
    pub files: Vec<(String, PackSource)>,
    /// The provider's part of the Vagrantfile: empty, or beginning with an empty line.
    pub vagrantfile: String,
    /// `metadata.json`.
    pub metadata: Value,
}

/// The box of an artifact for a provider.
pub fn of(provider: Provider, artifact: &Artifact, architecture: &str, run: &PostProcessorRun<'_>) -> Result<Layout, Error> {
    let mut metadata =
        Map::from_iter([("architecture".to_owned(), json!(architecture)), ("provider".to_owned(), json!(provider.in_metadata()))]);
    let (files, vagrantfile) = match provider.kind() {
        Kind::Disks => {
            let image = match &artifact.image {
                Some(image) => image.clone(),
                None => looked_at(&artifact.files, architecture)?,
            };
            disks(&image, &mut metadata, run)?
        }
        Kind::Ovf => {
            let files = ovf::files(&artifact.files, run)?;
            let mac = ovf::base_mac(&files)?;
            (files, format!("\nVagrant.configure(\"2\") do |config|\n  config.vm.base_mac = \"{mac}\"\nend\n"))
        }
        Kind::Flat => (flat(&artifact.files, base_name, run), String::new()),
        Kind::Parallels => {
            let own: Vec<PathBuf> =
                artifact.files.iter().filter(|f| from_part(f, |part| part.ends_with(".pvm")).is_some()).cloned().collect();
            let name = |file: &Path| from_part(file, |part| part.ends_with(".pvm")).unwrap_or_else(|| base_name(file));
            (flat(&own, name, run), String::new())
        }
        Kind::HyperV => (flat(&artifact.files, hyperv_name, run), String::new()),
        Kind::Image => (Vec::new(), of_image(provider, &artifact.id)),
        Kind::Cloud => return Err(refuse(format!("Poorly formatted artifact ID: {}", artifact.id))),
    };
    if provider.name() == "lxc" {
        metadata.insert("version".to_owned(), json!("1.0.0"));
    }
    metadata.sort_keys();
    Ok(Layout { files, vagrantfile, metadata: Value::Object(metadata) })
}

/// One disk is `box.img`; several are `box_0.img`, `box_1.img` … and a list of them.
fn disks(
    image: &Image,
    metadata: &mut Map<String, Value>,
    run: &PostProcessorRun<'_>,
) -> Result<(Vec<(String, PackSource)>, String), Error> {
    let paths: Vec<&PathBuf> = std::iter::once(&image.disk).chain(&image.more_disks).collect();
    let name = |i: usize| if paths.len() == 1 { "box.img".to_owned() } else { format!("box_{i}.img") };
    paths.iter().for_each(|path| run.reporter.detail(format!("Copying from artifact: {}", path.display())));
    let files = paths.iter().enumerate().map(|(i, path)| (name(i), PackSource::File(path.to_path_buf()))).collect();
    if paths.len() > 1 {
        let list: Vec<Value> = (0..paths.len()).map(|i| json!({ "path": name(i), "format": image.format })).collect();
        metadata.insert("disks".to_owned(), Value::Array(list));
    }
    if image.format != "qcow2" {
        run.reporter.warn(format!("the box's disk is {}: Vagrant's libvirt provider takes only qcow2", image.format));
    }
    metadata.insert("format".to_owned(), json!(image.format));
    metadata.insert("virtual_size".to_owned(), json!(image.virtual_size.div_ceil(GIB)));
    Ok((files, driver(image.accelerator.as_deref())?))
}

/// As the machine ran when it was built; where that says nothing, as the host of the box can.
fn driver(accelerator: Option<&str>) -> Result<String, Error> {
    let word = match accelerator {
        None => return Ok(format!("\n{}", include_str!("../../library/box.libvirt.Vagrantfile"))),
        Some("kvm") => "kvm",
        Some("none" | "tcg" | "hvf") => "qemu",
        Some(other) => return Err(refuse(format!("Unknown libvirt domain type: {other}"))),
    };
    Ok(format!(
        "\nVagrant.configure(\"2\") do |config|\n  config.vm.provider :libvirt do |libvirt|\n    libvirt.driver = \"{word}\"\n  end\nend\n"
    ))
}

/// What the files of an artifact from elsewhere tell by themselves.
fn looked_at(files: &[PathBuf], architecture: &str) -> Result<Image, Error> {
    let disks: Vec<&PathBuf> = files.iter().filter(|f| image::has_extension(f)).collect();
    let disks = if disks.is_empty() { files.iter().collect() } else { disks };
    let (first, more) = disks.split_first().ok_or_else(|| refuse("it holds no disk image"))?;
    let format = image::detect(first)?;
    let info = image::refuse_hostile(first, format)?;
    for disk in more {
        let other = image::detect(disk)?;
        image::refuse_hostile(disk, other)?;
        if other != format {
            return Err(refuse(format!("its disks differ in format: {format} and {other}")));
        }
    }
    let size = info.virtual_size.map(|size| size.0).or_else(|| first.metadata().ok().map(|m| m.len()));
    Ok(Image {
        disk: first.to_path_buf(),
        more_disks: more.iter().map(|d| d.to_path_buf()).collect(),
        format: format.to_owned(),
        virtual_size: size.unwrap_or_default(),
        architecture: architecture.to_owned(),
        accelerator: None,
    })
}

fn flat(files: &[PathBuf], name: impl Fn(&Path) -> String, run: &PostProcessorRun<'_>) -> Vec<(String, PackSource)> {
    files.iter().for_each(|file| run.reporter.detail(format!("Copying: {}", file.display())));
    files.iter().filter(|f| !f.is_dir()).map(|file| (name(file), PackSource::File(file.clone()))).collect()
}

fn hyperv_name(file: &Path) -> String {
    from_part(file, |part| HYPERV_FOLDERS.contains(&part)).unwrap_or_else(|| base_name(file))
}

/// A path from the last folder on that is wanted.
fn from_part(file: &Path, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    let parts: Vec<String> = file.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    let from = parts.iter().rposition(|part| is_wanted(part))?;
    Some(parts[from..].join("/"))
}

fn of_image(provider: Provider, id: &str) -> String {
    // The id stands in a Ruby string.
    let id: String = id.chars().flat_map(|c| if "\"\\#".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
    match provider.name() {
        "docker" => format!(
            "\nVagrant.configure(\"2\") do |config|\n\tconfig.vm.provider :docker do |docker, override|\n\t\tdocker.image = \"{id}\"\n\tend\nend\n"
        ),
        name => format!(
            "\nVagrant.configure(\"2\") do |config|\n  config.vm.provider :{name} do |{name}|\n    {name}.image = \"{id}\"\n  end\nend\n"
        ),
    }
}
