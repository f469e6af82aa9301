//! Every name on disk, in one place.
//!
//! ```text
//! KISTE_HOME/                            boxes, layers, keys shared by all projects
//!   tokens.json                          tokens of registries, mode 0600
//!   boxes/NAME/metadata.json             where a box came from (NAME with `/` as `-KISTESLASH-`)
//!   boxes/NAME/outdated.json             what its catalog said last, and when
//!   boxes/NAME/VERSION/ARCH/PROVIDER/    an unpacked box and its kiste.json; ARCH is `none` where the box has none
//!   evidence/                            evidence of failed builds
//!   tmp/builds/                          scratch folders of builds
//!   tmp/containers/                      … of builds in containers: which container it is, what is shared with it
//!   tmp/                                 downloads and unpacking; anything here may be removed by `box prune`
//!   tmp/add-…  tmp/removed-…             boxes being unpacked or removed; the folder is locked while somebody is at it
//!   tmp/download-KEY.{part,json}         a download not yet finished, and what is there of it
//!   tmp/upload-KEY.json                  where an unfinished upload goes on
//!   locks/                               one file per lock
//!   index/UUID.json                      one file per machine known to this user
//!   ports/                               leases of forwarded ports
//!   hosts/                               verdicts about this host (accelerators)
//!   providers/PROVIDER/                  what a provider keeps for all projects (VirtualBox: one imported machine per box)
//!   registry/                            what a registry served by this user keeps
//!   Kistefile                            settings for every project (optional)
//!
//! PROJECT/.kiste/machines/NAME/PROVIDER/ state of one machine
//!   id  machine.json  provisioned.json  private_key  known_host  serial.log  evidence/  …
//! ```

use std::path::{Path, PathBuf};

/// Name of a project's file.
pub const KISTEFILE: &str = "Kistefile";
/// Name of a project's lock file.
pub const LOCK_FILE: &str = "kiste.lock";
/// A project's folder of state.
pub const PROJECT_STATE: &str = ".kiste";
/// [`PROJECT_STATE`] as a pattern of what is never copied into a guest.
pub const PROJECT_STATE_PATTERN: &str = ".kiste/";

/// Our own file among the files of an unpacked box: its digest, source and date.
pub const BOX_RECORD: &str = "kiste.json";
/// Stands for the architecture of a box that has none.
pub const NO_ARCHITECTURE: &str = "none";
/// Begins the names of folders in [`Home::tmp`] that boxes are unpacked in.
pub const ADDING: &str = "add-";
/// Begins the names of folders in [`Home::tmp`] that removed boxes go through.
pub const REMOVED: &str = "removed-";
/// Begins the names of unfinished downloads in [`Home::tmp`].
pub const DOWNLOAD: &str = "download-";
/// Begins the names of notes about unfinished uploads in [`Home::tmp`].
pub const UPLOAD: &str = "upload-";

/// A project's lock file.
pub fn lock_file(root: &Path) -> PathBuf {
    root.join(LOCK_FILE)
}

/// Held while [`lock_file`] is changed.
pub fn lock_file_guard(root: &Path) -> PathBuf {
    root.join(PROJECT_STATE).join("kiste.lock.guard")
}

/// The user's folder of everything shared between projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// `KISTE_HOME`, else the platform's data folder (`$XDG_DATA_HOME/kiste`, `~/.local/share/kiste`, `~/Library/Application Support/kiste`).
    /// `None` when neither is known (no `HOME`).
    pub fn find() -> Option<Self> {
        let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        if let Some(home) = set("KISTE_HOME") {
            return Some(Self(std::path::absolute(home).ok()?));
        }
        if cfg!(target_os = "macos") {
            return set("HOME").map(|h| Self(h.join("Library/Application Support/kiste")));
        }
        let data = set("XDG_DATA_HOME").filter(|d| d.is_absolute()).or_else(|| set("HOME").map(|h| h.join(".local/share")));
        data.map(|d| Self(d.join("kiste")))
    }

    /// A given folder.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// All boxes.
    pub fn boxes(&self) -> PathBuf {
        self.0.join("boxes")
    }

    /// All versions of one box, by its encoded name.
    pub fn box_folder(&self, encoded: &str) -> PathBuf {
        self.boxes().join(encoded)
    }

    /// Where a box came from: the address of its catalog document.
    pub fn box_origin(&self, encoded: &str) -> PathBuf {
        self.box_folder(encoded).join("metadata.json")
    }

    /// What its catalog said last.
    pub fn box_catalog(&self, encoded: &str) -> PathBuf {
        self.box_folder(encoded).join("outdated.json")
    }

    /// One unpacked box.
    pub fn box_files(&self, encoded: &str, version: &str, architecture: Option<&str>, provider: &str) -> PathBuf {
        self.box_folder(encoded).join(version).join(architecture.unwrap_or(NO_ARCHITECTURE)).join(provider)
    }

    /// An unfinished download.
    pub fn download(&self, key: &str) -> PathBuf {
        self.tmp().join(format!("{DOWNLOAD}{key}.part"))
    }

    /// What is there of an unfinished download.
    pub fn download_journal(&self, key: &str) -> PathBuf {
        self.tmp().join(format!("{DOWNLOAD}{key}.json"))
    }

    /// What a registry served by this user keeps, unless it is told another folder.
    pub fn registry(&self) -> PathBuf {
        self.0.join("registry")
    }

    /// Tokens of registries.
    pub fn tokens(&self) -> PathBuf {
        self.0.join("tokens.json")
    }

    /// Where an unfinished upload goes on.
    pub fn upload(&self, key: &str) -> PathBuf {
        self.tmp().join(format!("{UPLOAD}{key}.json"))
    }

    /// Downloads and unpacking. On the same file system as [`Home::boxes`], so that a rename finishes an add.
    pub fn tmp(&self) -> PathBuf {
        self.0.join("tmp")
    }

    /// Scratch folders of builds that run, one each.
    pub fn builds(&self) -> PathBuf {
        self.tmp().join("builds")
    }

    /// Scratch folders of builds that run in containers, one each.
    pub fn containers(&self) -> PathBuf {
        self.tmp().join("containers")
    }

    /// Evidence of failed builds, one folder each.
    pub fn build_evidence(&self) -> PathBuf {
        self.0.join("evidence")
    }

    /// A lock by name (letters, digits, `-`, `.`).
    pub fn lock(&self, name: &str) -> PathBuf {
        self.0.join("locks").join(format!("{name}.lock"))
    }

    /// Folder of the index of machines.
    pub fn index(&self) -> PathBuf {
        self.0.join("index")
    }

    /// One machine in the index, by its uuid.
    pub fn index_entry(&self, uuid: &str) -> PathBuf {
        self.index().join(format!("{uuid}.json"))
    }

    /// Leases of forwarded ports.
    pub fn ports(&self) -> PathBuf {
        self.0.join("ports")
    }

    /// The lease of one port, by a name such as `127.0.0.1-tcp-8080`.
    pub fn port_lease(&self, name: &str) -> PathBuf {
        self.ports().join(format!("{name}.lock"))
    }

    /// A well-known insecure key as a file, for programs that take keys from files only; `number` counts from 0.
    pub fn insecure_key(&self, number: usize) -> PathBuf {
        self.0.join("keys").join(format!("insecure-{number}"))
    }

    /// What a provider keeps for all projects.
    pub fn of_provider(&self, provider: &str) -> PathBuf {
        self.0.join("providers").join(provider)
    }

    /// Verdicts about this host that are dear to find out again.
    pub fn host_facts(&self, name: &str) -> PathBuf {
        self.0.join("hosts").join(format!("{name}.json"))
    }

    /// Settings of the user for every project.
    pub fn kistefile(&self) -> PathBuf {
        self.0.join(KISTEFILE)
    }
}

/// Folder for sockets whose own place has too long a name for a socket: `$XDG_RUNTIME_DIR/kiste`, else `/tmp/kiste-UID`.
/// Others may have made it first: whoever uses it checks its owner and mode.
#[cfg(unix)]
pub fn runtime() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|d| d.is_absolute()) {
        Some(dir) => dir.join("kiste"),
        None => PathBuf::from(format!("/tmp/kiste-{}", rustix::process::getuid().as_raw())),
    }
}

/// State of one machine under one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineDir(PathBuf);

impl MachineDir {
    /// Of machine `name` under `provider` in the project at `root`.
    pub fn new(root: &Path, name: &str, provider: &str) -> Self {
        Self(Self::all(root, name).join(provider))
    }

    /// The folder of machine `name`, which holds one folder per provider it was made with.
    pub fn all(root: &Path, name: &str) -> PathBuf {
        root.join(PROJECT_STATE).join("machines").join(name)
    }

    /// A given folder (builds keep theirs in a scratch folder).
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// The lock that every changing command holds. Beside the folder, which `destroy` removes.
    pub fn lock(&self) -> PathBuf {
        self.0.with_extension("lock")
    }

    /// Where rests of the machine are put that nobody knows but that may be worth something.
    pub fn aside(&self, stamp: &str) -> PathBuf {
        self.0.with_extension(format!("lost-{stamp}"))
    }

    /// uuid in the index.
    pub fn id(&self) -> PathBuf {
        self.0.join("id")
    }

    /// What the machine was made from (box, version, settings), by lifecycle.
    pub fn machine(&self) -> PathBuf {
        self.0.join("machine.json")
    }

    /// Which provisioners ran, by lifecycle.
    pub fn provisioned(&self) -> PathBuf {
        self.0.join("provisioned.json")
    }

    /// Folders as last shared, by lifecycle.
    pub fn folders(&self) -> PathBuf {
        self.0.join("folders.json")
    }

    /// Ports as last forwarded, by lifecycle.
    pub fn forwards(&self) -> PathBuf {
        self.0.join("forwards.json")
    }

    /// The machine's own private key, mode 0600.
    pub fn private_key(&self) -> PathBuf {
        self.0.join("private_key")
    }

    /// The pinned host key: one line as in known_hosts.
    pub fn known_host(&self) -> PathBuf {
        self.0.join("known_host")
    }

    /// What the guest wrote to its first serial line.
    pub fn serial_log(&self) -> PathBuf {
        self.0.join("serial.log")
    }

    /// What the provider's process said.
    pub fn driver_log(&self) -> PathBuf {
        self.0.join("driver.log")
    }

    /// Evidence of failed boots, one folder each.
    pub fn evidence(&self) -> PathBuf {
        self.0.join("evidence")
    }

    /// The public half of [`MachineDir::private_key`], one line.
    pub fn public_key(&self) -> PathBuf {
        self.0.join("private_key.pub")
    }

    /// What the guest of a snapshot was known by, one folder each: the provider keeps the rest.
    pub fn snapshots(&self) -> PathBuf {
        self.0.join("kept")
    }

    /// A file that is the driver's own business: `disk0.qcow2`, `vm.json`, `qmp.sock`.
    pub fn driver_file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Scratch folder of one build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildDir(PathBuf);

impl BuildDir {
    /// A given folder.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Held while the build runs. Beside the folder, so that removing the folder never removes a lock somebody waits for.
    pub fn lock(&self) -> PathBuf {
        self.0.with_extension("lock")
    }

    /// Says that a failed build was left here on purpose.
    pub fn kept(&self) -> PathBuf {
        self.0.join("kept")
    }

    /// A store of boxes that goes with the build.
    pub fn home(&self) -> Home {
        Home(self.0.join("home"))
    }

    /// Id of the container that the build runs in.
    pub fn container(&self) -> PathBuf {
        self.0.join("container")
    }

    /// The engine of that container.
    pub fn engine(&self) -> PathBuf {
        self.0.join("engine.json")
    }

    /// Shared with that container.
    pub fn shared(&self) -> PathBuf {
        self.0.join("shared")
    }

    /// A root file system as a folder.
    pub fn root_fs(&self) -> PathBuf {
        self.0.join("root")
    }

    /// The disk before its first boot.
    pub fn disk(&self) -> PathBuf {
        self.0.join("disk.raw")
    }

    /// A script that runs while the root file system is made.
    pub fn hook(&self, stage: &str) -> PathBuf {
        self.0.join(format!("{stage}.sh"))
    }

    /// Kernel of the root file system, copied out.
    pub fn kernel(&self) -> PathBuf {
        self.0.join("kernel")
    }

    /// Initial RAM disk of the root file system, copied out.
    pub fn initrd(&self) -> PathBuf {
        self.0.join("initrd")
    }

    /// The machine that the build runs in.
    pub fn machine(&self) -> MachineDir {
        MachineDir::at(self.0.join("machine"))
    }
}
