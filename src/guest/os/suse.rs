//! openSUSE and SUSE Linux Enterprise.

use super::System;

/// SUSE's ways.
pub(super) const SYSTEM: System = System {
    id: "suse",
    hostname: r#"if [ -f /etc/HOSTNAME ] && [ ! -L /etc/HOSTNAME ]; then printf '%s\n' "$fqdn" > /etc/HOSTNAME; fi
hostnamectl set-hostname "$short" 2>/dev/null || { printf '%s\n' "$short" > /etc/hostname; hostname "$short"; }
"#,
    install: Some("zypper --non-interactive install \"$package\"\n"),
    halt: &["shutdown", "-h", "now"],
    reboot: &["shutdown", "-r", "now"],
};
