"""The part of the self-test that throws each fault switch once and sees what a client sees."""
import hashlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

UNKNOWN = [["vim-cmd", "vmsvc/no.such.verb", "1"], ["vmkfstools", "--no-such-option"], ["esxcli", "no", "such"]]


def rule(match, do, **more):
    return {"faults": [{"match": match, "do": do, "id": f"{match} {do} {time.time()}", **more}]}


def answers(lab, _):
    ask = "vim-cmd vmsvc/power.getstate 4"
    good = "Retrieved runtime info\nPowered off\n"
    lab.control(**rule("getstate", "reply", text="Failed to login\n", code=1, nth=2))
    seen = [(d.returncode, d.stdout) for d in (lab.ssh(ask) for _ in range(3))]
    assert seen == [(0, good), (1, "Failed to login\n"), (0, good)], "the second call only"
    for do, more, expected in [("prefix", {"text": "news\n"}, "news\n" + good), ("crlf", {}, good.replace("\n", "\r\n")),
                               ("truncate", {"bytes": 9}, good[:9])]:
        lab.control(**rule("getstate", do, **more))
        assert lab.out(ask) == expected, do
    lab.control(**rule("getstate", "flood", bytes=100_000_000))
    assert len(lab.ssh(ask).stdout) > 100_000_000
    lab.control(**rule("getstate", "hang", seconds=1))
    started = time.monotonic()
    lab.ssh(ask)
    assert time.monotonic() - started >= 1
    lab.control(**{"faults": [{"in": "shell", "match": "^mkdir", "do": "reply", "stderr": "mkdir: Input/output error\n", "code": 1}]})
    assert lab.ssh("mkdir /tmp/q").returncode == 1 and lab.ssh("ls /tmp/q").returncode != 0
    for words in UNKNOWN:
        assert lab.ssh(" ".join(words)).returncode == 113
    lab.control()


def cuts(lab, folder):
    """A connection that ends before or after the work; the work itself is done."""
    from __main__ import vmx
    top = "/vmfs/volumes/ds1/cut"
    lab.out(f"mkdir {top}; vmkfstools -c 4M -d thin {top}/disk.vmdk")
    lab.put(vmx(folder), f"{top}/x.vmx")
    lab.control(**rule("registervm", "cut", when="after"))
    assert lab.ssh(f"vim-cmd solo/registervm {top}/x.vmx").returncode == 255
    assert "AlreadyExists" in lab.ssh(f"vim-cmd solo/registervm {top}/x.vmx").stdout, "registered, though nobody was told"
    vmid = next(line.split()[0] for line in lab.out("vim-cmd vmsvc/getallvms").splitlines() if "cut/x.vmx" in line)
    lab.control(**rule("power.on", "lie", text="Powering on VM:\nPower on failed\n", code=1))
    assert lab.ssh(f"vim-cmd vmsvc/power.on {vmid}").returncode == 1
    assert lab.out(f"vim-cmd vmsvc/power.getstate {vmid}").endswith("Powered on\n"), "failed, it said, but it runs"
    lab.out(f"vim-cmd vmsvc/power.off {vmid}")
    lab.wait("the lock goes", lambda: lab.ssh(f"ls {top}/x.vmx.lck").returncode != 0, 20)
    lab.control(**rule("-i ", "break", percent=0))
    broken = lab.ssh(f"vmkfstools -i {top}/disk.vmdk -d thin {top}/copy.vmdk")
    assert "(327689)" in broken.stderr and lab.ssh(f"ls {top}/copy.vmdk").returncode != 0 and lab.out(f"ls {top}/copy-flat.vmdk"), broken
    lab.control(**rule("power.on", "question", text="msg.uuid.altered:This virtual machine might have been moved or copied.",
                       choices=["Cancel (Cancel)", "I _moved it (I _moved it)", "I _copied it (I _copied it) [default]"]))
    question(lab, vmid)
    lab.control()
    lab.out(f"vim-cmd vmsvc/unregister {vmid} && rm -r {top}")


def question(lab, vmid):
    """Power on stands still until somebody answers."""
    with ThreadPoolExecutor(1) as pool:
        power = pool.submit(lab.ssh, f"vim-cmd vmsvc/power.on {vmid}")
        asked = lab.wait("a question", lambda: (t := lab.out(f"vim-cmd vmsvc/message {vmid}")) != "No message.\n" and t, 30)
        assert asked.startswith("Virtual machine message 0:\nmsg.uuid.altered") and "   2. I _copied it" in asked, asked
        busy = lab.ssh(f"vim-cmd vmsvc/power.on {vmid}")
        assert "TaskInProgress" in busy.stdout, busy
        lab.out(f"vim-cmd vmsvc/message {vmid} 0 2")
        assert power.result().returncode == 0
    lab.out(f"vim-cmd vmsvc/power.off {vmid}")
    lab.wait("the lock goes", lambda: ".lck" not in lab.out("ls /vmfs/volumes/ds1/cut"), 20)


def transfers(lab, folder):
    """Uploads that end early, stand still, lose bytes or find no room."""
    big = f"{folder}/big"
    with open(big, "wb") as file:
        file.write(os.urandom(24 << 20))
    size = os.path.getsize(big)

    def there(path):
        return int(lab.out(f"stat -c %s {path} 2>/dev/null || echo 0"))

    for do, patience in (("cut", 60), ("stall", 8)):
        lab.control(faults=[{"in": "sftp", "match": "sftp", "do": do, "bytes": 4 << 20}])
        assert lab.put(big, f"/vmfs/volumes/ds1/{do}", patience).returncode != 0
        assert 0 < there(f"/vmfs/volumes/ds1/{do}") < size, do
    lab.control(faults=[{"in": "sftp", "match": "sftp", "do": "short", "bytes": 4 << 20}])
    assert lab.put(big, "/vmfs/volumes/ds1/short").returncode == 0, "nobody is told"
    with open(big, "rb") as file:
        assert lab.out("sha256sum < /vmfs/volumes/ds1/short").split()[0] != hashlib.sha256(file.read()).hexdigest()
    for do, patience in (("cut", 60), ("stall", 8)):
        lab.control(faults=[{"in": "connection", "match": ".", "do": do, "bytes": 8 << 20}])
        assert lab.put(big, f"/vmfs/volumes/ds1/net-{do}", patience).returncode != 0
    lab.control(faults=[{"in": "shell", "match": "df", "do": "fill", "datastore": "small", "leave": 1 << 20}])
    lab.out("df /vmfs/volumes/small")
    full = lab.put(big, "/vmfs/volumes/small/big")
    assert full.returncode != 0 and there("/vmfs/volumes/small/big") <= 1 << 20, full
    lab.control()
    lab.out("rm /vmfs/volumes/small/big /vmfs/volumes/small/.filled-by-the-lab /vmfs/volumes/ds1/*cut /vmfs/volumes/ds1/*stall /vmfs/volumes/ds1/short")
    lab.put(big, "/vmfs/volumes/small/big")
    small = lab.ssh("vmkfstools -c 40M '/vmfs/volumes/small/x.vmdk'")
    assert "(13)" in small.stderr, small
    lab.out("rm /vmfs/volumes/small/big")


def greeting(lab, patience):
    """What the host says first, and after how long."""
    started = time.monotonic()
    try:
        with socket.create_connection((lab.told["host"], lab.told["port"]), timeout=patience) as place:
            return place.recv(4), time.monotonic() - started
    except OSError:
        return b"", time.monotonic() - started


def connections(lab, folder):
    lab.control(faults=[{"in": "connection", "match": ".", "do": "drop"}])
    assert greeting(lab, 5)[0] == b"" and greeting(lab, 5)[0] == b"SSH-"
    lab.control(faults=[{"in": "connection", "match": ".", "do": "silent"}])
    assert greeting(lab, 1)[0] == b""
    lab.control(faults=[{"in": "connection", "match": ".", "do": "delay", "seconds": 1}])
    text, late = greeting(lab, 10)
    assert text == b"SSH-" and late >= 1
    lab.control()
    known = f"{folder}/known_hosts"
    assert lab.ssh("true", hosts=known).returncode == 0
    lab.order("rsa-first")
    assert lab.ssh("true", hosts=known).returncode == 0, "the same keys in another order"
    lab.order("ecdsa-first")
    lab.order("new-keys")
    changed = lab.ssh("true", hosts=known)
    assert changed.returncode == 255 and "REMOTE HOST IDENTIFICATION HAS CHANGED" in changed.stderr.upper(), changed


def profiles(lab, folder):
    lab.order("profile", "6.7")
    assert lab.ssh("true", method="password").returncode == 0
    lab.order("profile", "no-sftp")
    assert lab.put(f"{folder}/tiny.raw", "/tmp/t").returncode != 0 and lab.ssh("true").returncode == 0
    lab.order("profile", "8.0")
    lab.password("wrong")
    for _ in range(5):
        assert lab.ssh("true").returncode == 255
    lab.password(lab.told["password"])
    assert lab.ssh("true").returncode == 255, "locked after five failures"
    lab.order("unlock")
    assert lab.ssh("true").returncode == 0


PARTS = [answers, cuts, transfers, connections, profiles]
