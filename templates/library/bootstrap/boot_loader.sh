# Runs as root in the guest: extlinux into /boot, its boot code into the first sector of the disk.
set -eu
device=$(findmnt -n -o SOURCE /)
disk=$(basename "$(readlink -f "/sys/class/block/$(basename "$device")/..")")
extlinux --install /boot/extlinux
dd if=/usr/lib/EXTLINUX/mbr.bin of="/dev/$disk" bs=440 count=1 conv=notrunc,fsync status=none
sync
