//! The BSDs and macOS.

use super::System;

/// FreeBSD and DragonFly.
pub(super) const FREEBSD: System = System {
    id: "freebsd",
    hostname: r#"if command -v sysrc >/dev/null 2>&1; then sysrc hostname="$fqdn"
else sed -i '' '/^hostname=/d' /etc/rc.conf; printf 'hostname="%s"\n' "$fqdn" >> /etc/rc.conf; fi
hostname "$fqdn"
"#,
    install: Some("env ASSUME_ALWAYS_YES=yes pkg install -y \"$package\"\n"),
    halt: &["shutdown", "-p", "now"],
    reboot: &["shutdown", "-r", "now"],
};

/// OpenBSD.
pub(super) const OPENBSD: System = System {
    id: "openbsd",
    hostname: "printf '%s\\n' \"$fqdn\" > /etc/myname\nhostname \"$fqdn\"\n",
    install: Some("pkg_add -I \"$package--\"\n"),
    halt: &["shutdown", "-p", "-h", "now"],
    reboot: &["shutdown", "-r", "now"],
};

/// NetBSD.
pub(super) const NETBSD: System = System {
    id: "netbsd",
    hostname: r#"sed '/^hostname=/d' /etc/rc.conf > /etc/rc.conf.kiste-new
printf 'hostname=%s\n' "$fqdn" >> /etc/rc.conf.kiste-new
cat /etc/rc.conf.kiste-new > /etc/rc.conf
rm -f /etc/rc.conf.kiste-new
hostname "$fqdn"
"#,
    install: Some("pkgin -y install \"$package\"\n"),
    halt: &["shutdown", "-p", "now"],
    reboot: &["shutdown", "-r", "now"],
};

/// macOS.
pub(super) const DARWIN: System = System {
    id: "darwin",
    hostname: r#"scutil --set ComputerName "$fqdn"
scutil --set HostName "$fqdn"
scutil --set LocalHostName "$short"
hostname "$fqdn"
"#,
    install: None,
    halt: &["shutdown", "-h", "now"],
    reboot: &["shutdown", "-r", "now"],
};
