"""The inventory: registering machines, forgetting them, destroying them with their files."""
import os
import re

import paths
import state
import tasks
import vmdk
from reply import Refusal
from vmx import Vmx

# Seconds that destroying takes longer than the command that asks for it.
LATER = 0.7
# What belongs to a machine besides its disks; anything else in its folder stays, and so does then the folder.
OWN = re.compile(r"(\.vmx|\.vmxf|\.vmsd|\.nvram|\.vswp|\.vmss|\.vmsn|\.hlog|vmware(-\d+)?\.log)$")


def shown(path):
    """A path as the API names it: `[datastore] folder/file`."""
    volume, rest = path.removeprefix(paths.VOLUMES + "/").split("/", 1)
    names = {v: n for n, v in paths.plan()["volumes"].items()}
    return f"[{names.get(volume, volume)}] {rest}"


def meant(path):
    """The file that a word of the command line means, its datastore resolved to the UUID."""
    match = re.fullmatch(r"\[([^\]]+)\] ?(.+)", path)
    if match:
        path = f"{paths.VOLUMES}/{match[1]}/{match[2]}"
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def register(path, name=None):
    path = meant(path)
    if not os.path.isfile(path) or not path.endswith(".vmx"):
        raise Refusal("NotFound", "The object or item referred to could not be found.")
    with state.locked() as known:
        for vmid, vm in known["vms"].items():
            if vm["path"] == path:
                raise Refusal("AlreadyExists", f"The specified key, name, or identifier '{vmid}' already exists.")
        vmx = Vmx.read(path)
        if not vmx.get("config.version"):
            raise Refusal("InvalidVmConfig", "The virtual machine configuration is invalid", "guess")
        if name:
            vmx.set("displayName", name)
            vmx.write()
        vmid = str(known["next_vmid"])
        known["next_vmid"] += 1
        suspended = vmx.get("checkpoint.vmState") and os.path.exists(vmx.resolve(vmx.get("checkpoint.vmState")))
        known["vms"][vmid] = {"path": path, "power": "suspended" if suspended else "off"}
    return vmid


def reload(vm):
    if not os.path.isfile(vm["path"]):
        raise Refusal("NotFound", "The object or item referred to could not be found.")
    Vmx.read(vm["path"])


def must_be_off(vm):
    if vm["power"] == "on":
        raise Refusal("InvalidPowerState", "The attempted operation cannot be performed in the current state (Powered on).")


def unregister(vmid, vm):
    must_be_off(vm)
    with state.locked() as known:
        del known["vms"][vmid]


def destroy(vmid, vm):
    """Deletes the disks too, and with them every parent that a chain names: what a linked clone shares is lost."""
    if not os.path.isfile(vm["path"]):
        raise Refusal("NotFound", "The object or item referred to could not be found.")
    must_be_off(vm)
    tasks.run(vmid, "destroy", lambda: _destroy(vmid, vm), wait=False, delay=LATER)


def _destroy(vmid, vm):
    vmx = Vmx.read(vm["path"])
    with state.locked() as known:
        del known["vms"][vmid]
    wanted = [path for _, path in vmx.disks()]
    wanted += [os.path.join(vmx.folder, n) for n in os.listdir(vmx.folder) if re.search(r"-\d{6}\.vmdk$", n)]
    for path in wanted:
        try:
            chain = vmdk.chain(path)
        except Refusal:
            continue
        for disk in chain:
            vmdk.delete(disk.path)
    for name in os.listdir(vmx.folder):
        if OWN.search(name):
            os.unlink(os.path.join(vmx.folder, name))
    if not os.listdir(vmx.folder):
        os.rmdir(vmx.folder)


def add_disk(vm, path, controller, slot):
    """Only while the machine is off; slot 7 is the controller's own."""
    must_be_off(vm)
    if slot == "7":
        raise Refusal("InvalidArgument", "A specified parameter was not correct: unitNumber", "guess")
    vmdk.read(meant(path))
    vmx = Vmx.read(vm["path"])
    node = f"scsi{controller}:{slot}"
    vmx.set(f"{node}.present", "TRUE")
    vmx.set(f"{node}.fileName", meant(path))
    vmx.set(f"{node}.deviceType", "scsi-hardDisk")
    vmx.write()
