"""Other people's machines, which must survive every run byte for byte, and the host's networks.

Their names are the awkward ones: blanks, brackets, umlauts, `.vmx ]` inside, the same name twice, an annotation of two lines, an entry
whose VMX is gone.
"""
import hashlib
import os

import paths
import state
import vmdk
from vmx import Vmx

MACHINES = [
    # id, folder, display name, annotation, guest, hardware, power
    (4, "db", "db", "", "debian11-64", "20", "off"),
    (7, "web 1", "web 1", "first line\nsecond line of the note", "ubuntu-64", "19", "on"),
    (9, "db_1", "db", "the second of this name", "debian12-64", "20", "off"),
    (12, "Prüfstand [alt].vmx ] x", "Prüfstand [alt].vmx ] x", "it's \"quoted\"", "other-64", "13", "suspended"),
]
INVALID = 16
PORT_GROUPS = [
    {"Name": "VM Network", "Virtual Switch": "vSwitch0", "Active Clients": 1, "VLAN ID": 0},
    {"Name": "Management Network", "Virtual Switch": "vSwitch0", "Active Clients": 1, "VLAN ID": 0},
    {"Name": "Lab, second floor", "Virtual Switch": "vSwitch0", "Active Clients": 0, "VLAN ID": 42},
]


def sow(plan):
    volume = list(plan["volumes"].values())[0]
    with state.locked() as known:
        known["port_groups"] = PORT_GROUPS
        known["advanced"] = {"/Net/GuestIPHack": 0}
        for vmid, folder, name, note, guest, hardware, power in MACHINES:
            path = f"{paths.VOLUMES}/{volume}/{folder}"
            os.makedirs(path)
            vmx = Vmx(f"{path}/{folder}.vmx")
            for key, value in [(".encoding", "UTF-8"), ("config.version", "8"), ("virtualHW.version", hardware), ("displayName", name),
                               ("guestOS", guest), ("annotation", note), ("memSize", "256"), ("scsi0.present", "TRUE"),
                               ("scsi0.virtualDev", "pvscsi"), ("scsi0:0.present", "TRUE"), ("scsi0:0.fileName", f"{folder}.vmdk")]:
                vmx.set(key, value)
            vmx.write()
            with open(f"{path}/{folder}-flat.vmdk", "wb") as disk:
                disk.write(os.urandom(64 << 10))
            vmdk.write_base(f"{path}/{folder}.vmdk", 64 << 10)
            known["vms"][str(vmid)] = {"path": vmx.path, "power": power, "foreign": True}
        known["vms"][str(INVALID)] = {"path": f"{paths.VOLUMES}/{volume}/gone/gone.vmx", "power": "off", "foreign": True}
        known["seeds"] = fingerprints(plan)


def fingerprints(plan):
    """Each file of the foreign machines, with its mode, time and hash."""
    volume, found = list(plan["volumes"].values())[0], {}
    for _, folder, *_ in MACHINES:
        top = f"{paths.VOLUMES}/{volume}/{folder}"
        for name in sorted(os.listdir(top)) if os.path.isdir(top) else []:
            path, stat = f"{top}/{name}", os.lstat(f"{top}/{name}")
            with open(path, "rb") as file:
                found[f"{folder}/{name}"] = [stat.st_mode, stat.st_mtime_ns, hashlib.sha256(file.read()).hexdigest()]
    return found


def changed():
    """What is no longer as it was sown."""
    known, now = state.read(), fingerprints(paths.plan())
    before = known.get("seeds", {})
    told = [name for name in sorted(set(before) | set(now)) if before.get(name, [])[:] != now.get(name, [])[:]]
    for vmid, _, name, _, _, _, power in MACHINES:
        vm = known["vms"].get(str(vmid))
        if not vm or vm["power"] != power:
            told.append(f"machine {vmid} ({name}) is {vm['power'] if vm else 'unregistered'}")
    return told + ([] if str(INVALID) in known["vms"] else [f"entry {INVALID} is unregistered"])
