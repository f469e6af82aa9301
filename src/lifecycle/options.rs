//! What a caller can ask of each verb.

/// Whether provisioners run, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvisionOptions {
    /// `--provision` / `--no-provision`; none: only what has not run yet, and those that always run.
    pub provision: Option<bool>,
    /// `--provision-with`: names or types; these run even if they ran before. Empty: all.
    pub with: Vec<String>,
}

/// Of `up` and `reload`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpOptions {
    /// Provisioners.
    pub provision: ProvisionOptions,
    /// Remove a machine made by this very run when it is interrupted.
    pub destroy_on_error: bool,
    /// Several machines at once.
    pub parallel: bool,
    /// Fail when `kiste.lock` would change.
    pub locked: bool,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self { provision: ProvisionOptions::default(), destroy_on_error: true, parallel: true, locked: false }
    }
}

/// Of `destroy`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestroyOptions {
    /// Don't ask.
    pub force: bool,
    /// Shut the guest down first.
    pub graceful: bool,
    /// Several machines at once (asks nothing, so it needs `force`).
    pub parallel: bool,
}

/// Of `snapshot restore` and `snapshot pop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Provisioners of the start.
    pub provision: ProvisionOptions,
    /// Start the machine afterwards.
    pub start: bool,
    /// Remove the snapshot once the machine is back at it (`pop`).
    pub delete: bool,
}

/// Of `upload`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadOptions {
    /// Below a fresh folder of the guest's temporary files.
    pub temporary: bool,
    /// Pack before the transfer, unpack in the guest.
    pub compress: bool,
    /// `tgz` (default) or `zip`.
    pub compression_type: Option<String>,
}

/// Of `rsync` and `rsync-auto`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RsyncOptions {
    /// `--rsync-chown` / `--no-rsync-chown`; none: as each folder says.
    pub chown: Option<bool>,
    /// `--poll`: look at the files again and again instead of asking the host's file watcher.
    pub poll: bool,
}
