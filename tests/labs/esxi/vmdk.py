"""Disks of a datastore: descriptors in ESX form, the files they name, and chains of deltas.

A base disk is a descriptor and a `-flat` file of raw bytes. A delta is a descriptor that names its parent, and a file that is a qcow2 image
under the delta's name; who is whose parent is read from the descriptors alone, so that a wrong one breaks the machine as it would there.
"""
import os
import re
import secrets
import struct
import subprocess

from reply import Refusal

IMG = "/usr/bin/qemu-img"
SECTOR = 512
# Bytes of a descriptor: anything longer is no descriptor.
LONGEST = 64 << 10


class Disk:
    def __init__(self, path, kind, size=0, extent=None, parent=None, entries=None):
        self.path, self.kind, self.size, self.extent, self.parent, self.entries = path, kind, size, extent, parent, entries or {}

    @property
    def delta(self):
        return self.kind == "delta"


def not_a_disk(path):
    return Refusal("DiskLib", f"DiskLib_Check() failed for source disk The file specified is not a virtual disk (15).\n"
                              f"Failed to open '{path}': The file specified is not a virtual disk (15).")


def read(path):
    """What is at `path`: a disk of the datastore ("vmfs", "delta") or a hosted one ("sparse", "stream", "split")."""
    if not os.path.isfile(path):
        raise Refusal("DiskLib", f"Failed to open '{path}': The system cannot find the file specified (25).", "guess")
    with open(path, "rb") as file:
        head = file.read(LONGEST)
    if head[:4] == b"KDMV":
        flags, capacity = struct.unpack("<IQ", head[8:20])
        return Disk(path, "stream" if flags & (1 << 16) else "sparse", capacity * SECTOR)
    if not head.startswith(b"# Disk DescriptorFile") or os.path.getsize(path) > LONGEST:
        raise not_a_disk(path)
    return described(path, head.decode(errors="replace"))


def described(path, text):
    entries = dict(re.findall(r'^\s*([\w.]+)\s*=\s*"?([^"\n]*)"?\s*$', text, re.M))
    extents = re.findall(r'^RW (\d+) (\w+) "([^"]+)"', text, re.M)
    size = sum(int(sectors) for sectors, _, _ in extents) * SECTOR
    kind = entries.get("createType", "")
    if kind not in ("vmfs", "vmfsSparse", "seSparse") or len(extents) != 1:
        return Disk(path, "split", size, entries=entries)
    extent = os.path.join(os.path.dirname(path), extents[0][2])
    if not os.path.isfile(extent):
        raise Refusal("DiskLib", f"Failed to open '{path}': The system cannot find the file specified (25).", "guess")
    if kind == "vmfs":
        if os.path.getsize(extent) != size:
            raise Refusal("DiskLib", f"Failed to open '{path}': The file specified is not a virtual disk (15).", "guess")
        return Disk(path, "vmfs", size, extent, entries=entries)
    parent = os.path.join(os.path.dirname(path), entries.get("parentFileNameHint", ""))
    return Disk(path, "delta", size, extent, parent, entries)


def chain(path):
    """The disk and its parents, leaf first."""
    disks = [read(path)]
    while disks[-1].delta:
        try:
            parent = read(disks[-1].parent)
        except Refusal:
            raise Refusal("DiskLib", f"Cannot open the disk '{path}' or one of the snapshot disks it depends on. "
                                     "The parent virtual disk has been modified or is missing (18)", "guess") from None
        if parent.entries.get("CID") != disks[-1].entries.get("parentCID"):
            raise Refusal("DiskLib", f"Cannot open the disk '{path}' or one of the snapshot disks it depends on. The parent virtual disk "
                                     "has been modified since the child was created. The content ID of the parent virtual disk does not "
                                     "match the corresponding parent content ID in the child (18)")
        disks.append(parent)
    return disks


def node(disk, backing=None, name=None, read_only=False):
    """QEMU's description of it; `backing` is another description or a node's name."""
    described_by = {"driver": "qcow2" if disk.delta else "raw",
                    "file": {"driver": "file", "filename": disk.extent, "discard": "unmap"}, "discard": "unmap"}
    if disk.delta:
        described_by["backing"] = backing
    else:
        described_by["detect-zeroes"] = "unmap" if not read_only else "off"
    if name:
        described_by["node-name"] = name
    if read_only:
        described_by["read-only"] = True
    return described_by


def whole(path):
    """QEMU's description of a chain as one."""
    description = None
    for disk in reversed(chain(path)):
        description = node(disk, description)
    return description


def stem(path):
    return path[:-5] if path.endswith(".vmdk") else path


def write_base(path, size, adapter="lsilogic", thin=True):
    sectors = size // SECTOR
    ddb = ['ddb.thinProvisioned = "1"'] if thin else []
    ddb += [f'ddb.adapterType = "{adapter}"', f'ddb.geometry.cylinders = "{sectors // (255 * 63)}"', 'ddb.geometry.heads = "255"',
            'ddb.geometry.sectors = "63"', f'ddb.longContentID = "{secrets.token_hex(16)}"', 'ddb.virtualHWVersion = "20"']
    write(path, "vmfs", f'RW {sectors} VMFS "{os.path.basename(stem(path))}-flat.vmdk"', ddb)


def write_delta(path, parent):
    """A delta over `parent` (a Disk), as VMFS-6 has them."""
    name = f"{os.path.basename(stem(path))}-sesparse.vmdk"
    hint = os.path.basename(parent.path) if os.path.dirname(parent.path) == os.path.dirname(path) else parent.path
    subprocess.run([IMG, "create", "-q", "-f", "qcow2", os.path.join(os.path.dirname(path), name), str(parent.size)], check=True)
    write(path, "seSparse", f'RW {parent.size // SECTOR} SESPARSE "{name}"', [f'ddb.longContentID = "{secrets.token_hex(16)}"'],
          f'parentCID={parent.entries["CID"]}', f'parentFileNameHint="{hint}"')


def write(path, kind, extent, ddb, parent="parentCID=ffffffff", hint=None):
    lines = ["# Disk DescriptorFile", "version=3" if kind == "seSparse" else "version=1", 'encoding="UTF-8"', f"CID={secrets.token_hex(4)}",
             parent, f'createType="{kind}"', *([hint] if hint else []), "", "# Extent description", extent, "", "# The Disk Data Base",
             "#DDB", "", *ddb]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")


def edit(path, change):
    with open(path) as file:
        text = file.read()
    with open(path + "~", "w") as file:
        file.write(change(text))
    os.rename(path + "~", path)


def adopt(child, parent):
    """Makes `parent` the parent of the delta at `child`."""
    new = read(parent)
    hint = os.path.basename(parent) if os.path.dirname(parent) == os.path.dirname(child) else parent
    edit(child, lambda text: re.sub(r"^parentCID=.*$", f"parentCID={new.entries['CID']}", re.sub(
        r'^parentFileNameHint=.*$', lambda _: f'parentFileNameHint="{hint}"', text, flags=re.M), flags=re.M))


def delete(path):
    disk = read(path)
    if disk.extent:
        os.unlink(disk.extent)
    os.unlink(path)


def thin(disk):
    return os.stat(disk.extent).st_blocks * SECTOR < disk.size
