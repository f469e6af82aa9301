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
    // A guest without a network shall say so within a minute, not within ten.
    install: Some(
        r#"export DEBIAN_FRONTEND=noninteractive
get() { apt-get -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Acquire::Retries=0 -o DPkg::Lock::Timeout=120 "$@"; }
get install -y --no-install-recommends "$package" || { get update && get install -y --no-install-recommends "$package"; }
"#,
    ),
    halt: &["shutdown", "-h", "now"],
    reboot: &["shutdown", "-r", "now"],
};
