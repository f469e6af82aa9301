"""What vim-cmd tells of machines: the list, guests, summaries, settings, devices."""
import os
import re
import time

import faults
import inventory
import power
import state
import vmdk
from reply import Refusal
from structs import UNSET, Many, Null, Ref, Struct, text
from vmx import Vmx


def guest_id(vmx):
    """`debian12-64` of a VMX is `debian12_64Guest` in the API."""
    name = vmx.get("guestOS", "other")
    base, wide = (name[:-3], True) if name.endswith("-64") else (name, False)
    if base == "other":
        return "otherGuest64" if wide else "otherGuest"
    return base + ("_64" if wide and base[-1].isdigit() else "64" if wide else "") + "Guest"


def all_machines(reply):
    """Widths follow the longest entry; the header does not stand over the columns."""
    rows, invalid = [], []
    for vmid, vm in sorted(state.read()["vms"].items(), key=lambda pair: int(pair[0])):
        if not os.path.isfile(vm["path"]):
            invalid.append(vmid)
            continue
        vmx = Vmx.read(vm["path"])
        rows.append([vmid, vmx.get("displayName", ""), inventory.shown(vm["path"]), guest_id(vmx),
                     f"vmx-{int(vmx.get('virtualHW.version', '4')):02}", vmx.get("annotation", "")])
    widths = [max([len(r[i]) for r in rows] + [4]) for i in range(5)]
    for vmid in invalid:
        reply.say("log", f"Skipping invalid VM '{vmid}'\n")
    heads = ["Vmid", "Name", "File", "Guest OS", "Version", "Annotation"]
    lines = ["   ".join([h.ljust(w) for h, w in zip(heads, widths)] + heads[5:])]
    for row in rows:
        lines.append("   ".join(c.ljust(w) for c, w in zip(row, widths)) + "   " + row[5])
    reply.say("log", "\n".join(lines) + "\n")


def cards(vm, vmx, flags):
    """The network cards as the tools see them."""
    address, found = flags.get("address", vm["address"]), []
    for nic in vmx.nics():
        found.append(card(vmx.get(f"ethernet{nic}.networkName"), address if nic == 0 else f"10.0.{2 + nic}.15", vmx.mac(nic), 4000 + nic))
    for extra in flags.get("extra_cards", []):
        found.append(card(None, extra["address"], extra.get("mac", "02:42:ac:11:00:01"), extra.get("id", -1)))
    return found


def card(network, address, mac, number):
    entries = Struct("vim.net.IpConfigInfo", dhcp=Null("vim.net.DhcpConfigInfo"), ipAddress=Many("vim.net.IpConfigInfo.IpAddress", [
        Struct("vim.net.IpConfigInfo.IpAddress", ipAddress=address, prefixLength=24, origin=UNSET, state="preferred", lifetime=UNSET)]))
    return Struct("vim.vm.GuestInfo.NicInfo", network=network or UNSET, ipAddress=Many("string", [address, "fe80::20c:29ff:fe00:1"]),
                  macAddress=mac, connected=True, deviceConfigId=number, dnsConfig=Null("vim.net.DnsConfigInfo"), ipConfig=entries)


def guest(vmid, vm, reply):
    vmx = Vmx.read(vm["path"])
    flags = faults.guest(vm["path"], vmx.get("displayName", ""))
    up = power.tools(vmid)
    found = cards(vm, vmx, flags) if up else []
    stack = Many("vim.vm.GuestInfo.StackInfo", [Struct("vim.vm.GuestInfo.StackInfo", dnsConfig=Struct(
        "vim.net.DnsConfigInfo", dhcp=True, hostName="guest", domainName="", ipAddress=Many("string", ["10.0.2.3"])))])
    installed = flags.get("tools", True) and vm["power"] == "on"
    fields = {
        "toolsStatus": "toolsOk" if up else "toolsNotRunning" if installed else "toolsNotInstalled",
        "toolsVersionStatus": "guestToolsUnmanaged" if installed else "guestToolsNotInstalled",
        "toolsRunningStatus": "guestToolsRunning" if up else "guestToolsNotRunning",
        "toolsVersion": "12325" if up else "0",
        "guestId": guest_id(vmx) if up else UNSET,
        "hostName": vmx.get("displayName", "") if up else UNSET,
        "ipAddress": found[0].fields["ipAddress"].items[0] if found else UNSET,
        "net": Many("vim.vm.GuestInfo.NicInfo", found) if found else UNSET,
        "ipStack": stack if up else UNSET,
        "disk": UNSET,
        "screen": Struct("vim.vm.GuestInfo.ScreenInfo", width=720, height=400),
        "guestState": "running" if up else "notRunning",
        "guestOperationsReady": up,
    }
    reply.say("log", "Guest information:\n\n" + text(Struct("vim.vm.GuestInfo", **fields)))


def bios_uuid(vmx):
    digits = re.sub(r"[\s-]", "", vmx.get("uuid.bios", "")).ljust(32, "0")
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])


def summary(vmid, vm, reply):
    vmx = Vmx.read(vm["path"])
    used = sum(os.stat(os.path.join(vmx.folder, n)).st_blocks * 512 for n in os.listdir(vmx.folder))
    names = {"on": "poweredOn", "off": "poweredOff", "suspended": "suspended"}
    question, asked = Null("vim.vm.QuestionInfo"), vm.get("question")
    if asked:
        question = Struct("vim.vm.QuestionInfo", id=str(asked["number"]), text=asked["text"])
    reply.say("log", "Listsummary:\n\n" + text(Struct(
        "vim.vm.Summary", vm=Ref(f"vim.VirtualMachine:{vmid}"),
        runtime=Struct("vim.vm.RuntimeInfo", host=Ref("vim.HostSystem:ha-host"), connectionState="connected", powerState=names[vm["power"]],
                       toolsInstallerMounted=False, suspendTime=UNSET, question=question),
        config=Struct("vim.vm.Summary.ConfigSummary", name=vmx.get("displayName", ""), template=False,
                      vmPathName=inventory.shown(vm["path"]), memorySizeMB=int(vmx.get("memSize", "256")),
                      numCpu=int(vmx.get("numvcpus", "1")), uuid=bios_uuid(vmx), guestId=guest_id(vmx),
                      annotation=vmx.get("annotation", "")),
        storage=Struct("vim.vm.Summary.StorageSummary", committed=used, uncommitted=0, unshared=used),
        quickStats=Struct("vim.vm.Summary.QuickStats", uptimeSeconds=int(time.time() - vm["since"]) if vm.get("since") else UNSET),
        overallStatus="green")))


def config(vmid, vm, reply):
    vmx = Vmx.read(vm["path"])
    extra = [Struct("vim.option.OptionValue", key=key, value=value) for key, value in vmx.entries.values()]
    reply.say("log", "Configuration:\n\n" + text(Struct(
        "vim.vm.ConfigInfo", name=vmx.get("displayName", ""), guestId=guest_id(vmx), version=f"vmx-{int(vmx.get('virtualHW.version', '4')):02}",
        uuid=bios_uuid(vmx), annotation=vmx.get("annotation", ""),
        files=Struct("vim.vm.FileInfo", vmPathName=inventory.shown(vm["path"])),
        extraConfig=Many("vim.option.OptionValue", extra))))


def devices(vmid, vm, reply):
    vmx, found = Vmx.read(vm["path"]), []
    first = {"scsi": 2000, "ide": 3000, "sata": 16000, "nvme": 31000}
    for node, path in vmx.disks():
        bus, number, slot = re.fullmatch(r"([a-z]+)(\d+):(\d+)", node).groups()
        try:
            size = vmdk.chain(path)[0].size
        except Refusal:
            size = 0
        found.append(Struct("vim.vm.device.VirtualDisk", key=first[bus] + 16 * int(number) + int(slot), backing=Struct(
            "vim.vm.device.VirtualDisk.FlatVer2BackingInfo", fileName=inventory.shown(path), thinProvisioned=True),
            unitNumber=int(slot), capacityInKB=size >> 10))
    for nic in vmx.nics():
        name = vmx.get(f"ethernet{nic}.networkName")
        found.append(Struct("vim.vm.device.VirtualVmxnet3", key=4000 + nic, backing=Struct(
            "vim.vm.device.VirtualEthernetCard.NetworkBackingInfo", deviceName=name), macAddress=vmx.mac(nic)))
    reply.say("log", "Devices:\n\n" + text(Struct("vim.vm.VirtualHardware", numCPU=int(vmx.get("numvcpus", "1")),
                                                    memoryMB=int(vmx.get("memSize", "256")), device=Many("vim.vm.device.VirtualDevice", found))))
