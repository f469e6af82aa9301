//! VirtualBox machines as OVF, or as OVA, which is a tar archive of one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use kiste_boxes::pack::PackSource;

use super::{base_name, refuse};
use crate::error::Error;
use crate::post_processor::PostProcessorRun;

/// The name that the provider looks for.
const BOX_OVF: &str = "box.ovf";
/// Larger descriptions of a machine are none.
const LARGEST_OVF: u64 = 8 << 20;

/// All files of a box; the machine's description under the name it must have.
pub fn files(files: &[PathBuf], run: &PostProcessorRun<'_>) -> Result<Vec<(String, PackSource)>, Error> {
    let mut all = Vec::new();
    for file in files {
        if has_extension(file, "ova") {
            run.reporter.detail(format!("Unpacking OVA: {}", file.display()));
            all.extend(of_archive(file)?);
        } else if !file.is_dir() {
            run.reporter.detail(format!("Copying from artifact: {}", file.display()));
            all.push((base_name(file), PackSource::File(file.clone())));
        }
    }
    run.reporter.detail("Renaming the OVF to box.ovf...");
    let ovf = all.iter_mut().find(|(name, _)| has_extension(Path::new(name), "ovf")).ok_or_else(|| refuse("ovf file couldn't be found"))?;
    BOX_OVF.clone_into(&mut ovf.0);
    Ok(all)
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// Where its files stand in the archive; nothing is unpacked. Names from inside count only by their last part.
fn of_archive(path: &Path) -> Result<Vec<(String, PackSource)>, Error> {
    let file = File::open(path).map_err(Error::file(path))?;
    let mut archive = tar::Archive::new(file);
    let mut files = Vec::new();
    for entry in archive.entries().map_err(Error::file(path))? {
        let entry = entry.map_err(Error::file(path))?;
        let name = entry.path().map(|p| base_name(&p)).map_err(Error::file(path))?;
        if entry.header().entry_type().is_file() && !name.is_empty() {
            files.push((name, PackSource::Part { path: path.to_owned(), offset: entry.raw_file_position(), size: entry.size() }));
        }
    }
    Ok(files)
}

/// The hardware address of the first network card, which Vagrant must know.
pub fn base_mac(files: &[(String, PackSource)]) -> Result<String, Error> {
    let text = files.iter().find(|(name, _)| name == BOX_OVF).map(|(_, source)| read(source)).transpose()?.unwrap_or_default();
    let adapter =
        text.split("<Adapter").skip(1).map(|tag| tag.split('>').next().unwrap_or_default()).find(|tag| tag.contains("slot=\"0\""));
    let mac = adapter.and_then(|tag| tag.split("MACAddress=\"").nth(1)?.split('"').next());
    // It becomes part of a program.
    let mac = mac.filter(|mac| mac.len() == 12 && mac.bytes().all(|b| b.is_ascii_hexdigit()));
    mac.map(str::to_owned).ok_or_else(|| refuse("can't find base mac address in OVF"))
}

fn read(source: &PackSource) -> Result<String, Error> {
    let (path, offset, size) = match source {
        PackSource::File(path) => (path, 0, LARGEST_OVF),
        PackSource::Part { path, offset, size } => (path, *offset, (*size).min(LARGEST_OVF)),
        PackSource::Bytes(bytes) => return Ok(String::from_utf8_lossy(bytes).into_owned()),
    };
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(Error::file(path))?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(offset)).map_err(Error::file(path))?;
    file.take(size).read_to_end(&mut bytes).map_err(Error::file(path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
