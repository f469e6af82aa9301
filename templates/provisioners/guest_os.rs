//! Small commands about files, in the words of the two kinds of guests that `guest_os_type` knows.

use crate::options::Options;
use crate::script::escape_single;

/// A kind of guest, and whether its commands become root first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GuestOs {
    /// Windows, else Unix.
    pub windows: bool,
    /// By `sudo`; never in Windows.
    pub sudo: bool,
}

impl GuestOs {
    /// Reads `guest_os_type`.
    pub fn of(options: &mut Options<'_>, sudo: bool) -> Self {
        let at = options.place("guest_os_type");
        let windows = match options.text("guest_os_type").map(|t| t.to_lowercase()).as_deref() {
            None | Some("unix") => false,
            Some("windows") => true,
            Some(other) => {
                options.problem(at, format!("Invalid guest_os_type: \"{other}\""));
                false
            }
        };
        Self { windows, sudo: sudo && !windows }
    }

    /// A command as root, where that is wanted.
    pub fn as_root(self, command: &str) -> String {
        if self.sudo { format!("sudo {command}") } else { command.to_owned() }
    }

    /// A path between single quotes, or as PowerShell takes one.
    fn path(self, path: &str) -> String {
        if self.windows { path.replace(' ', "` ") } else { format!("'{}'", escape_single(path)) }
    }

    /// Makes a folder and those it is in.
    pub fn make_folder(self, path: &str) -> String {
        let path = self.path(path);
        if self.windows {
            return format!("powershell.exe -Command \"New-Item -ItemType directory -Force -ErrorAction SilentlyContinue -Path {path}\"");
        }
        self.as_root(&format!("mkdir -p {path}"))
    }

    /// Lets everybody write into a folder; nothing of the kind is needed in Windows.
    pub fn open_folder(self, path: &str) -> Option<String> {
        (!self.windows).then(|| self.as_root(&format!("chmod 0777 {}", self.path(path))))
    }

    /// Removes a folder with all that is in it.
    pub fn remove(self, path: &str) -> String {
        let path = self.path(path);
        if self.windows {
            format!("powershell.exe -Command \"rm {path} -recurse -force\"")
        } else {
            self.as_root(&format!("rm -rf {path}"))
        }
    }

    /// Ends well when there is something.
    pub fn is_there(self, path: &str) -> String {
        let path = self.path(path);
        if self.windows {
            return format!("powershell.exe -Command \"if (test-path {path}) {{ exit 0 }} else {{ exit 1 }}\"");
        }
        self.as_root(&format!("test -e {path}"))
    }

    /// Gives something another place.
    pub fn rename(self, from: &str, to: &str) -> String {
        let (from, to) = (self.path(from), self.path(to));
        if self.windows { format!("powershell.exe -Command \"mv {from} {to} -force\"") } else { self.as_root(&format!("mv {from} {to}")) }
    }
}
