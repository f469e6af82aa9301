"""Machines: a registered VMX becomes a QEMU process with the uploaded disks, at an address of its own.

What an ESXi would refuse is refused before QEMU starts. QEMU runs below a keeper process that outlives the tool, writes what QEMU says to
`vmware.log`, and puts the state right when QEMU ends.
"""
import json
import os
import re
import shlex
import socket
import subprocess
import time
import zlib

import accel
import paths
import state
import vmdk
from qmp import Monitor
from reply import Refusal
from vmx import Vmx

QEMU = "/usr/bin/qemu-system-x86_64"
CONTROLLERS = {"pvscsi": "pvscsi", "lsilogic": "lsi53c895a", "lsisas1068": "mptsas1068"}
CARDS = {"vmxnet3": "vmxnet3", "e1000": "e1000", "e1000e": "e1000e", "": "e1000"}
# Ports of a guest that its address answers on; on a real network all would.
GUEST_PORTS = [80, 8080]
NEWEST_HARDWARE = {"6.7": 14, "8.0": 21, "no-sftp": 21}


def monitor_path(vmid):
    return f"{paths.RUN}/{vmid}.qmp"


def monitor(vmid):
    return Monitor(monitor_path(vmid))


def memory(vmx):
    return int(vmx.get("memSize", "256"))


def free(path):
    space = os.statvfs(path)
    return space.f_bavail * space.f_frsize


def refuse(message, origin="log"):
    raise Refusal("GenericVmConfigFault", message, origin)


def check(vmx):
    """What keeps a host from powering it on."""
    hardware = int(re.sub(r"\D", "", vmx.get("virtualHW.version", "4")) or 4)
    if hardware > NEWEST_HARDWARE[paths.plan()["profile"]]:
        refuse(f"Virtual machine hardware version {hardware} is not supported by this host.", "guess")
    if memory(vmx) % 4:
        refuse(f"Invalid memory size: {memory(vmx)} is not a multiple of 4.", "guess")
    for node, path in vmx.disks():
        number = {"sparse": 7, "split": 2, "stream": 7}.get(_kind(node, path))
        if number:
            refuse(f"Unsupported or invalid disk type {number} for '{node}'. Ensure that the disk has been imported.")
    if free(vmx.folder) < memory(vmx) << 20:
        refuse("Could not power on virtual machine: No space left on device. Failed to extend swap file from 0 KB to "
               f"{memory(vmx) << 10} KB.", "guess")
    if os.path.isdir(vmx.path + ".lck") or os.path.isfile(vmx.path + ".lck"):
        refuse(f"Failed to lock the file: unable to access file {vmx.path} since it is locked")


def _kind(node, path):
    try:
        return vmdk.chain(path)[0].kind
    except Refusal as refusal:
        refuse(f"File {path} was not found or cannot be opened for '{node}': {refusal.message}", "guess")


def complete(vmx):
    """What a host writes into a VMX at the first power on."""
    seed = zlib.crc32(vmx.path.encode()) & 0xFFFFFF
    for nic in vmx.nics():
        if not vmx.mac(nic):
            vmx.set(f"ethernet{nic}.generatedAddress", "00:0c:29:" + ":".join(f"{(seed + nic) >> s & 255:02x}" for s in (16, 8, 0)))
        if not vmx.get(f"ethernet{nic}.pciSlotNumber"):
            vmx.set(f"ethernet{nic}.pciSlotNumber", str(160 + 32 * nic))
    if not vmx.get("uuid.bios"):
        digits = os.urandom(16).hex()
        pairs = [digits[i:i + 2] for i in range(0, 32, 2)]
        pairs[:2] = ["56", "4d"]
        vmx.set("uuid.bios", " ".join(pairs[:8]) + "-" + " ".join(pairs[8:]))
    vmx.set("sched.swap.derivedName", vmx.path[:-4] + ".vswp")
    vmx.write()


def blocks(vmx, serving):
    """Options of the disks; `serving` collects the chains' node names by disk."""
    words, controllers = [], set()
    for index, (node, path) in enumerate(vmx.disks()):
        bus, number, slot = re.fullmatch(r"([a-z]+)(\d+):(\d+)", node).groups()
        below = None
        chain = vmdk.chain(path)
        serving[path] = []
        for depth, disk in reversed(list(enumerate(chain))):
            name = f"d{index}-{depth}-{os.urandom(3).hex()}"
            words += ["-blockdev", json.dumps(vmdk.node(disk, below, name, read_only=depth > 0))]
            serving[path].insert(0, [disk.path, name])
            below = name
        words += _controller(vmx, bus, number, controllers)
        words += ["-device", _drive(bus, number, slot, below) + f",id=disk{index}" + (",bootindex=1" if index == 0 else "")]
    for index, node in enumerate(n for n in vmx.nodes() if vmx.is_cd(n)):
        path = vmx.resolve(vmx.get(f"{node}.fileName"))
        bus, number, slot = re.fullmatch(r"([a-z]+)(\d+):(\d+)", node).groups()
        if os.path.isfile(path) and vmx.get(f"{node}.startConnected", "TRUE").upper() == "TRUE":
            disc = {"driver": "raw", "read-only": True, "node-name": f"cd{index}", "file": {"driver": "file", "filename": path}}
            words += _controller(vmx, bus, number, controllers)
            words += ["-blockdev", json.dumps(disc), "-device", _drive(bus, number, slot, f"cd{index}", "cd") + f",bootindex={5 + index}"]
    return words


def _controller(vmx, bus, number, made):
    name = f"{bus}{number}"
    if bus not in ("scsi", "sata") or name in made:
        return []
    made.add(name)
    if bus == "sata":
        return ["-device", f"ahci,id={name}"]
    kind = (vmx.get(f"{name}.virtualDev") or "lsilogic").lower()
    if kind not in CONTROLLERS:
        refuse(f"The controller {kind} of {name} is not supported for this machine.", "guess")
    return ["-device", f"{CONTROLLERS[kind]},id={name}"]


def _drive(bus, number, slot, node, kind="hd"):
    if bus == "nvme":
        return f"nvme,serial={bus}{number}-{slot},drive={node}"
    if bus == "scsi":
        return f"scsi-{kind},bus={bus}{number}.0,scsi-id={slot},drive={node}"
    # An IDE disk hangs on the board's PIIX, as on the 440BX of the real thing; a SATA one on a controller of its own.
    where = f"bus=ide.{number},unit={slot}" if bus == "ide" else f"bus={bus}{number}.{slot}"
    return f"ide-{kind},{where},drive={node}"


def networks(vmx, address, groups):
    """Options of the network cards. Only the first card whose port group exists is reached at the machine's address."""
    words, reached = [], False
    for nic in vmx.nics():
        group = vmx.get(f"ethernet{nic}.networkName")
        kind = CARDS.get((vmx.get(f"ethernet{nic}.virtualDev") or "").lower())
        if not kind:
            refuse(f"The network adapter {vmx.get(f'ethernet{nic}.virtualDev')} is not supported.", "guess")
        options = f"user,id=net{nic},net=10.0.{2 + nic}.0/24"
        if group in groups and not reached:
            reached = True
            port = paths.plan()["port"]
            options += "".join(f",hostfwd=tcp:{address}:{p}-:{22 if p == port else p}" for p in [port, *GUEST_PORTS])
        elif group not in groups:
            options += ",restrict=on"
        words += ["-netdev", options, "-device", f"{kind},netdev=net{nic},mac={vmx.mac(nic)}"]
    return words


def firmware(vmx):
    if (vmx.get("firmware") or "bios").lower() != "efi":
        return []
    code, store = "/usr/share/OVMF/OVMF_CODE_4M.fd", vmx.resolve(vmx.get("nvram") or "efi.nvram")
    if not os.path.exists(code):
        refuse("esxi lab: firmware = efi needs the package ovmf", "guess")
    if not os.path.exists(store) or os.path.getsize(store) != os.path.getsize("/usr/share/OVMF/OVMF_VARS_4M.fd"):
        with open("/usr/share/OVMF/OVMF_VARS_4M.fd", "rb") as template, open(store, "wb") as file:
            file.write(template.read())
    # JSON would do for -blockdev only; -drive wants its commas doubled.
    return ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}",
            "-drive", f"if=pflash,unit=1,format=raw,file={store.replace(',', ',,')}"]


def command(vmid, vmx, address, groups, incoming, serving):
    words = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", *accel.words(paths.plan()["accel"]),
             "-smp", vmx.get("numvcpus", "1"), "-m", f"{memory(vmx)}M", "-device", "VGA", "-rtc", "base=utc",
             "-qmp", f"unix:{monitor_path(vmid)},server=on,wait=off"]
    words += blocks(vmx, serving) + networks(vmx, address, groups) + firmware(vmx)
    serial = vmx.get("serial0.fileName") if vmx.true("serial0.present") and vmx.get("serial0.fileType") == "file" else None
    words += ["-serial", f"file:{vmx.resolve(serial)}"] if serial else ["-serial", "null"]
    if incoming:
        words += ["-incoming", f"exec:cat {shlex.quote(incoming)}"]
    return words


def start(vmid, incoming=None):
    """Starts QEMU for the registered machine; returns when it runs."""
    with state.locked() as known:
        vm = known["vms"][vmid]
        groups = {g["Name"] for g in known["port_groups"]} - {"Management Network"}
        vm["address"] = vm.get("address") or free_address(known)
        address = vm["address"]
    vmx = Vmx.read(vm["path"])
    check(vmx)
    complete(vmx)
    serving = {}
    words = command(vmid, vmx, address, groups, incoming, serving)
    lock = vmx.path + ".lck"
    open(lock, "w").close()
    vswp = vmx.path[:-4] + ".vswp"
    with open(vswp, "w") as file:
        file.truncate(memory(vmx) << 20)
    if os.path.exists(monitor_path(vmid)):
        os.unlink(monitor_path(vmid))
    keeper = keep(vmid, words, vmx, [lock, vswp])
    try:
        talk = opened(vmid, keeper)
        if incoming:
            talk.wait_incoming()
            talk.run("cont")
    except (RuntimeError, OSError) as error:
        refuse(f"Module 'MonitorLoop' power on failed: {error}", "guess")
    with state.locked() as known:
        known["vms"][vmid].update(power="on", since=time.time(), serving=serving, answered=False)


def free_address(known):
    net, taken = paths.plan()["net"], {vm.get("address") for vm in known["vms"].values()}
    return next(f"{net}.{n}" for n in range(11, 250) if f"{net}.{n}" not in taken)


def opened(vmid, keeper):
    """The monitor, once QEMU has opened all it needs."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            return Monitor(monitor_path(vmid))
        except (FileNotFoundError, ConnectionRefusedError):
            if os.waitpid(keeper, os.WNOHANG)[0]:
                raise RuntimeError("QEMU ended at once; vmware.log says why") from None
            time.sleep(0.05)
    raise RuntimeError("QEMU opens no monitor")


def keep(vmid, words, vmx, belongings):
    """Forks the keeper: runs QEMU to its end, then sets the state right. Locks go a moment after the machine, as on a host."""
    keeper = os.fork()
    if keeper:
        return keeper
    os.setsid()
    with open(f"{vmx.folder}/vmware.log", "a") as log:
        log.write(" ".join(shlex.quote(w) for w in words) + "\n")
        log.flush()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    process.wait()
    with state.locked() as known:
        vm = known["vms"].get(vmid)
        if vm and vm["power"] == "on":
            vm["power"] = "suspended" if vm.pop("suspending", False) else "off"
    time.sleep(0.5)
    for path in belongings:
        if os.path.exists(path):
            os.unlink(path)
    os._exit(0)


def stop(vmid):
    """Ends QEMU at once and waits for its end."""
    try:
        monitor(vmid).run("quit")
    except (RuntimeError, OSError):
        pass
    end = time.monotonic() + 30
    while state.read()["vms"].get(vmid, {}).get("power") == "on" and time.monotonic() < end:
        time.sleep(0.05)


def wait_for_lock(vmx, limit=30):
    """Until the lock of a machine that has just ended is gone."""
    end = time.monotonic() + limit
    while os.path.exists(vmx.path + ".lck") and time.monotonic() < end:
        time.sleep(0.05)


def answers(address, port, patience=2.0):
    """Whether an SSH server greets there: only then does the guest count as up."""
    try:
        with socket.create_connection((address, port), timeout=patience) as place:
            return place.recv(4) == b"SSH-"
    except OSError:
        return False
