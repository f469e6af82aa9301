//! Boxes as others will unpack them. What is expected was read out of the boxes that Packer 1.6.6 makes of the same artifacts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::artifact::{Artifact, Image};
use crate::trial::Trial;

/// Names and texts in a box.
fn content(path: &Path) -> BTreeMap<String, String> {
    let file = std::fs::File::open(path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let reader: Box<dyn std::io::Read> =
        if bytes.starts_with(&[0x1f, 0x8b]) { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut archive = tar::Archive::new(reader);
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
    }
    files
}

fn vagrantfile(provider: &str, own: &str) -> String {
    format!(
        "\n# The contents below were provided by the Packer Vagrant post-processor\n{provider}\n\n# The contents below (if any) are custom \
         contents provided by the\n# Packer template during image build.\n{own}\n"
    )
}

struct Case {
    dir: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn machine(&self, disks: &[&str], accelerator: Option<&str>) -> Artifact {
        let mut files: Vec<PathBuf> = disks.iter().map(|d| self.file(d, "QFI")).collect();
        let image = Image {
            disk: files[0].clone(),
            more_disks: files[1..].to_vec(),
            format: "qcow2".into(),
            virtual_size: (2 << 30) + 1,
            architecture: "arm64".into(),
            accelerator: accelerator.map(str::to_owned),
        };
        files.push(self.file("efivars.fd", "x"));
        Artifact { builder_id: "transcend.qemu".into(), id: "VM".into(), files, image: Some(image), ..Artifact::default() }
    }

    /// Names and texts in the box, or the error.
    fn pack(&self, artifact: &Artifact, more: &str) -> Result<BTreeMap<String, String>, String> {
        let json = format!(r#"{{"output": "{}/sub/{{{{.BuildName}}}}-{{{{.Provider}}}}.box"{more}}}"#, self.dir.path().display());
        let done = Trial::of("vagrant").process(&json, artifact).map_err(|e| e.to_string())?;
        let made = done.artifact.unwrap();
        assert_eq!((made.builder_id.as_str(), made.files.len()), ("mitchellh.post-processor.vagrant", 1));
        assert_eq!(made.description, format!("'{}' provider box: {}", made.id, made.files[0].display()));
        Ok(content(&made.files[0]))
    }
}

fn refused(reason: &str) -> Result<BTreeMap<String, String>, String> {
    Err(format!("post-processor `vagrant` cannot use this artifact: {reason}"))
}

const KVM: &str =
    "\nVagrant.configure(\"2\") do |config|\n  config.vm.provider :libvirt do |libvirt|\n    libvirt.driver = \"kvm\"\n  end\nend\n";

#[test]
fn a_box_of_libvirt() {
    let case = Case::new();
    let (mine, extra) = (case.file("mine", "# mine {{.Provider}}\n"), case.file("info.json", "{}"));
    let more = format!(r#", "include": [{extra:?}], "vagrantfile_template": {mine:?}"#);
    let files = case.pack(&case.machine(&["deb"], Some("kvm")), &more).unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["Vagrantfile", "box.img", "info.json", "metadata.json"]);
    assert_eq!(files["metadata.json"], "{\"architecture\":\"arm64\",\"format\":\"qcow2\",\"provider\":\"libvirt\",\"virtual_size\":3}\n");
    assert_eq!(files["Vagrantfile"], vagrantfile(KVM, "# mine libvirt\n"));
    assert_eq!(files["box.img"], "QFI");
    assert!(case.dir.path().join("sub/deb-libvirt.box").exists());
}

#[test]
fn drivers_follow_the_accelerator() {
    let case = Case::new();
    for (accelerator, word) in [(Some("tcg"), "\"qemu\""), (Some("none"), "\"qemu\""), (None, "File.writable?")] {
        let files = case.pack(&case.machine(&["deb"], accelerator), "").unwrap();
        assert!(files["Vagrantfile"].contains(&format!("libvirt.driver = {word}")), "{}", files["Vagrantfile"]);
    }
    assert_eq!(case.pack(&case.machine(&["deb"], Some("xen")), ""), refused("Unknown libvirt domain type: xen"));
}

#[test]
fn several_disks_are_listed() {
    let case = Case::new();
    let files = case.pack(&case.machine(&["deb", "deb-1"], Some("kvm")), r#", "architecture": "x86_64""#).unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["Vagrantfile", "box_0.img", "box_1.img", "metadata.json"]);
    let metadata: serde_json::Value = serde_json::from_str(&files["metadata.json"]).unwrap();
    let disks = serde_json::json!([{ "path": "box_0.img", "format": "qcow2" }, { "path": "box_1.img", "format": "qcow2" }]);
    assert_eq!((&metadata["disks"], &metadata["architecture"]), (&disks, &"amd64".into()));
}

const OVF: &str = "<Envelope><File ovf:href=\"m.vmdk\"/><Adapter slot=\"0\" enabled=\"true\" MACAddress=\"080027AABBCC\"/>\
    <Adapter slot=\"1\" MACAddress=\"080027000000\"/></Envelope>";

#[test]
fn a_box_of_virtualbox() {
    let case = Case::new();
    let part = "\nVagrant.configure(\"2\") do |config|\n  config.vm.base_mac = \"080027AABBCC\"\nend\n";
    let (ovf, disk, ova) = (case.file("m.ovf", OVF), case.file("m.vmdk", "disk"), case.dir.path().join("m.ova"));
    let mut archive = tar::Builder::new(std::fs::File::create(&ova).unwrap());
    archive.append_path_with_name(&ovf, "m.ovf").unwrap();
    archive.append_path_with_name(&disk, "m.vmdk").unwrap();
    archive.finish().unwrap();
    let artifact = |files: Vec<PathBuf>| Artifact { builder_id: "mitchellh.virtualbox".into(), files, ..Artifact::default() };
    for files in [vec![ovf, disk.clone()], vec![ova]] {
        let files = case.pack(&artifact(files), r#", "architecture": "amd64""#).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["Vagrantfile", "box.ovf", "m.vmdk", "metadata.json"]);
        assert_eq!((files["box.ovf"].as_str(), files["m.vmdk"].as_str()), (OVF, "disk"));
        assert_eq!(files["Vagrantfile"], vagrantfile(part, ""));
        assert_eq!(files["metadata.json"], "{\"architecture\":\"amd64\",\"provider\":\"virtualbox\"}\n");
    }
    assert_eq!(case.pack(&artifact(vec![disk]), ""), refused("ovf file couldn't be found"));
    let hostile = case.file("h.ovf", &OVF.replace("080027AABBCC", "#{system(:x)}"));
    assert_eq!(case.pack(&artifact(vec![hostile]), ""), refused("can't find base mac address in OVF"));
}

#[test]
fn boxes_of_other_providers() {
    let case = Case::new();
    let files = [case.file("vm/Virtual Machines/a.vmcx", "a"), case.file("vm/Virtual Hard Disks/b.vhdx", "b"), case.file("vm/x", "c")];
    let artifact =
        |builder: &str, id: &str| Artifact { builder_id: builder.into(), id: id.into(), files: files.to_vec(), ..Artifact::default() };
    let names = |builder: &str, more: &str| -> Vec<String> {
        let files = case.pack(&artifact(builder, "i"), more).unwrap();
        files.into_keys().filter(|n| n != "Vagrantfile" && n != "metadata.json").collect()
    };
    assert_eq!(names("mitchellh.vmware", ""), ["a.vmcx", "b.vhdx", "x"]);
    assert_eq!(names("MSOpenTech.hyperv", ""), ["Virtual Hard Disks/b.vhdx", "Virtual Machines/a.vmcx", "x"]);
    assert_eq!(names("any", r#", "provider_override": "lxc""#), ["a.vmcx", "b.vhdx", "x"]);
    let disk = case.file("vm/m.pvm/disk.hdd/x", "d");
    let parallels = Artifact { builder_id: "packer.parallels".into(), files: vec![disk, files[2].clone()], ..Artifact::default() };
    let names: Vec<String> = case.pack(&parallels, "").unwrap().into_keys().collect();
    assert_eq!(names, ["Vagrantfile", "m.pvm/disk.hdd/x", "metadata.json"]);
    let docker = case.pack(&artifact("packer.post-processor.docker-tag", "a/\"b#{1}"), "").unwrap();
    assert!(docker["Vagrantfile"].contains("\t\tdocker.image = \"a/\\\"b\\#{1}\"\n"), "{}", docker["Vagrantfile"]);
    let vmware = case.pack(&artifact("mitchellh.vmware-esx", ""), "").unwrap();
    assert!(vmware["metadata.json"].contains("\"provider\":\"vmware_desktop\""));
    assert_eq!(case.pack(&artifact("mitchellh.amazonebs", "i"), ""), refused("Poorly formatted artifact ID: i"));
    assert_eq!(case.pack(&artifact("packer.file", ""), ""), refused("Unknown artifact type, can't build box: packer.file"));
}

#[test]
fn an_artifact_from_elsewhere_is_looked_at() {
    let case = Case::new();
    let disk = case.file("d.raw", &"\0".repeat(4096));
    let artifact = Artifact { builder_id: "packer.post-processor.artifice".into(), files: vec![disk], ..Artifact::default() };
    let files = case.pack(&artifact, r#", "provider_override": "libvirt", "architecture": "amd64""#).unwrap();
    assert_eq!(files["metadata.json"], "{\"architecture\":\"amd64\",\"format\":\"raw\",\"provider\":\"libvirt\",\"virtual_size\":1}\n");
}

#[test]
fn options_differ_by_provider() {
    let case = Case::new();
    let other = format!("{}/other.box", case.dir.path().display());
    let meta = case.file("metadata.json", "{\"provider\":\"mine\"}");
    let more =
        format!(r#", "compression_level": 0, "override": {{"libvirt": {{"include": [{meta:?}], "output": {other:?}}}, "foo": {{}}}}"#);
    let files = case.pack(&case.machine(&["deb"], None), &more).unwrap();
    assert_eq!(files["metadata.json"], "{\"provider\":\"mine\"}");
    assert_eq!(&std::fs::read(&other).unwrap()[..11], b"Vagrantfile");
    let files = case.pack(&Artifact { builder_id: "mitchellh.vmware".into(), ..Artifact::default() }, &more).unwrap();
    assert_eq!(files.len(), 2);
}

#[test]
fn mistakes_are_told_once() {
    let json = r#"{"compression_level": 55, "vagrantfile_template": "none", "provider_override": "zzz", "vm": 1, "override": {"libvirt": {"include": ["x"]}}}"#;
    let mistakes = Trial::of("vagrant").mistakes(json);
    assert_eq!(mistakes.len(), 4, "{mistakes:?}");
    assert!(mistakes.contains(&"vagrantfile_template 'none' does not exist".to_owned()));
    let generated = r#"{"vagrantfile_template": "none", "vagrantfile_template_generated": true}"#;
    assert_eq!(Trial::of("vagrant").mistakes(generated), Vec::<String>::new());
}
