"""The first process of the host: inventory, sshd, front, orders on stdin, and the end."""
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time

import accel
import front
import paths
import report
import seed
import sshd
import state


def reap(server):
    """As first process it inherits what tools leave behind; sshd's own end is for its starter to see."""
    while True:
        try:
            child = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            mine = server.process and child.si_pid == server.process.pid
            if not mine:
                os.waitpid(child.si_pid, 0)
            else:
                time.sleep(0.05)
        except ChildProcessError:
            time.sleep(0.1)


def wait_for(server):
    for _ in range(200):
        try:
            with socket.create_connection((server.address, server.port), timeout=1) as place:
                if place.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    sys.exit("esxi lab: sshd does not answer; see sshd.log")


def obey(words, server):
    """One order of stdin; what it has to say."""
    if words[0] == "report":
        return report.write()
    if words[0] == "new-keys":
        server.keys()
    elif words[0] in ("rsa-first", "ecdsa-first"):
        server.order = sshd.RSA_FIRST if words[0] == "rsa-first" else sshd.ECDSA_FIRST
    elif words[0] == "profile":
        server.profile = words[1]
    elif words[0] == "unlock":
        with state.locked() as known:
            known["failures"] = 0
        return {"done": words}
    else:
        return {"unknown": words}
    server.start()
    wait_for(server)
    return {"done": words}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    plan = paths.plan()
    plan["password"] = secrets.token_urlsafe(9)
    plan["accel"] = accel.choose(plan["accel"])
    state.write(paths.PLAN, plan)
    for old in ("state.json", "faults.json"):
        if os.path.exists(f"{paths.RUN}/{old}"):
            os.unlink(f"{paths.RUN}/{old}")
    seed.sow(plan)
    server = sshd.Server(f"{plan['net']}.2", 2200, plan["profile"])
    server.keys()
    server.start()
    wait_for(server)
    threading.Thread(target=reap, args=(server,), daemon=True).start()
    listener = socket.socket(fileno=plan["listener"])
    threading.Thread(target=front.Front(listener, (server.address, server.port)).serve, daemon=True).start()
    print(json.dumps({"host": f"{plan['net']}.1", "port": plan["port"], "user": "root", "password": plan["password"],
                      "guest_port": plan["port"], "folder": plan["folder"], "profile": plan["profile"], "accel": plan["accel"],
                      "datastores": list(plan["volumes"])}), flush=True)
    try:
        for line in sys.stdin:
            if line.split():
                print(json.dumps(obey(line.split(), server)), flush=True)
    finally:
        report.write()


main()
