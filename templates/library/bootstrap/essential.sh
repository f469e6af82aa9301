# Runs on the host's side of a new root file system, before the kernel is installed. $1: the root file system.
# Variables of the build stand above this line.
set -eu
root=$1

mkdir -p "$root/etc/initramfs-tools/conf.d"
printf '%s\n' MODULES=list COMPRESS=zstd > "$root/etc/initramfs-tools/conf.d/kiste"
printf '%s\n' virtio_pci virtio_blk virtio_scsi sd_mod ata_piix ahci nvme > "$root/etc/initramfs-tools/modules"
