"""Tasks of the host: work that goes on when the client that asked is gone, one at a time for each machine."""
import os
import time

import state
from reply import Refusal

# So many finished tasks of a machine stay in its list.
KEPT = 8


def run(vmid, operation, work, wait=True, delay=0.0):
    """Does `work` in a process of its own; its refusal is raised here if it is waited for."""
    with state.locked() as known:
        vm = known["vms"][vmid]
        if vm.get("busy") and known["tasks"][vm["busy"]]["state"] == "running":
            raise Refusal("TaskInProgress", "The operation is not allowed in the current state: another task is in progress.")
        name = f"haTask-{vmid}-vim.VirtualMachine.{operation}-{known['next_task']}"
        known["next_task"] += 1
        known["tasks"][name] = {"vm": vmid, "operation": operation, "state": "running"}
        vm["busy"] = name
        for old in [n for n, t in known["tasks"].items() if t["vm"] == vmid][:-KEPT]:
            del known["tasks"][old]
    worker = os.fork()
    if worker == 0:
        _work(name, vmid, work, delay)
    if not wait:
        return
    os.waitpid(worker, 0)
    done = state.read()["tasks"].get(name, {})
    if done.get("error"):
        raise Refusal(*done["error"])


def _work(name, vmid, work, delay):
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    error = None
    try:
        time.sleep(delay)
        work()
    except Refusal as refusal:
        error = [refusal.kind, refusal.message, refusal.origin]
    except Exception as failure:  # Whatever it was must end in the task, not in a process that nobody watches.
        error = ["GenericVmConfigFault", f"esxi lab: {type(failure).__name__}: {failure}", "guess"]
    with state.locked() as known:
        known["tasks"].setdefault(name, {"vm": vmid}).update(state="error" if error else "success", error=error)
        if vmid in known["vms"]:
            known["vms"][vmid].pop("busy", None)
    os._exit(0)
