"""`vim-cmd`: its verbs, and how it says that something went wrong."""
import re

import inventory
import power
import snapshots
import state
import structs
import told
from reply import Refusal
from vmx import Vmx

# Verbs whose failure is one line, not a fault (6.0 and later).
PLAIN = {"vmsvc/power.on": "Power on failed", "vmsvc/power.off": "Power off failed", "vmsvc/power.suspend": "Suspend failed",
         "vmsvc/power.reset": "Reset failed"}
TITLES = {"vmsvc/power.on": "Powering on VM:", "vmsvc/power.off": "Powering off VM:", "vmsvc/power.suspend": "Suspending VM:",
          "vmsvc/power.reset": "Reset VM:"}


def digit(word):
    """The host takes a number or a word here; the words are not what they seem, so only digits are known."""
    return int(word) if re.fullmatch(r"\d+", word) else None


def run(words, reply):
    verb, rest = words[0] if words else "", words[1:]
    handler = VERBS.get(verb)
    if not handler:
        return reply.unknown("vim-cmd", words)
    if verb in TITLES:
        reply.say("log", TITLES[verb] + "\n")
    try:
        handler(rest, reply)
    except Refusal as refusal:
        if verb in PLAIN and refusal.kind not in ("NotFound", "TaskInProgress", "ManagedObjectNotFound"):
            reply.say("log", PLAIN[verb] + "\n")
        else:
            reply.say(refusal.origin, structs.fault(refusal.kind, refusal.message))
        reply.fail()
    return None


def of(vmid):
    """The registered machine of that id."""
    vm = state.read()["vms"].get(vmid)
    if not vm:
        raise Refusal("NotFound", f'Unable to find a VM corresponding to "{vmid}"')
    return vm


def power_verb(act):
    def handler(words, reply):
        of(words[0])
        act(words[0])
    return handler


def power_on(words, reply):
    of(words[0])
    question = next((r for r in reply.rules if r["do"] == "question"), None)
    power.on(words[0], question)


def getstate(words, reply):
    names = {"on": "Powered on", "off": "Powered off", "suspended": "Suspended"}
    reply.say("log", f"Retrieved runtime info\n{names[of(words[0])['power']]}\n")


def message(words, reply):
    vm = of(words[0])
    question = vm.get("question")
    if len(words) == 3:
        if not question or str(question["number"]) != words[1]:
            raise Refusal("InvalidArgument", "A specified parameter was not correct: questionId", "guess")
        with state.locked() as known:
            known["vms"][words[0]].setdefault("answers", {})[words[1]] = int(words[2])
            del known["vms"][words[0]]["question"]
    elif question:
        choices = "".join(f"   {i}. {choice}\n" for i, choice in enumerate(question["choices"]))
        reply.say("log", f"Virtual machine message {question['number']}:\n{question['text']}\n{choices}")
    else:
        reply.say("log", "No message.\n")


def tasklist(words, reply):
    of(words[0])
    names = [n for n, t in state.read()["tasks"].items() if t["vm"] == words[0]]
    lines = ",\n".join(f"   'vim.Task:{n}'" for n in names)
    reply.say("log", f"(ManagedObjectReference) [\n{lines}\n]\n" if names else "(ManagedObjectReference) []\n")


def task_info(words, reply):
    name = words[0].replace("vim.Task:", "")
    task = state.read()["tasks"].get(name)
    if not task:
        raise Refusal("ManagedObjectNotFound", "The object has already been deleted or has not been completely created")
    error = structs.Null("vmodl.MethodFault")
    if task.get("error"):
        kind, text, _ = task["error"]
        error = structs.Struct(f"vim.fault.{kind}", faultCause=structs.Null("vmodl.MethodFault"), faultMessage=structs.UNSET, msg=text)
    reply.say("log", structs.text(structs.Struct(
        "vim.TaskInfo", key=name, task=structs.Ref(f"vim.Task:{name}"), name=structs.Ref(f"vim.VirtualMachine.{task['operation']}"),
        descriptionId=f"VirtualMachine.{task['operation']}", entity=structs.Ref(f"vim.VirtualMachine:{task['vm']}"),
        state=task["state"], cancelled=False, cancelable=False, error=error, progress=structs.UNSET)))


def snapshot_create(words, reply):
    """All five words, numbers where numbers are meant: a missing word shifts the rest, as on the host."""
    of(words[0])
    name, description, memory, _quiesce = (words[1:] + ["", "", "0", "0"][len(words) - 1:])[:4]
    if digit(memory) is None:
        raise Refusal("InvalidArgument", f"A specified parameter was not correct: includeMemory ({memory})", "guess")
    reply.say("log", "Create Snapshot:\n")
    snapshots.create(words[0], name, description, digit(memory) == 1)


def snapshot_get(words, reply):
    reply.say("log", "Get Snapshot:\n" + snapshots.text(Vmx.read(of(words[0])["path"])))


def snapshot_change(title, act):
    def handler(words, reply):
        of(words[0])
        reply.say("log", f"{title}:\n")
        act(*words)
        reply.say("log", snapshots.text(Vmx.read(of(words[0])["path"])))
    return handler


def revert(vmid, number, suppress="0"):
    snapshots.revert(vmid, int(number), suppress == "1")


def remove(vmid, number, with_children="0"):
    snapshots.remove(vmid, int(number), with_children == "1")


def autostart(words, reply):
    of(words[0])
    with state.locked() as known:
        known["vms"][words[0]]["autostart"] = words[1:]
    reply.say("guess", "Updated AutoStart defaults.\n")


VERBS = {
    "vmsvc/getallvms": lambda words, reply: told.all_machines(reply),
    "vmsvc/power.on": power_on,
    "vmsvc/power.off": power_verb(power.off),
    "vmsvc/power.shutdown": power_verb(power.shutdown),
    "vmsvc/power.reset": power_verb(power.reset),
    "vmsvc/power.suspend": power_verb(power.suspend),
    "vmsvc/power.getstate": getstate,
    "vmsvc/message": message,
    "vmsvc/get.guest": lambda words, reply: told.guest(words[0], of(words[0]), reply),
    "vmsvc/get.summary": lambda words, reply: told.summary(words[0], of(words[0]), reply),
    "vmsvc/get.config": lambda words, reply: told.config(words[0], of(words[0]), reply),
    "vmsvc/device.getdevices": lambda words, reply: told.devices(words[0], of(words[0]), reply),
    "vmsvc/get.tasklist": tasklist,
    "vmsvc/snapshot.create": snapshot_create,
    "vmsvc/snapshot.get": snapshot_get,
    "vmsvc/snapshot.revert": snapshot_change("Revert Snapshot", revert),
    "vmsvc/snapshot.remove": snapshot_change("Remove Snapshot", remove),
    "vmsvc/snapshot.removeall": snapshot_change("Remove All Snapshots", snapshots.remove_all),
    "vmsvc/reload": lambda words, reply: inventory.reload(of(words[0])),
    "vmsvc/unregister": lambda words, reply: inventory.unregister(words[0], of(words[0])),
    "vmsvc/destroy": lambda words, reply: inventory.destroy(words[0], of(words[0])),
    "vmsvc/device.diskaddexisting": lambda words, reply: inventory.add_disk(of(words[0]), *words[1:4]),
    "vmsvc/tools.install": lambda words, reply: of(words[0]) and None,
    "solo/registervm": lambda words, reply: reply.say("log", inventory.register(*words[:2]) + "\n"),
    "vimsvc/task_info": task_info,
    "hostsvc/autostartmanager/update_autostartentry": autostart,
}
