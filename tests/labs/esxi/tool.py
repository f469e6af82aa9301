"""`vim-cmd`, `vmkfstools`, `esxcli` and `vmware`: one program, its first word says which."""
import os
import signal
import sys
import time

import faults
import paths
import state
from reply import Reply


def work(name, words, reply):
    if name == "vim-cmd":
        import vim_cmd
        time.sleep(faults.control().get("latency", paths.plan()["latency"]))
        vim_cmd.run(words, reply)
    elif name == "vmkfstools":
        import vmkfstools
        vmkfstools.run(words, reply)
    elif name == "esxcli":
        import esxcli
        esxcli.run(words, reply)
    elif words == ["-v"]:
        reply.say("log", paths.version() + "\n")
    else:
        reply.unknown(name, words)


def replace(rule, reply):
    """The scripted answer in place of the real one."""
    reply.parts = []
    reply.say("scripted", rule.get("text", ""))
    reply.say("scripted", rule.get("stderr", ""), "err")
    reply.code = rule.get("code", 0)


def bend(rules, reply):
    """What rules make of the answer."""
    out = reply.text()
    for rule in rules:
        if rule["do"] == "prefix":
            out = rule["text"] + out
        elif rule["do"] == "crlf":
            out = out.replace("\n", "\r\n")
        elif rule["do"] == "truncate":
            out = out[:rule["bytes"]]
        elif rule["do"] == "flood":
            out += "x" * 79 + "\n"
            out += ("x" * 79 + "\n") * (rule["bytes"] // 80)
    return out


def main():
    # A closed connection must not end what the host has begun.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    name, words = sys.argv[1], sys.argv[2:]
    line, started = " ".join([name, *words]), time.time()
    reply = Reply(line)
    rules = faults.hitting("tool", line)
    reply.rules = rules
    faults.before(rules)
    scripted = next((r for r in rules if r["do"] in ("reply", "lie")), None)
    if not scripted or scripted["do"] == "lie":
        work(name, words, reply)
    if scripted:
        replace(scripted, reply)
    for rule in rules:
        if rule["do"] == "cut" and rule.get("when") == "after":
            faults.cut()
    state.log(paths.COMMANDS, {"time": round(started, 3), "ms": round((time.time() - started) * 1000), "tool": [name, *words],
                               "code": reply.code, "faults": [r["do"] for r in rules]})
    try:
        sys.stderr.write(reply.text("err"))
        sys.stderr.flush()
        sys.stdout.write(bend(rules, reply))
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    os._exit(reply.code)


main()
