"""What a run did: replies by origin, which guesses were touched, unknown commands, and whether other people's machines survived."""
import collections
import json
import os

import paths
import seed
import state


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def write():
    replies = lines(paths.REPLIES)
    guesses = collections.Counter((" ".join(r["command"].split(" ")[:2]), r["text"].strip()[:90]) for r in replies if r["origin"] == "guess")
    told = {
        "works_against": "our model of an ESXi host, never: ESXi itself",
        "replies": dict(collections.Counter(r["origin"] for r in replies)),
        "guesses": [{"command": command, "text": text, "times": times} for (command, text), times in sorted(guesses.items())],
        "unknown_commands": [line["words"] for line in lines(paths.UNKNOWN)],
        "foreign_changed": seed.changed(),
        "faults": dict(collections.Counter(f for line in lines(paths.COMMANDS) for f in line.get("faults", []))),
    }
    state.write(paths.REPORT, told)
    return told
