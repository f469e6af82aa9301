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
hostnamectl set-hostname "$fqdn" 2>/dev/null || hostname "$fqdn"
hostnamectl set-hostname --transient "$fqdn" 2>/dev/null || true
for unit in systemd-networkd NetworkManager; do systemctl try-restart "$unit" 2>/dev/null || true; done
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
