//! Arch Linux and its children.

use super::System;

/// Arch's ways.
pub(super) const SYSTEM: System = System {
    id: "arch",
    hostname: r#"hostnamectl set-hostname "$short" 2>/dev/null || { printf '%s\n' "$short" > /etc/hostname; hostname "$short" 2>/dev/null || printf '%s' "$short" > /proc/sys/kernel/hostname; }
"#,
    install: Some("pacman -Sy --noconfirm --needed \"$package\"\n"),
    halt: &["systemctl", "poweroff"],
    reboot: &["systemctl", "reboot"],
};
