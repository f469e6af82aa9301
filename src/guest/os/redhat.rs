//! Red Hat's family: Fedora, CentOS, Alma, Rocky, Oracle, Amazon …

use super::System;

/// Red Hat's ways: the full name is the host name.
pub(super) const SYSTEM: System = System {
    id: "redhat",
    hostname: r#"printf '%s\n' "$fqdn" > /etc/hostname
if [ -f /etc/sysconfig/network ]; then
  sed -i '/^HOSTNAME=/d' /etc/sysconfig/network
  printf 'HOSTNAME=%s\n' "$fqdn" >> /etc/sysconfig/network
fi
hostname "$fqdn" 2>/dev/null || hostnamectl set-hostname "$fqdn"
if [ -d /run/systemd/netif/leases ]; then systemctl --no-block try-restart systemd-networkd 2>/dev/null || true; fi
if [ -d /run/NetworkManager/devices ]; then systemctl --no-block try-restart NetworkManager 2>/dev/null || true; fi
"#,
    install: Some(
        r#"if command -v dnf >/dev/null 2>&1; then dnf -y install "$package"
elif command -v microdnf >/dev/null 2>&1; then microdnf -y install "$package"
elif command -v apt-get >/dev/null 2>&1; then apt-get -y install "$package"
else yum -y install "$package"; fi
"#,
    ),
    halt: &["shutdown", "-h", "now"],
    reboot: &["shutdown", "-r", "now"],
};
