//! Solaris and its children, ESXi, Haiku.

use super::System;

/// Solaris, OmniOS, SmartOS.
pub(super) const SOLARIS: System = System {
    id: "solaris",
    hostname: r#"printf '%s\n' "$short" > /etc/nodename
if svccfg -s system/identity:node listprop config/nodename >/dev/null 2>&1; then
  svccfg -s system/identity:node "setprop config/nodename = \"$short\""
  svcadm refresh system/identity:node
fi
hostname "$short"
"#,
    install: None,
    halt: &["/usr/sbin/shutdown", "-y", "-i5", "-g0"],
    reboot: &["/usr/sbin/shutdown", "-y", "-i6", "-g0"],
};

/// VMware ESXi.
pub(super) const ESXI: System = System {
    id: "esxi",
    hostname: "esxcli system hostname set --fqdn=\"$fqdn\" 2>/dev/null || esxcli system hostname set --host=\"$short\"\n",
    install: None,
    halt: &["/bin/halt", "-d", "0"],
    reboot: &["/bin/reboot", "-d", "0"],
};

/// Haiku.
pub(super) const HAIKU: System =
    System { id: "haiku", hostname: "hostname \"$fqdn\"\n", install: None, halt: &["shutdown"], reboot: &["shutdown", "-r"] };
