"""The part of the self-test that boots a real guest from a box: the conversion a driver does, and what only a guest can show."""
import os
import subprocess

BOX = None
TOP = "/vmfs/volumes/ds1/guest"


def convert(folder):
    subprocess.run(["tar", "-xf", os.path.abspath(BOX), "-C", folder, "box.img"], check=True)
    subprocess.run(["qemu-img", "convert", "-O", "vmdk", "-o", "subformat=monolithicSparse,adapter_type=lsilogic", f"{folder}/box.img",
                    f"{folder}/box.vmdk"], check=True)
    os.unlink(f"{folder}/box.img")
    return f"{folder}/box.vmdk"


def address(lab, vmid):
    for line in lab.out(f"vim-cmd vmsvc/get.guest {vmid}").splitlines():
        if line.startswith('   ipAddress = "'):
            return line.split('"')[1]
    return None


def guest(lab, folder):
    from __main__ import state_of, tree, vmx
    disk = convert(folder)
    lab.out(f"mkdir {TOP}")
    assert lab.put(disk, f"{TOP}/in.vmdk").returncode == 0
    lab.out(f"vmkfstools -i {TOP}/in.vmdk -d thin {TOP}/disk.vmdk && rm {TOP}/in.vmdk")
    lab.put(vmx(folder, "guest", network="no such group"), f"{TOP}/guest.vmx")
    vmid = lab.out(f"vim-cmd solo/registervm {TOP}/guest.vmx").strip()
    lab.out(f"sed -i 's/no such group/VM Network/' {TOP}/guest.vmx; vim-cmd vmsvc/reload {vmid}; vim-cmd vmsvc/power.on {vmid}")
    assert address(lab, vmid) is None, "no address before the guest answers"
    place = lab.wait("an address", lambda: address(lab, vmid), pause=3)
    assert lab.guest(place, "echo before > here; sync; id -un").stdout == "vagrant\n"
    ports = lab.out("esxcli --formatter=csv network vm port list -w " + str(2100000 + int(vmid)))
    assert ",0.0.0.0," in ports, "no ARP without GuestIPHack"
    lab.out("esxcli system settings advanced set -o /Net/GuestIPHack -i 1")
    assert f",{place}," in lab.out("esxcli --formatter=csv network vm port list -w " + str(2100000 + int(vmid)))
    boot = lab.guest(place, "cat /proc/sys/kernel/random/boot_id").stdout
    lab.out(f"vim-cmd vmsvc/snapshot.create {vmid} before '' 1 0")
    lab.wait("a snapshot", lambda: tree(lab, vmid) == [("--", "before")])
    lab.guest(place, "echo after > here; sync")
    lab.out(f"vim-cmd vmsvc/power.suspend {vmid} && vim-cmd vmsvc/power.on {vmid}")
    lab.wait("an address", lambda: address(lab, vmid), pause=3)
    assert lab.guest(place, "cat here /proc/sys/kernel/random/boot_id").stdout == f"after\n{boot}", "the same boot goes on"
    number = lab.out(f"vim-cmd vmsvc/snapshot.get {vmid}").split("Snapshot Id        : ")[1].split("\n")[0]
    lab.out(f"vim-cmd vmsvc/snapshot.revert {vmid} {number} 0")
    lab.wait("an address", lambda: address(lab, vmid), pause=3)
    assert lab.guest(place, "cat here /proc/sys/kernel/random/boot_id").stdout == f"before\n{boot}", "memory and disk of then"
    lab.out(f"vim-cmd vmsvc/snapshot.removeall {vmid}")
    assert lab.guest(place, "cat here; sync; echo more > here; sync; cat here").stdout == "before\nmore\n"
    lab.control(guests=[{"match": "guest", "ignores_shutdown": True}])
    lab.out(f"vim-cmd vmsvc/power.shutdown {vmid}")
    lab.control(guests=[{"match": "guest", "address": "169.254.7.7"}])
    assert address(lab, vmid) == "169.254.7.7"
    lab.control(guests=[{"match": "guest", "tools": False}])
    assert address(lab, vmid) is None and "toolsNotInstalled" in lab.out(f"vim-cmd vmsvc/get.guest {vmid}")
    lab.control(guests=[{"match": "guest", "extra_cards": [{"address": "172.17.0.1"}]}])
    assert "deviceConfigId = -1" in lab.out(f"vim-cmd vmsvc/get.guest {vmid}")
    lab.control()
    assert state_of(lab, vmid) == "Powered on", "the shutdown was ignored"
    lab.out(f"vim-cmd vmsvc/power.shutdown {vmid}")
    lab.wait("a clean shutdown", lambda: state_of(lab, vmid) == "Powered off")
    lab.wait("the lock goes", lambda: lab.ssh(f"ls {TOP}/guest.vmx.lck").returncode != 0, 20)
    lab.out(f"sed -i 's/VM Network/no such group/' {TOP}/guest.vmx; vim-cmd vmsvc/power.on {vmid}")
    assert lab.guest(place, "true", 10).returncode != 0, "a wrong port group leaves it unreachable"
    lab.out(f"vim-cmd vmsvc/power.off {vmid} && vim-cmd vmsvc/unregister {vmid} && rm -r {TOP}")
