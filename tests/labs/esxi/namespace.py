"""The host's own root: a private mount and process namespace with busybox in /bin, the lab's tools, datastores in /vmfs.

Nothing of the computer outside changes: everything is mounted below FOLDER/root in a mount namespace of its own, and the first
process of the process namespace takes all others with it.
"""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import uuid

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1
PYTHON = "/usr/bin/python3 -EsSX pycache_prefix=/lab-state/run/pycache"
TOOLS = ["vim-cmd", "vmkfstools", "esxcli", "vmware"]
# Applets that would lie about the host, or that an ESXi does not have.
NOT_THERE = {"busybox", "dpkg", "dpkg-deb", "rpm", "rpm2cpio", "su", "login", "passwd", "chroot", "mke2fs", "mkdosfs", "unshare",
             "nsenter", "pivot_root", "switch_root", "run-init", "init", "reboot", "poweroff", "halt", "brctl", "truncate", "fallocate"}


def refuse_failure(done, what):
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, kind=None, flags=0, data=None):
    raw = [None if x is None else os.fsencode(x) for x in (source, target, kind, data)]
    refuse_failure(LIBC.mount(raw[0], raw[1], raw[2], ctypes.c_ulong(flags), raw[3]), f"mount {target}")


def bind(source, target, read_only=False):
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w").close()
    mount(source, target, flags=MS_BIND | MS_REC)
    if read_only:
        mount(source, target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY)


def start(plan, program):
    """Forks the first process of the namespaces; its id."""
    refuse_failure(LIBC.unshare(CLONE_NEWNS | CLONE_NEWPID), "unshare")
    first = os.fork()
    if first:
        return first
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    root = os.path.join(plan["folder"], "root")
    build(root, plan, program)
    os.chroot(root)
    os.chdir("/")
    words = PYTHON.split() + ["/lab/host.py"]
    os.execve(words[0], words, {"PATH": "/bin:/sbin", "LC_ALL": "C.UTF-8", "HOME": "/"})


def build(root, plan, program):
    mount(None, "/", flags=MS_REC | MS_PRIVATE)
    os.makedirs(root, exist_ok=True)
    mount("tmpfs", root, "tmpfs", MS_NOSUID, "mode=755,size=64m")
    for name in ["bin", "sbin", "etc", "run/sshd", "tmp", "var/log", "vmfs/volumes", "usr", "lab", "lab-state", "dev", "proc", "root"]:
        os.makedirs(os.path.join(root, name))
    bind("/usr", f"{root}/usr", read_only=True)
    for name in ["lib", "lib32", "lib64", "libx32"]:
        if os.path.islink("/" + name):
            os.symlink(os.readlink("/" + name), f"{root}/{name}")
        elif os.path.isdir("/" + name):
            bind("/" + name, f"{root}/{name}", read_only=True)
    bind("/dev", f"{root}/dev")
    mount("proc", f"{root}/proc", "proc")
    mount("tmpfs", f"{root}/tmp", "tmpfs", MS_NOSUID, "mode=1777,size=256m")
    bind(program, f"{root}/lab", read_only=True)
    mount(plan["folder"], f"{root}/lab-state", flags=MS_BIND)
    programs(root)
    settings(root, plan)
    datastores(root, plan)


def programs(root):
    """/bin: busybox and the tools of the host; nothing of GNU is in PATH."""
    busybox = next(p for p in ("/usr/bin/busybox", "/bin/busybox") if os.path.exists(p))
    os.makedirs(f"{root}/lib-busybox")
    shutil.copy(busybox, f"{root}/lib-busybox/busybox")
    for applet in subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split():
        if applet not in NOT_THERE:
            os.symlink("/lib-busybox/busybox", f"{root}/bin/{applet}")
    for path, module in [(f"bin/{t}", f"tool.py {t}") for t in TOOLS] + [("sbin/lab-shell", "shell.py"), ("sbin/lab-auth", "auth.py"),
                                                                        ("sbin/lab-sftp", "sftp.py")]:
        with open(f"{root}/{path}", "w") as file:
            file.write(f'#!/bin/ash\nexec {PYTHON} /lab/{module} "$@"\n')
        os.chmod(f"{root}/{path}", 0o755)


def settings(root, plan):
    """/etc: root's shell and the PAM service of sshd are the host's own."""
    files = {
        "passwd": "root:x:0:0:Administrator:/:/sbin/lab-shell\nsshd:x:102:65534::/run/sshd:/bin/false\nnobody:x:65534:65534::/:/bin/false\n",
        "group": "root:x:0:\nnogroup:x:65534:\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
        "shadow": "root:*:19000:0:99999:7:::\n",
        "hosts": "127.0.0.1 localhost\n",
        "shells": "/sbin/lab-shell\n/bin/ash\n",
        "pam.d/sshd": "auth required pam_exec.so quiet expose_authtok /sbin/lab-auth\nauth required pam_permit.so\n"
                      "account required pam_permit.so\nsession required pam_permit.so\n",
        "pam.d/other": "auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\n",
        "vmware/hostd/pools.xml": "<ConfigRoot>\n  <resourcePool id=\"0000\">\n    <name>Resources</name>\n"
                                  "    <objID>ha-root-pool</objID>\n    <path>host/user</path>\n  </resourcePool>\n</ConfigRoot>\n",
    }
    for name, text in files.items():
        os.makedirs(os.path.dirname(f"{root}/etc/{name}"), exist_ok=True)
        with open(f"{root}/etc/{name}", "w") as file:
            file.write(text)
    os.makedirs(os.path.join(plan["folder"], "ssh"), exist_ok=True)
    bind(os.path.join(plan["folder"], "ssh"), f"{root}/etc/ssh")
    if os.path.exists("/etc/ld.so.cache"):
        shutil.copy("/etc/ld.so.cache", f"{root}/etc/ld.so.cache")


def datastores(root, plan):
    """/vmfs/volumes: size-limited filesystems named by their UUID, and their names as links to them, as on the host."""
    plan["volumes"] = {}
    for name, mib in plan["datastores"].items():
        hexes = uuid.uuid4().hex
        volume = f"{hexes[:8]}-{hexes[8:16]}-{hexes[16:20]}-{hexes[20:32]}"
        os.makedirs(f"{root}/vmfs/volumes/{volume}")
        mount("tmpfs", f"{root}/vmfs/volumes/{volume}", "tmpfs", MS_NOSUID, f"mode=755,size={mib}m")
        os.symlink(volume, f"{root}/vmfs/volumes/{name}")
        plan["volumes"][name] = volume
    with open(os.path.join(plan["folder"], "run", "plan.json"), "w") as file:
        json.dump(plan, file)
