"""Root's login shell: notes each command line, lets faults happen to it, then is busybox ash."""
import os
import sys
import time

import faults
import paths
import state

DEFAULTS = {"PATH": "/bin:/sbin", "SHELL": "/bin/ash", "HOME": "/"}


def main():
    words = sys.argv[1:]
    environment = {k: v for k, v in os.environ.items() if k in ("USER", "LOGNAME", "TERM") or k.startswith(("SSH_", "LC_", "LANG"))}
    environment.update(DEFAULTS)
    if words[:1] != ["-c"]:
        os.execve("/bin/ash", ["-ash"], environment)
    line = words[1]
    if line.startswith("/sbin/lab-sftp"):
        os.execve("/bin/ash", ["ash", "-c", line], environment)
    rules = faults.hitting("shell", line)
    state.log(paths.COMMANDS, {"time": round(time.time(), 3), "shell": line, "faults": [r["do"] for r in rules]})
    faults.before(rules)
    for rule in rules:
        if rule["do"] == "prefix":
            os.write(1, rule["text"].encode())
        elif rule["do"] == "reply":
            os.write(1, rule.get("text", "").encode())
            os.write(2, rule.get("stderr", "").encode())
            os._exit(rule.get("code", 0))
    os.execve("/bin/ash", ["ash", *words], environment)


main()
