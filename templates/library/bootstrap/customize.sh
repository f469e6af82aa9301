# Runs on the host's side of a new root file system, after every package is installed. $1: the root file system.
# Variables of the build stand above this line.
set -eu
root=$1

# What only the building needed: options for apt and dpkg, the host's name and resolver.
rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
rm -f "$root"/etc/apt/sources.list.d/0000* "$root/etc/hostname" "$root/etc/hosts" "$root"/etc/ssh/ssh_host_*
printf '%s\n' "$hostname" > "$root/etc/hostname"
cat > "$root/etc/hosts" <<END
127.0.0.1 localhost
127.0.1.1 $hostname
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
END
printf '%s' "$sources" > "$root/etc/apt/sources.list"
printf 'LANG=C.UTF-8\n' > "$root/etc/default/locale"
printf 'UUID=%s / ext4 rw,relatime,errors=remount-ro 0 1\n' "$root_uuid" > "$root/etc/fstab"

# Any wired card asks for an address, whatever the kernel calls it.
cat > "$root/etc/systemd/network/80-dhcp.network" <<END
[Match]
Type=ether
Kind=!*

[Network]
DHCP=yes

[DHCPv4]
ClientIdentifier=mac
UseDomains=yes

[DHCPv6]
UseDomains=yes
END
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"

# Debian keeps its links to the newest kernel in /, others in /boot.
for links in '' /boot; do
    if [ -e "$root$links/vmlinuz" ] && [ -e "$root$links/initrd.img" ]; then
        kernel_link=$links/vmlinuz
        initrd_link=$links/initrd.img
    fi
done
if [ -z "${kernel_link:-}" ]; then
    echo "E: no kernel was installed: name one that fits this suite as kernel_package" >&2
    exit 1
fi

# The boot loader follows the links that every kernel update moves.
mkdir -p "$root/boot/extlinux"
cat > "$root/boot/extlinux/extlinux.conf" <<END
DEFAULT linux
PROMPT 0
TIMEOUT 0
LABEL linux
  LINUX $kernel_link
  INITRD $initrd_link
  APPEND root=UUID=$root_uuid ro $kernel_cmdline
END

# Host keys belong to one machine: they are made at its first boot. rsa takes long and no client of this century needs it.
cat > "$root/etc/systemd/system/ssh-host-keys.service" <<END
[Unit]
Description=Make the host keys of the ssh server
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
DefaultDependencies=no
After=systemd-remount-fs.service
Before=ssh.service ssh.socket shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -C "" -f /etc/ssh/ssh_host_ed25519_key
ExecStart=/usr/bin/ssh-keygen -q -t ecdsa -N "" -C "" -f /etc/ssh/ssh_host_ecdsa_key

[Install]
WantedBy=sysinit.target
END
mkdir -p "$root/etc/ssh/sshd_config.d"
cat > "$root/etc/ssh/sshd_config.d/10-host-keys.conf" <<END
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_ecdsa_key
END

# On a larger disk the last partition and its file system grow to the end.
mkdir -p "$root/usr/local/sbin"
cat > "$root/usr/local/sbin/grow-root" <<'END'
#!/bin/sh
set -eu
device=$(findmnt -n -o SOURCE /)
part=/sys/class/block/$(basename "$device")
disk=$(basename "$(readlink -f "$part/..")")
end=$(($(cat "$part/start") + $(cat "$part/size")))
total=$(cat "/sys/class/block/$disk/size")
[ $((total - end)) -ge 4096 ] || exit 0
number=$(cat "$part/partition")
echo ', +' | sfdisk --quiet --no-reread --force -N "$number" "/dev/$disk"
partx --update --nr "$number" "/dev/$disk"
resize2fs "$device"
END
chmod 755 "$root/usr/local/sbin/grow-root"
cat > "$root/etc/systemd/system/grow-root.service" <<END
[Unit]
Description=Grow the root file system to the end of its disk
After=local-fs.target

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/grow-root

[Install]
WantedBy=multi-user.target
END

for unit in systemd-networkd systemd-resolved ssh ssh-host-keys grow-root; do
    chroot "$root" systemctl --quiet enable "$unit"
done
# Nothing here waits for the network to be complete, and nothing updates a machine behind its user's back.
for unit in systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
rm -f "$root/etc/systemd/system/network-online.target.wants/systemd-networkd-wait-online.service"

# The way in for the build.
if [ "$user" != root ]; then
    chroot "$root" useradd --create-home --shell /bin/bash -- "$user"
    mkdir -p "$root/etc/sudoers.d"
    printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$user" > "$root/etc/sudoers.d/$user"
    chmod 440 "$root/etc/sudoers.d/$user"
fi
if [ -n "$password" ]; then
    printf '%s:%s\n' "$user" "$password" | chroot "$root" chpasswd
fi
home=$(chroot "$root" getent passwd "$user" | cut -d: -f6)
mkdir -p "$root$home/.ssh"
printf '%s\n' "$public_key" > "$root$home/.ssh/authorized_keys"
chmod 700 "$root$home/.ssh"
chmod 600 "$root$home/.ssh/authorized_keys"
chroot "$root" chown -R "$user:" "$home/.ssh"

cp "$root$kernel_link" "$out/kernel"
cp "$root$initrd_link" "$out/initrd"
chmod 644 "$out/kernel" "$out/initrd"
