# Runs as root in the guest, last of all: what must not be shared between machines goes, and only what comes back by itself.
if [ -f /etc/systemd/system/ssh-host-keys.service ]; then
    rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
fi
rm -f /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
rm -f /var/lib/dhcp/*.leases /run/systemd/netif/leases/* 2>/dev/null || true
if [ -s /etc/machine-id ] && command -v systemctl >/dev/null; then
    [ -L /var/lib/dbus/machine-id ] || rm -f /var/lib/dbus/machine-id
    : > /etc/machine-id
fi
rm -rf /var/log/journal/*
sync
fstrim / 2>/dev/null || true
