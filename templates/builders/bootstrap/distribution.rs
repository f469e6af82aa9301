//! What Debian and Ubuntu call things.

/// A distribution that `bootstrap` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Debian.
    Debian,
    /// Ubuntu.
    Ubuntu,
}

const UBUNTU_SUITES: [&str; 12] =
    ["bionic", "focal", "jammy", "kinetic", "lunar", "mantic", "noble", "oracular", "plucky", "questing", "devel", "xenial"];
/// Debian's suites that move and so have neither updates nor security of their own.
const ROLLING: [&str; 3] = ["sid", "unstable", "experimental"];
/// Suites in which systemd brings its resolver itself.
const RESOLVER_INSIDE: [&str; 9] = ["buster", "bullseye", "bionic", "focal", "jammy", "kinetic", "xenial", "oldoldstable", "stretch"];

impl Distribution {
    /// By the template's word.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "debian" => Some(Self::Debian),
            "ubuntu" => Some(Self::Ubuntu),
            _ => None,
        }
    }

    /// Whose suite it is; Debian's when nobody else's.
    pub fn of_suite(suite: &str) -> Self {
        if UBUNTU_SUITES.contains(&suite) { Self::Ubuntu } else { Self::Debian }
    }

    /// Its word, which is also a good host name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
        }
    }

    /// Its own mirror.
    pub fn mirror(self) -> &'static str {
        match self {
            Self::Debian => "http://deb.debian.org/debian",
            Self::Ubuntu => "http://archive.ubuntu.com/ubuntu",
        }
    }

    /// Where its security updates come from.
    pub fn security_mirror(self) -> &'static str {
        match self {
            Self::Debian => "http://deb.debian.org/debian-security",
            Self::Ubuntu => "http://security.ubuntu.com/ubuntu",
        }
    }

    /// Components by default.
    pub fn components(self) -> Vec<String> {
        match self {
            Self::Debian => vec!["main".to_owned()],
            Self::Ubuntu => vec!["main".to_owned(), "universe".to_owned()],
        }
    }

    /// The smallest kernel with everything a virtual machine needs.
    pub fn kernel(self, architecture: &str) -> String {
        match self {
            Self::Debian => format!("linux-image-cloud-{architecture}"),
            Self::Ubuntu => "linux-image-virtual".to_owned(),
        }
    }

    /// What a disk needs to boot, to get an address and to let the build in.
    pub fn base_packages(self, suite: &str) -> Vec<&'static str> {
        let mut packages =
            vec!["systemd-sysv", "udev", "dbus", "iproute2", "openssh-server", "initramfs-tools", "zstd", "extlinux", "fdisk", "e2fsprogs"];
        if !RESOLVER_INSIDE.contains(&suite) {
            packages.push("systemd-resolved");
        }
        packages
    }

    /// Lines of sources.list: the suite, its updates and its security updates. An empty security mirror leaves those out.
    pub fn sources(self, suite: &str, mirror: &str, security_mirror: &str, components: &[String]) -> Vec<String> {
        let components = components.join(" ");
        let mut lines = vec![format!("deb {mirror} {suite} {components}")];
        if self == Self::Debian && ROLLING.contains(&suite) {
            return lines;
        }
        lines.push(format!("deb {mirror} {suite}-updates {components}"));
        if !security_mirror.is_empty() {
            lines.push(format!("deb {security_mirror} {suite}-security {components}"));
        }
        lines
    }
}
