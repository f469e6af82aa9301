"""Power of machines: on, off, shutdown, suspend, and the questions they ask."""
import os
import shlex
import time

import faults
import machines
import paths
import state
import tasks
from reply import Refusal
from vmx import Vmx


def vmss(vmx):
    return vmx.path[:-4] + ".vmss"


def on(vmid, question=None):
    power = state.read()["vms"][vmid]["power"]
    if power == "on":
        raise Refusal("InvalidPowerState", "The attempted operation cannot be performed in the current state (Powered on).")
    tasks.run(vmid, "powerOn", lambda: _on(vmid, question))


def _on(vmid, question):
    vm = state.read()["vms"][vmid]
    vmx = Vmx.read(vm["path"])
    if question and answer(vmid, ask(vmid, question)) == 0:
        raise Refusal("GenericVmConfigFault", "The operation was cancelled by the answer to the question.", "guess")
    if vm["power"] == "suspended":
        machines.start(vmid, incoming=vmx.resolve(vmx.get("checkpoint.vmState") or vmss(vmx)))
        vmx = Vmx.read(vm["path"])
        os.unlink(vmx.resolve(vmx.get("checkpoint.vmState") or vmss(vmx)))
        vmx.drop("checkpoint.vmState")
        vmx.write()
    else:
        machines.start(vmid)


def ask(vmid, question):
    with state.locked() as known:
        vm = known["vms"][vmid]
        number = vm.get("questions", 0)
        vm["questions"] = number + 1
        vm["question"] = {"number": number, "text": question["text"], "choices": question["choices"]}
    return number


def answer(vmid, number):
    """The choice that somebody makes with `vmsvc/message`; waits for it without end, as the host does."""
    while True:
        vm = state.read()["vms"].get(vmid)
        if vm is None:
            raise Refusal("ManagedObjectNotFound", "The object has already been deleted or has not been completely created")
        if str(number) in vm.get("answers", {}):
            return vm["answers"][str(number)]
        time.sleep(0.1)


def off(vmid):
    power = state.read()["vms"][vmid]["power"]
    if power == "off":
        raise Refusal("InvalidPowerState", "The attempted operation cannot be performed in the current state (Powered off).")
    tasks.run(vmid, "powerOff", lambda: _off(vmid))


def _off(vmid):
    vm = state.read()["vms"][vmid]
    if vm["power"] == "on":
        machines.stop(vmid)
        return
    vmx = Vmx.read(vm["path"])
    for path in [vmss(vmx)]:
        if os.path.exists(path):
            os.unlink(path)
    vmx.drop("checkpoint.vmState")
    vmx.write()
    with state.locked() as known:
        known["vms"][vmid]["power"] = "off"


def tools(vmid):
    """Whether the tools of the machine run: it is on, meant to have tools, and its guest really answers."""
    known = state.read()
    vm = known["vms"][vmid]
    if vm["power"] != "on" or not vm.get("address"):
        return False
    flags = faults.guest(vm["path"], Vmx.read(vm["path"]).get("displayName", ""))
    return flags.get("tools", True) and answered(vmid)


def answered(vmid):
    vm = state.read()["vms"][vmid]
    if vm.get("answered"):
        return True
    if not machines.answers(vm["address"], paths.plan()["port"]):
        return False
    with state.locked() as known:
        known["vms"][vmid]["answered"] = True
    return True


def shutdown(vmid):
    if not tools(vmid):
        raise Refusal("ToolsUnavailable", "Cannot complete operation because VMware Tools is not running in this virtual machine.")
    vm = state.read()["vms"][vmid]
    if not faults.guest(vm["path"], Vmx.read(vm["path"]).get("displayName", "")).get("ignores_shutdown"):
        machines.monitor(vmid).run("system_powerdown")


def reset(vmid):
    if state.read()["vms"][vmid]["power"] != "on":
        raise Refusal("InvalidPowerState", "The attempted operation cannot be performed in the current state (Powered off).")
    machines.monitor(vmid).run("system_reset")
    with state.locked() as known:
        known["vms"][vmid]["answered"] = False


def suspend(vmid):
    if state.read()["vms"][vmid]["power"] != "on":
        raise Refusal("InvalidPowerState", "The attempted operation cannot be performed in the current state (Powered off).")
    tasks.run(vmid, "suspend", lambda: _suspend(vmid))


def _suspend(vmid):
    vmx = Vmx.read(state.read()["vms"][vmid]["path"])
    # The swap file's room is free again when the machine is down, but a host asks for it before.
    if machines.free(vmx.folder) < machines.memory(vmx) << 20:
        raise Refusal("GenericVmConfigFault", "There is not enough space on the file system for the selected operation.", "guess")
    save(machines.monitor(vmid), vmss(vmx))
    vmx.set("checkpoint.vmState", os.path.basename(vmss(vmx)))
    vmx.write()
    with state.locked() as known:
        known["vms"][vmid]["suspending"] = True
    machines.stop(vmid)
    machines.wait_for_lock(vmx)


def save(talk, path):
    """Stops the machine and writes its memory there; it runs on if that fails."""
    talk.run("stop")
    try:
        talk.migrate(f"exec:cat > {shlex.quote(path)}")
    except RuntimeError:
        talk.run("cont")
        if os.path.exists(path):
            os.unlink(path)
        raise
