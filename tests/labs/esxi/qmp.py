"""QEMU's monitor: one command, one answer."""
import json
import socket
import time


class Monitor:
    def __init__(self, path, timeout=60):
        self.place = socket.socket(socket.AF_UNIX)
        self.place.settimeout(timeout)
        self.place.connect(path)
        self.lines = self.place.makefile("r")
        self.lines.readline()
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        self.place.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        for line in self.lines:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise RuntimeError(f"{command}: QEMU has ended")

    def status(self):
        return self.run("query-status")["status"]

    def migrate(self, uri, limit=600):
        """Writes the machine's memory there; it stands still afterwards."""
        self.run("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.run("migrate", uri=uri)
        self._until(limit, lambda: self.run("query-migrate").get("status"), "completed", ("failed", "cancelled"))

    def wait_incoming(self, limit=600):
        self._until(limit, self.status, ("running", "paused", "postmigrate"), ("internal-error", "guest-panicked"))

    def job(self, name, limit=600):
        """Waits for a block job, and completes it where it waits to be."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            jobs = [j for j in self.run("query-jobs") if j["id"] == name]
            if not jobs:
                return
            if jobs[0]["status"] == "concluded":
                error = jobs[0].get("error")
                self.run("job-dismiss", id=name)
                if error:
                    raise RuntimeError(f"{name}: {error}")
                return
            if jobs[0]["status"] == "ready":
                self.run("job-complete", id=name)
            time.sleep(0.05)
        raise RuntimeError(f"{name}: not done after {limit} s")

    def _until(self, limit, ask, good, bad):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            answer = ask()
            if answer in good:
                return
            if answer in bad:
                raise RuntimeError(f"QEMU says {answer}")
            time.sleep(0.1)
        raise RuntimeError(f"QEMU is not done after {limit} s")
