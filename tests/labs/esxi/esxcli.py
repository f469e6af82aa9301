"""`esxcli`: lists as table, blocks, CSV, XML or key-value text; the few commands that change something."""
import os
from xml.sax.saxutils import escape, quoteattr

import machines
import paths
import power
import state
import told
from reply import Refusal
from vmx import Vmx


def run(words, reply):
    form, words = formatter(list(words))
    for length in range(len(words), 0, -1):
        handler = COMMANDS.get(" ".join(words[:length]))
        if handler:
            break
    else:
        return reply.unknown("esxcli", words)
    try:
        rows = handler(options(words[length:]))
    except Refusal as refusal:
        reply.say(refusal.origin, refusal.message + "\n", "err")
        reply.fail()
        return None
    if isinstance(rows, list):
        style = "blocks" if " ".join(words[:length]) in BLOCKS and form == "text" else form
        # The column names of the CSV form were seen for filesystems; those of other lists are derived from the tables.
        origin = "log" if form == "text" or "filesystem" in words else "guess"
        reply.say(origin, FORMS[style](rows))
    elif rows:
        reply.say("guess", rows)
    return None


def formatter(words):
    if words and words[0].startswith("--formatter="):
        return words[0].split("=", 1)[1], words[1:]
    if words[:1] == ["--formatter"]:
        return words[1], words[2:]
    return "text", words


def options(words):
    """`-o value`, `--option=value` and `--option value`, by their short names."""
    found, words = {}, list(words)
    while words:
        word = words.pop(0)
        if "=" in word and word.startswith("--"):
            word, value = word.split("=", 1)
        else:
            value = words.pop(0) if words and not words[0].startswith("-") else True
        found[SHORT.get(word, word)] = value
    return found


SHORT = {"--option": "-o", "--int-value": "-i", "--string-value": "-s", "--world-id": "-w", "--type": "-t", "--portgroup-name": "-p",
         "--vswitch-name": "-v", "--vlan-id": "--vlan"}


def header(name):
    return name.replace(" ", "")


def csv(rows):
    """Columns in alphabetical order, and a comma after the last one."""
    if not rows:
        return ""
    names = sorted(rows[0], key=header)

    def cell(value):
        if isinstance(value, list):
            return '"' + "".join(f"{v}," for v in value) + '"'
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f'"{text}"' if "," in text else text

    return "".join(",".join(cells) + ",\n" for cells in [[header(n) for n in names]] + [[cell(r[n]) for n in names] for r in rows])


def words_of(value):
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)


def table(rows):
    if not rows:
        return ""
    names = list(rows[0])
    cells = [[words_of(r[n]) for n in names] for r in rows]
    widths = [max(len(n), *(len(c[i]) for c in cells)) for i, n in enumerate(names)]
    right = [all(isinstance(r[n], int) and not isinstance(r[n], bool) for r in rows) for n in names]

    def line(texts):
        return "  ".join(t.rjust(w) if r else t.ljust(w) for t, w, r in zip(texts, widths, right)).rstrip() + "\n"

    return line(names) + "  ".join("-" * w for w in widths) + "\n" + "".join(line(c) for c in cells)


def blocks(rows):
    """A title at the margin, then `   Key: value` lines."""
    texts = []
    for row in rows:
        fields = "".join(f"   {key}: {words_of(value)}\n" for key, value in row.items())
        texts.append(f"{next(iter(row.values()))}\n{fields}")
    return "\n".join(texts)


def keyvalue(rows):
    return "\n".join("".join(f"{header(k)}={words_of(v)}\n" for k, v in row.items()) for row in rows)


def xml(rows):
    body = "".join("<structure typeName=\"Row\">" + "".join(
        f"<field name={quoteattr(header(k))}><string>{escape(words_of(v))}</string></field>" for k, v in row.items()) + "</structure>"
        for row in rows)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<output xmlns="http://www.vmware.com/Products/ESX/5.0/esxcli/"><root>' \
           f'<list type="structure">{body}</list></root></output>\n'


FORMS = {"text": table, "blocks": blocks, "csv": csv, "keyvalue": keyvalue, "xml": xml}
BLOCKS = {"vm process list", "network vm port list", "network vswitch standard list"}


def filesystems(_):
    rows = []
    for name, volume in paths.plan()["volumes"].items():
        space = os.statvfs(f"{paths.VOLUMES}/{volume}")
        rows.append({"Mount Point": f"{paths.VOLUMES}/{volume}", "Volume Name": name, "UUID": volume, "Mounted": True, "Type": "VMFS-6",
                     "Size": space.f_blocks * space.f_frsize, "Free": space.f_bavail * space.f_frsize})
    for number, (name, kind) in enumerate([("OSDATA-5f00aaaa", "VMFSOS"), ("BOOTBANK1", "vfat")]):
        uuid = f"9900bbbb-0000000{number}-0000-001122334455"
        rows.append({"Mount Point": f"{paths.VOLUMES}/{uuid}", "Volume Name": name, "UUID": uuid, "Mounted": True, "Type": kind,
                     "Size": 4293591040, "Free": 4078043136})
    return rows


def group(known, name):
    found = next((g for g in known["port_groups"] if g["Name"] == name), None)
    if not found:
        raise Refusal("missing", f"Portgroup with name {name} not found", "guess")
    return found


def port_groups(_):
    known = state.read()
    return [row | {"Active Clients": row["Active Clients"] + clients(known, row["Name"])} for row in known["port_groups"]]


def clients(known, name):
    """Machines that are on and have a card there."""
    return sum(1 for vmid, _ in running(known) for nic in _vmx(known, vmid).nics()
               if _vmx(known, vmid).get(f"ethernet{nic}.networkName") == name)


def group_add(given):
    with state.locked() as known:
        if given["-v"] != "vSwitch0":
            raise Refusal("missing", f"Unable to find vswitch with name {given['-v']}", "guess")
        if any(g["Name"] == given["-p"] for g in known["port_groups"]):
            raise Refusal("exists", f"A portgroup with the name {given['-p']} already exists", "guess")
        known["port_groups"].append({"Name": given["-p"], "Virtual Switch": given["-v"], "Active Clients": 0, "VLAN ID": 0})


def group_set(given):
    with state.locked() as known:
        group(known, given["-p"])["VLAN ID"] = int(given.get("--vlan", given.get("-v", 0)))


def group_remove(given):
    with state.locked() as known:
        found = group(known, given["-p"])
        if found["Active Clients"] + clients(known, given["-p"]):
            raise Refusal("busy", f"Portgroup {given['-p']} is still in use", "guess")
        known["port_groups"].remove(found)


def _vmx(known, vmid):
    return Vmx.read(known["vms"][vmid]["path"])


def running(known):
    """Machines that are on, with their World ID."""
    return [(vmid, 2100000 + int(vmid)) for vmid, vm in known["vms"].items() if vm["power"] == "on" and os.path.isfile(vm["path"])]


def by_world(known, world):
    found = next((vmid for vmid, number in running(known) if str(number) == str(world)), None)
    if not found:
        raise Refusal("missing", f"Unable to find a virtual machine with the world ID {world}", "guess")
    return found


def vm_list(_):
    known, rows = state.read(), []
    for vmid, world in running(known):
        vmx = _vmx(known, vmid)
        names = [vmx.get(f"ethernet{n}.networkName") for n in vmx.nics()]
        rows.append({"World ID": world, "Name": vmx.get("displayName", ""), "Num Ports": len(names), "Networks": names})
    return rows


def vm_ports(given):
    known = state.read()
    vmid = by_world(known, given["-w"])
    vm, vmx, rows = known["vms"][vmid], _vmx(known, vmid), []
    # The host learns addresses from ARP, and only if it is told to.
    seen = known["advanced"]["/Net/GuestIPHack"] == 1 and vm.get("address") and power.answered(vmid)
    for nic in vmx.nics():
        address = told.faults.guest(vm["path"], vmx.get("displayName", "")).get("address", vm["address"]) if seen and nic == 0 else "0.0.0.0"
        rows.append({"Port ID": 67108870 + 10 * int(vmid) + nic, "vSwitch": "vSwitch0",
                     "Portgroup": vmx.get(f"ethernet{nic}.networkName"), "DVPort ID": "", "MAC Address": vmx.mac(nic),
                     "IP Address": address, "Team Uplink": "vmnic0", "Uplink Port ID": 2214592518, "Active Filters": ""})
    return rows


def processes(_):
    known, rows = state.read(), []
    for vmid, world in running(known):
        vmx = _vmx(known, vmid)
        rows.append({"Display Name": vmx.get("displayName", ""), "World ID": world, "Process ID": 0, "VMX Cartel ID": world - 1,
                     "UUID": vmx.get("uuid.bios", ""), "Display Name ": vmx.get("displayName", ""), "Config File": vmx.path})
    # The title is the name; the name comes again among the lines.
    return [{k.strip(): v for k, v in row.items()} for row in rows]


def process_kill(given):
    vmid = by_world(state.read(), given["-w"])
    if given.get("-t") not in ("soft", "hard", "force"):
        raise Refusal("usage", "Invalid value for type", "guess")
    power._off(vmid)


def advanced(given):
    known = state.read()["advanced"]
    if given["-o"] not in known:
        raise Refusal("missing", f"Unable to find option {given['-o'].strip('/').split('/')[-1]}", "guess")
    return [{"Path": given["-o"], "Type": "integer", "Int Value": known[given["-o"]], "Default Int Value": 0, "Min Value": 0,
             "Max Value": 1, "String Value": "", "Default String Value": "", "Valid Characters": "", "Description": "Enable guest IP hack"}]


def advanced_set(given):
    advanced(given)
    with state.locked() as known:
        known["advanced"][given["-o"]] = int(given["-i"])


def version(_):
    name, build = paths.version().rsplit(" build-", 1)
    return [{"Product": "VMware ESXi", "Version": name.split()[-1], "Build": f"Releasebuild-{build}", "Update": 2, "Patch": 0}]


COMMANDS = {
    "storage filesystem list": filesystems,
    "network vswitch standard portgroup list": port_groups,
    "network vswitch standard portgroup add": group_add,
    "network vswitch standard portgroup set": group_set,
    "network vswitch standard portgroup remove": group_remove,
    "network vswitch standard list": lambda _: [{"Name": "vSwitch0", "Class": "cswitch", "Num Ports": 2560, "Uplinks": ["vmnic0"],
                                                 "Portgroups": [g["Name"] for g in state.read()["port_groups"]]}],
    "network vm list": vm_list,
    "network vm port list": vm_ports,
    "vm process list": processes,
    "vm process kill": process_kill,
    "network ip neighbor list": lambda _: [{"Neighbor": f"{paths.plan()['net']}.254", "Mac Address": "00:50:56:c0:00:08", "Vmknic": "vmk0",
                                            "Expiry": "164 sec", "State": "", "Type": "Unknown"}],
    "system settings advanced list": advanced,
    "system settings advanced set": advanced_set,
    "system version get": version,
}
