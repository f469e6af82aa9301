"""The host's check of a password, called by PAM: one user, one password, locked after five failures in a row."""
import os
import sys
import time

import faults
import paths
import state

ALLOWED = 5


def main():
    # PAM asks again for the credentials and the session; only the first question has a password.
    if os.environ.get("PAM_TYPE") != "auth":
        sys.exit(0)
    given = sys.stdin.buffer.read().rstrip(b"\0").decode(errors="replace")
    with state.locked() as known:
        failures = known.get("failures", 0)
        right = os.environ.get("PAM_USER") == "root" and given == paths.plan()["password"]
        locked = failures >= faults.control().get("lock_after", ALLOWED)
        known["failures"] = 0 if right and not locked else failures + 1
    state.log(paths.COMMANDS, {"time": round(time.time(), 3), "password": "accepted" if right and not locked else "refused", "locked": locked})
    sys.exit(0 if right and not locked else 1)


main()
