//! Linux in general, and small families with few ways of their own.

use super::System;

const HALT: &[&str] = &["shutdown", "-h", "now"];
const REBOOT: &[&str] = &["shutdown", "-r", "now"];

/// What works on nearly every Linux.
pub(super) const SYSTEM: System = System {
    id: "linux",
    hostname: r#"if command -v hostnamectl >/dev/null 2>&1 && hostnamectl set-hostname "$short" 2>/dev/null; then :
else printf '%s\n' "$short" > /etc/hostname; hostname "$short" 2>/dev/null || printf '%s' "$short" > /proc/sys/kernel/hostname; fi
"#,
    install: None,
    halt: HALT,
    reboot: REBOOT,
};

/// NixOS: the host name is part of the system's configuration, in the file that boxes for this purpose import.
pub(super) const NIXOS: System = System {
    id: "nixos",
    hostname: r#"printf '{ config, pkgs, ... }: { networking.hostName = "%s"; }\n' "$short" > /etc/nixos/vagrant-hostname.nix
nixos-rebuild switch
"#,
    install: None,
    halt: HALT,
    reboot: REBOOT,
};

/// OpenWrt: uci.
pub(super) const OPENWRT: System = System {
    id: "openwrt",
    hostname: r#"uci set "system.@system[0].hostname=$short"
uci commit system
/etc/init.d/system reload
"#,
    install: Some("opkg update && opkg install \"$package\"\n"),
    halt: &["poweroff"],
    reboot: &["reboot"],
};

/// Slackware.
pub(super) const SLACKWARE: System = System {
    id: "slackware",
    hostname: "printf '%s\\n' \"$fqdn\" > /etc/HOSTNAME\nhostname \"$short\"\n",
    install: None,
    halt: HALT,
    reboot: REBOOT,
};

/// VMware's Photon.
pub(super) const PHOTON: System = System {
    id: "photon",
    hostname: "hostnamectl set-hostname \"$short\"\n",
    install: Some("tdnf install -y \"$package\"\n"),
    halt: HALT,
    reboot: REBOOT,
};

/// Tiny Core Linux.
pub(super) const TINYCORE: System = System {
    id: "tinycore",
    hostname: "sethostname \"$short\" 2>/dev/null || hostname \"$short\"\n",
    install: None,
    halt: &["poweroff"],
    reboot: &["reboot"],
};
