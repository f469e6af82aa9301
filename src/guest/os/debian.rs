//! Debian and its children.

use super::System;

/// Debian's ways. systemd reads the name from the same file; asking it to write that takes seconds where processors are emulated.
pub(super) const SYSTEM: System = System {
    id: "debian",
    hostname: r#"printf '%s\n' "$short" > /etc/hostname
printf '%s\n' "$fqdn" > /etc/mailname
hostname "$short" 2>/dev/null || hostnamectl set-hostname "$short"
if [ -d /run/systemd/netif/leases ]; then systemctl --no-block try-restart systemd-networkd 2>/dev/null || true; fi
if [ -d /run/NetworkManager/devices ]; then systemctl --no-block try-restart NetworkManager 2>/dev/null || true; fi
"#,
    install: Some(
        r#"export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends "$package" || { apt-get update && apt-get install -y --no-install-recommends "$package"; }
"#,
    ),
    halt: &["shutdown", "-h", "now"],
    reboot: &["shutdown", "-r", "now"],
};
