# What the builder's web server gives the installer: puts Debian on the first disk. The test fills in the mirror and the suite.
set -eu
mirror=@MIRROR@
suite=@SUITE@
disk=/dev/vda

echo "installer: partitions"
echo ',,83,*' | sfdisk -q "$disk"
# extlinux reads ext4 without 64-bit block numbers.
mke2fs -q -t ext4 -O ^64bit,^metadata_csum -L root "${disk}1"
mkdir -p /target
mount -o noatime,nobarrier "${disk}1" /target

echo "installer: debootstrap from $mirror"
mkdir -p /target/etc/dpkg/dpkg.cfg.d /target/etc/initramfs-tools/conf.d /target/etc/kernel-img.d
# A test's disk need not survive a power cut while it is made, nor teach anybody to read.
cat >/target/etc/dpkg/dpkg.cfg.d/installer <<'CONF'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
CONF
debootstrap --variant=minbase \
    --include=systemd-sysv,udev,openssh-server,sudo,ca-certificates,linux-image-cloud-amd64 \
    "$suite" /target "$mirror"

echo "installer: settings"
echo 'LABEL=root / ext4 defaults,noatime 0 1' >/target/etc/fstab
echo installed >/target/etc/hostname
echo '127.0.0.1 localhost installed' >/target/etc/hosts
mkdir -p /target/etc/systemd/network
printf '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n' >/target/etc/systemd/network/80-dhcp.network
# QEMU's user network answers names here, in every machine that is made from the box too.
echo 'nameserver 10.0.2.3' >/target/etc/resolv.conf
chroot /target systemctl enable systemd-networkd ssh >/dev/null 2>&1
chroot /target useradd -m -s /bin/bash vagrant
echo 'vagrant:vagrant' | chroot /target chpasswd
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >/target/etc/sudoers.d/vagrant
chmod 440 /target/etc/sudoers.d/vagrant
rm -f /target/var/cache/apt/archives/*.deb /target/etc/dpkg/dpkg.cfg.d/installer

echo "installer: boot loader"
mkdir -p /target/boot/extlinux
extlinux --install /target/boot/extlinux
cp /usr/lib/syslinux/modules/bios/*.c32 /target/boot/extlinux/ 2>/dev/null || true
cat >/target/boot/extlinux/extlinux.conf <<CONF
default linux
prompt 0
label linux
  kernel /vmlinuz
  append initrd=/initrd.img root=LABEL=root ro net.ifnames=0 no_timer_check console=ttyS0,115200n8 console=tty0
CONF
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$disk" bs=440 count=1 conv=notrunc 2>/dev/null
umount /target
echo "installer: done"
