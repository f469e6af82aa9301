"""What the host knows: one JSON file under a lock that dies with its holder."""
import contextlib
import fcntl
import json
import os

import paths

FILE = f"{paths.RUN}/state.json"


@contextlib.contextmanager
def lock(name):
    """Holds the lock `name`, across processes."""
    with open(f"{paths.RUN}/{name}.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def locked():
    """The state, to be read and changed; written when the block ends well."""
    with lock("state"):
        state = read()
        yield state
        write(FILE, state)


def read():
    try:
        with open(FILE) as file:
            return json.load(file)
    except FileNotFoundError:
        return {"next_vmid": 51, "next_task": 100, "vms": {}, "tasks": {}}


def write(path, value):
    with open(path + ".new", "w") as file:
        json.dump(value, file, indent=1)
    os.rename(path + ".new", path)


def log(path, entry):
    """Appends one line of JSON; short lines of several processes do not mix."""
    with open(path, "a") as file:
        file.write(json.dumps(entry) + "\n")
