"""The sftp subsystem: OpenSSH's own server, or between it and the client a reader of its packets that lets faults happen.

Faults (`"in": "sftp"`, matched against "sftp"): `cut` and `stall` after `bytes` of written data, `short` (one write loses its last half
but is acknowledged).
"""
import os
import struct
import subprocess
import sys
import threading

import faults
import paths
import state

SERVER = ["/usr/lib/openssh/sftp-server", *sys.argv[1:]]
WRITE = 6


def exactly(stream, number):
    data = stream.read(number)
    if len(data) < number:
        raise EOFError
    return data


def shorten(body):
    """An SSH_FXP_WRITE (id, handle, offset, data) with half of its data."""
    handle = struct.unpack(">I", body[5:9])[0]
    at = 9 + handle + 8
    data = body[at + 4:]
    data = data[:len(data) // 2]
    return body[:at] + struct.pack(">I", len(data)) + data


def pump(server, rules):
    written, source = 0, sys.stdin.buffer
    try:
        while True:
            body = exactly(source, struct.unpack(">I", exactly(source, 4))[0])
            if body[0] == WRITE:
                written += len(body)
                for rule in [r for r in rules if written >= r.get("bytes", 0)]:
                    rules.remove(rule)
                    if rule["do"] == "short":
                        body = shorten(body)
                    else:
                        faults.cut(stop=rule["do"] == "stall")
            server.stdin.write(struct.pack(">I", len(body)) + body)
            server.stdin.flush()
    except (EOFError, BrokenPipeError):
        pass
    server.stdin.close()


def main():
    rules = faults.hitting("sftp", "sftp")
    state.log(paths.COMMANDS, {"sftp": "session", "faults": [r["do"] for r in rules]})
    if not rules:
        os.execv(SERVER[0], SERVER)
    server = subprocess.Popen(SERVER, stdin=subprocess.PIPE)
    threading.Thread(target=pump, args=(server, list(rules)), daemon=True).start()
    os._exit(server.wait())


main()
