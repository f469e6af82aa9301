"""Faults: rules of FOLDER/control.json, each a regex on what is done, which call it hits, and what then happens.

    {"latency": 0, "faults": [{"in": "tool", "match": "power.on", "nth": 1, "times": 1, "do": "reply", "text": "…", "code": 0}],
     "guests": [{"match": "web", "tools": false}]}

`in` is tool (default), shell, sftp or connection; `nth` counts matching calls from 1; `times` 0 means for ever after. README.md lists what
`do` can be. The file is read anew for each command, so a test changes it while the host runs.
"""
import json
import os
import re
import signal
import time

import paths
import state

COUNTS = f"{paths.RUN}/faults.json"


def control():
    try:
        with open(paths.CONTROL) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def hitting(place, line):
    """The rules that hit this call, in the order of the file."""
    rules = [r for r in control().get("faults", []) if r.get("in", "tool") == place and re.search(r["match"], line)]
    if not rules:
        return []
    with state.lock("faults"):
        try:
            with open(COUNTS) as file:
                counts = json.load(file)
        except FileNotFoundError:
            counts = {}
        hit = []
        for rule in rules:
            key = rule.get("id") or json.dumps(rule, sort_keys=True)
            counts[key] = number = counts.get(key, 0) + 1
            first, times = rule.get("nth", 1), rule.get("times", 1)
            if number >= first and (times == 0 or number < first + times):
                hit.append(rule)
        state.write(COUNTS, counts)
    return hit


def guest(path, name):
    """Flags of a machine: the merged rules of `guests` that match its VMX path or its name."""
    merged = {}
    for rule in control().get("guests", []):
        if re.search(rule["match"], path) or re.search(rule["match"], name):
            merged.update(rule)
    return merged


def before(rules):
    """What happens before the work; none of it answers."""
    for rule in rules:
        if rule["do"] == "fill":
            fill(rule["datastore"], rule.get("leave", 0))
        elif rule["do"] == "hang":
            time.sleep(rule.get("seconds", 1 << 30))
        elif rule["do"] == "cut" and rule.get("when", "before") == "before":
            cut()


def fill(datastore, leave):
    """Takes the datastore's space but for `leave` bytes, by a file in its root."""
    path = f"{paths.VOLUMES}/{datastore}/.filled-by-the-lab"
    with contextless(os.open(path, os.O_CREAT | os.O_WRONLY)) as fd:
        space = os.fstatvfs(fd)
        more = space.f_bavail * space.f_frsize - leave
        if more > 0:
            os.posix_fallocate(fd, os.fstat(fd).st_size, more)


class contextless:
    """A raw descriptor that is closed at the end of the block."""

    def __init__(self, fd):
        self.fd = fd

    def __enter__(self):
        return self.fd

    def __exit__(self, *_):
        os.close(self.fd)


def session():
    """The sshd process that this process was started by, or none: the nearest ancestor of that name."""
    pid = os.getpid()
    while pid > 1:
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
        name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        if name.startswith("sshd"):
            return pid
        pid = int(rest[1])
    return None


def cut(stop=False):
    """Ends the connection under the client's feet (or freezes it: `stop`); the tool itself goes on, as on a real host."""
    pid = session()
    if pid:
        os.kill(pid, signal.SIGSTOP if stop else signal.SIGKILL)
