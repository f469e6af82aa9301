//! Alpine Linux.

use super::System;

/// Alpine's ways: busybox and OpenRC.
pub(super) const SYSTEM: System = System {
    id: "alpine",
    hostname: r#"printf '%s\n' "$short" > /etc/hostname
printf '%s\n' "$fqdn" > /etc/mailname
hostname -F /etc/hostname
"#,
    install: Some("apk add --no-cache \"$package\"\n"),
    halt: &["poweroff"],
    reboot: &["reboot"],
};
