"""Snapshots: a tree kept in the VMSD beside the VMX, a frozen disk for each, memory if asked for."""
import json
import os
import re
import subprocess
import time

import machines
import power
import state
import tasks
import vmdk
from reply import Refusal
from vmx import Vmx

# Seconds that making one takes longer than the command that asks for it.
LATER = 0.5


class Tree:
    """The snapshots of a machine by id, and which of them is current (0: none)."""

    def __init__(self, vmx):
        self.file = Vmx(vmx.path[:-4] + ".vmsd")
        if os.path.exists(self.file.path):
            self.file = Vmx.read(self.file.path)
        self.current, self.last = int(self.file.get("snapshot.current", 0)), int(self.file.get("snapshot.lastUID", 0))
        self.all = {}
        for number in range(int(self.file.get("snapshot.numSnapshots", 0))):
            entry = json.loads(bytes.fromhex(self.file.get(f"snapshot{number}.lab")).decode())
            self.all[entry["id"]] = entry

    def save(self):
        file = Vmx(self.file.path)
        for key, value in [(".encoding", "UTF-8"), ("snapshot.lastUID", self.last), ("snapshot.current", self.current),
                           ("snapshot.numSnapshots", len(self.all))]:
            file.set(key, value)
        for number, entry in enumerate(self.all.values()):
            file.set(f"snapshot{number}.uid", entry["id"])
            file.set(f"snapshot{number}.displayName", entry["name"])
            file.set(f"snapshot{number}.parent", entry["parent"])
            # All of it, for this model to read back.
            file.set(f"snapshot{number}.lab", json.dumps(entry).encode().hex())
        file.write()

    def children(self, parent):
        return [e for e in self.all.values() if e["parent"] == parent]

    def get(self, number):
        if number not in self.all:
            raise Refusal("NotFound", "The object or item referred to could not be found.")
        return self.all[number]


def text(vmx):
    """The tree as `snapshot.get` prints it."""
    tree, lines = Tree(vmx), []

    def show(entry, depth):
        dashes = "--" * depth
        lines.append(f"{dashes}|-ROOT" if entry["parent"] == 0 and depth == 0 else f"{dashes}|-CHILD")
        inner = dashes + "--"
        lines.extend([f"{inner}Snapshot Name        : {entry['name']}", f"{inner}Snapshot Id        : {entry['id']}",
                      f"{inner}Snapshot Desciption  : {entry['description']}", f"{inner}Snapshot Created On  : {entry['created']}",
                      f"{inner}Snapshot State       : {'powered on' if entry['memory'] else 'powered off'}"])
        for child in tree.children(entry["id"]):
            show(child, depth + 1)

    for root in tree.children(0):
        show(root, 0)
    return "\n".join(lines) + "\n" if lines else ""


def numbered(path):
    """The next free name of a delta beside that disk's base: `x-000001.vmdk`."""
    base = re.sub(r"-\d{6}$", "", vmdk.stem(path))
    return next(f"{base}-{n:06}.vmdk" for n in range(1, 999) if not os.path.exists(f"{base}-{n:06}.vmdk"))


def delta_place(vmx, disk):
    """Where a new delta of this disk goes."""
    if not vmx.true("snapshot.redoNotWithParent"):
        return numbered(disk)
    folder = vmx.resolve(vmx.get("workingDir") or ".")
    return numbered(os.path.join(os.path.normpath(folder), os.path.basename(disk)))


def create(vmid, name, description, memory):
    vm = state.read()["vms"][vmid]
    vmx = Vmx.read(vm["path"])
    live = memory and vm["power"] == "on"
    if live and machines.free(vmx.folder) < machines.memory(vmx) << 20:
        raise Refusal("GenericVmConfigFault", "There is not enough space on the file system for the selected operation.", "guess")
    tasks.run(vmid, "createSnapshot", lambda: _create(vmid, name, description, live), wait=False, delay=LATER)


def _create(vmid, name, description, live):
    vm = state.read()["vms"][vmid]
    vmx = Vmx.read(vm["path"])
    tree = Tree(vmx)
    number = tree.last + 1
    entry = {"id": number, "name": name, "description": description, "parent": tree.current, "disks": dict(vmx.disks()),
             "created": time.strftime("%m/%d/%Y %H:%M:%S"), "memory": None, "suspended": vm["power"] == "suspended"}
    if live:
        entry["memory"] = f"{vmx.path[:-4]}-Snapshot{number}.vmsn"
        power.save(machines.monitor(vmid), entry["memory"])
    _freeze(vmid, vmx, vm)
    if live:
        machines.monitor(vmid).run("cont")
    tree.all[number], tree.current, tree.last = entry, number, number
    tree.save()


def _freeze(vmid, vmx, vm):
    """Gives each disk a new delta, under a running machine too."""
    for node, path in vmx.disks():
        place = delta_place(vmx, path)
        vmdk.write_delta(place, vmdk.read(path))
        if vm["power"] == "on":
            talk = machines.monitor(vmid)
            name = f"s-{os.urandom(4).hex()}"
            talk.run("blockdev-add", **vmdk.node(vmdk.read(place), None, name))
            talk.run("blockdev-snapshot", node=vm["serving"][path][0][1], overlay=name)
            with state.locked() as known:
                serving = known["vms"][vmid]["serving"]
                serving[place] = [[place, name], *serving.pop(path)]
        vmx.set(f"{node}.fileName", os.path.relpath(place, vmx.folder) if os.path.dirname(place) == vmx.folder else place)
    vmx.write()


def revert(vmid, number, suppress):
    vm = state.read()["vms"][vmid]
    Tree(Vmx.read(vm["path"])).get(number)
    tasks.run(vmid, "revertToSnapshot", lambda: _revert(vmid, number, suppress))


def _revert(vmid, number, suppress):
    if state.read()["vms"][vmid]["power"] == "on":
        machines.stop(vmid)
        machines.wait_for_lock(Vmx.read(state.read()["vms"][vmid]["path"]))
    vmx = Vmx.read(state.read()["vms"][vmid]["path"])
    tree = Tree(vmx)
    entry = tree.get(number)
    frozen = {path for e in tree.all.values() for path in e["disks"].values()}
    for node, path in vmx.disks():
        if path not in frozen and vmdk.read(path).delta:
            vmdk.delete(path)
        wanted = entry["disks"].get(node)
        if wanted:
            place = delta_place(vmx, wanted)
            vmdk.write_delta(place, vmdk.read(wanted))
            vmx.set(f"{node}.fileName", os.path.relpath(place, vmx.folder) if os.path.dirname(place) == vmx.folder else place)
    vmx.drop("checkpoint.vmState")
    vmx.write()
    tree.current = number
    tree.save()
    with state.locked() as known:
        known["vms"][vmid]["power"] = "off"
    if entry["memory"] and not suppress:
        machines.start(vmid, incoming=entry["memory"])


def remove(vmid, number, with_children):
    vm = state.read()["vms"][vmid]
    Tree(Vmx.read(vm["path"])).get(number)
    tasks.run(vmid, "removeSnapshot", lambda: _remove(vmid, number, with_children))


def remove_all(vmid):
    def work():
        while all_ids := list(Tree(Vmx.read(state.read()["vms"][vmid]["path"])).all):
            _remove(vmid, all_ids[-1], False)
    tasks.run(vmid, "removeAllSnapshots", work)


def _remove(vmid, number, with_children):
    tree = Tree(Vmx.read(state.read()["vms"][vmid]["path"]))
    if with_children:
        for child in tree.children(number):
            _remove(vmid, child["id"], True)
    vmx = Vmx.read(state.read()["vms"][vmid]["path"])
    tree = Tree(vmx)
    entry = tree.all.pop(number)
    for child in tree.children(number):
        child["parent"] = entry["parent"]
    if tree.current == number:
        tree.current = entry["parent"]
    if entry["memory"] and os.path.exists(entry["memory"]):
        os.unlink(entry["memory"])
    for frozen in entry["disks"].values():
        _merge(vmid, vmx, tree, frozen)
    vmx.write()
    tree.save()


def _merge(vmid, vmx, tree, frozen):
    """Folds the one delta above `frozen` into it; with none or several, or where another snapshot needs it, it stays."""
    users = {path for e in tree.all.values() for path in e["disks"].values()}
    leaves = [path for _, path in vmx.disks()]
    known = users | set(leaves)
    above = [p for p in known if p != frozen and vmdk.read(p).delta and os.path.realpath(vmdk.read(p).parent) == os.path.realpath(frozen)]
    if frozen in users or len(above) != 1 or os.path.dirname(frozen) != vmx.folder:
        return
    child = above[0]
    vm = state.read()["vms"][vmid]
    if vm["power"] == "on":
        _commit_live(vmid, vm, child, frozen)
    else:
        subprocess.run([vmdk.IMG, "commit", "-q", "json:" + json.dumps(vmdk.whole(child))], check=True)
    for path in known - {child}:
        if path != frozen and vmdk.read(path).delta and os.path.realpath(vmdk.read(path).parent) == os.path.realpath(child):
            vmdk.adopt(path, frozen)
    for entry in tree.all.values():
        entry["disks"] = {node: frozen if path == child else path for node, path in entry["disks"].items()}
    for node, path in vmx.disks():
        if path == child:
            vmx.set(f"{node}.fileName", os.path.relpath(frozen, vmx.folder))
    vmdk.delete(child)


def _commit_live(vmid, vm, child, frozen):
    talk = machines.monitor(vmid)
    leaf, chain = next((leaf, chain) for leaf, chain in vm["serving"].items() if any(path == child for path, _ in chain))
    names = dict(chain)
    talk.run("block-commit", **{"job-id": "merge", "device": chain[0][1], "top-node": names[child], "base-node": names[frozen],
                                "auto-dismiss": False})
    talk.job("merge")
    rest = [pair for pair in chain if pair[0] != child]
    with state.locked() as known:
        serving = known["vms"][vmid]["serving"]
        del serving[leaf]
        serving[rest[0][0]] = rest
