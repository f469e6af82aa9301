//! Debian and its children.

use super::System;

/// Debian's ways.
pub(super) const SYSTEM: System = System {
    id: "debian",
    hostname: r#"printf '%s\n' "$short" > /etc/hostname
printf '%s\n' "$fqdn" > /etc/mailname
hostnamectl set-hostname "$short" 2>/dev/null || hostname "$short"
for unit in systemd-networkd NetworkManager; do systemctl try-restart "$unit" 2>/dev/null || true; done
"#,
    install: Some(
        r#"export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends "$package" || { apt-get update && apt-get install -y --no-install-recommends "$package"; }
"#,
    ),
    halt: &["shutdown", "-h", "now"],
    reboot: &["shutdown", "-r", "now"],
};
