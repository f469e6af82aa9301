"""Which accelerator runs the machines. That /dev/kvm opens does not mean that guests run: a tiny one is tried first."""
import os
import subprocess
import sys
import tempfile

# A boot sector: twenty million rounds of a loop, then `out 0xf4, 0x15`, on which the debug-exit device ends QEMU with 43.
PROBE = bytes.fromhex("66b9002d3101" "6649" "75fc" "b015" "e6f4" "f4")
PROBE_EXIT = 43
PATIENCE = 5


def kvm_works():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with tempfile.NamedTemporaryFile(dir="/tmp") as disk:
        disk.write(PROBE.ljust(510, b"\0") + b"\x55\xaa")
        disk.truncate(1 << 20)
        disk.flush()
        words = ["/usr/bin/qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-m", "16",
                 "-machine", "q35", "-accel", "kvm", "-cpu", "host", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                 "-blockdev", f"driver=raw,node-name=p,read-only=on,file.driver=file,file.filename={disk.name}",
                 "-device", "virtio-blk-pci,drive=p"]
        try:
            return subprocess.run(words, timeout=PATIENCE, capture_output=True, check=False).returncode == PROBE_EXIT
        except subprocess.TimeoutExpired:
            return False


def choose(asked):
    if asked == "auto":
        return "kvm" if kvm_works() else "tcg"
    if asked == "kvm" and not kvm_works():
        sys.exit("esxi lab: KVM was asked for, but no guest runs with it here")
    return asked


def words(chosen):
    """QEMU's options for it."""
    return ["-accel", "kvm", "-cpu", "host"] if chosen == "kvm" else ["-accel", "tcg,thread=multi", "-cpu", "max"]
