//! Boxes as others will unpack them.

use std::collections::BTreeMap;
use std::path::Path;

use kiste_core::{Cancel, Reporter};

use crate::artifact::{Artifact, Image};
use crate::error::Error;
use crate::inputs::Inputs;
use crate::interpolate::{Facts, Scope};
use crate::json::{Value, parse};
use crate::options::Options;
use crate::post_processor::{PostProcessorRun, Processed, prepare};
use crate::problem::Place;

fn facts() -> Facts {
    Facts { start: jiff::Timestamp::UNIX_EPOCH, template_dir: None, build_name: Some("deb".into()), build_type: None }
}

fn process(json: &str, disk: &Path, format: &str) -> Result<Processed, Error> {
    let (variables, facts) = (BTreeMap::new(), facts());
    let Some(Value::Map(entries)) = parse(json).0.map(|n| n.value) else { panic!("{json}") };
    let scope = Scope { variables: &variables, facts: &facts, fields: None, in_variables: false };
    let mut options = Options::new(Place { line: 1, column: 1 }, entries, scope);
    let vagrant = prepare("vagrant", &mut options).unwrap();
    assert_eq!(options.finish(), []);
    let image = Image {
        disk: disk.into(),
        format: format.into(),
        virtual_size: (2 << 30) + 1,
        architecture: "amd64".into(),
        more_disks: Vec::new(),
        accelerator: None,
    };
    let artifact = Artifact {
        builder_id: "b".into(),
        id: "VM".into(),
        description: String::new(),
        files: vec![disk.into()],
        image: Some(image),
        ..Artifact::default()
    };
    let (reporter, cancel) = (Reporter::silent(), Cancel::new());
    vagrant.process(
        &artifact,
        &PostProcessorRun {
            reporter: &reporter,
            cancel: &cancel,
            force: false,
            variables: &variables,
            facts: &facts,
            fields: &variables,
            inputs: &Inputs::default(),
        },
    )
}

fn content(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(std::fs::File::open(path).unwrap());
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        files.insert(name, bytes);
    }
    files
}

#[test]
fn a_box_holds_disk_metadata_and_what_is_included() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk.qcow2");
    std::fs::write(&disk, "QFI").unwrap();
    let (extra, mine) = (dir.path().join("info.json"), dir.path().join("mine"));
    std::fs::write(&extra, "{}").unwrap();
    std::fs::write(&mine, "# mine").unwrap();
    let output = format!("{}/sub/{{{{.BuildName}}}}-{{{{.Provider}}}}-{{{{.Architecture}}}}.box", dir.path().display());
    let json = format!(r#"{{"output": {output:?}, "include": [{extra:?}], "vagrantfile_template": {mine:?}}}"#);
    let done = process(&json, &disk, "qcow2").unwrap();
    let path = dir.path().join("sub/deb-libvirt-amd64.box");
    assert_eq!(done.artifact.unwrap().files, std::slice::from_ref(&path));
    assert!(!done.keep && !done.must_keep);
    let files = content(&path);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["Vagrantfile", "box.img", "info.json", "metadata.json"]);
    let metadata = "{\"provider\":\"libvirt\",\"format\":\"qcow2\",\"virtual_size\":3,\"architecture\":\"amd64\"}\n";
    assert_eq!(String::from_utf8_lossy(&files["metadata.json"]), metadata);
    assert_eq!(files["box.img"], b"QFI");
    assert!(files["Vagrantfile"].ends_with(b"# mine"));
}

#[test]
fn only_qcow2_becomes_a_box() {
    let error = process("{}", Path::new("/nowhere"), "raw").err().unwrap();
    assert_eq!(error.to_string(), "post-processor `vagrant` cannot use this artifact: a libvirt box needs a qcow2 disk, this one is raw");
}
