//! Gentoo and Funtoo.

use super::System;

/// Gentoo's ways, with OpenRC or systemd.
pub(super) const SYSTEM: System = System {
    id: "gentoo",
    hostname: r#"if [ -d /run/systemd/system ]; then hostnamectl set-hostname "$short"
else printf 'hostname="%s"\n' "$short" > /etc/conf.d/hostname; hostname "$short"; fi
"#,
    install: Some("emerge --noreplace \"net-misc/$package\"\n"),
    halt: &["shutdown", "-h", "now"],
    reboot: &["shutdown", "-r", "now"],
};
