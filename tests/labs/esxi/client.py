"""A plain OpenSSH client of the host, for its self-test: keyboard-interactive through SSH_ASKPASS, no other program."""
import json
import os
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Lab:
    """A host that runs as long as this object is open."""

    def __init__(self, folder, *words):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.process = subprocess.Popen([f"{HERE}/run", folder, "--latency", "0", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.told = json.loads(self.process.stdout.readline())
        self.secret = os.path.join(folder, "askpass")
        self.password(self.told["password"])

    def password(self, text):
        with open(self.secret, "w") as file:
            file.write(f"#!/bin/sh\necho '{text}'\n")
        os.chmod(self.secret, 0o700)

    def order(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def control(self, **rules):
        with open(f"{self.folder}/control.json.new", "w") as file:
            json.dump(rules, file)
        os.rename(f"{self.folder}/control.json.new", f"{self.folder}/control.json")

    def end(self):
        self.process.stdin.close()
        return self.process.wait(60)

    def _run(self, words, patience, text=None, options=(), target=None, method="keyboard-interactive", hosts=None):
        environment = os.environ | {"SSH_ASKPASS": self.secret, "SSH_ASKPASS_REQUIRE": "force"}
        environment.pop("SSH_AUTH_SOCK", None)
        line = [words[0], "-F", "none", "-o", f"StrictHostKeyChecking={'yes' if hosts and os.path.exists(hosts) else 'no'}",
                "-o", f"UserKnownHostsFile={hosts or '/dev/null'}", "-o", "LogLevel=ERROR", "-o", f"PreferredAuthentications={method}",
                "-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=15", "-o", f"Port={self.told['port']}", *options,
                target or f"root@{self.told['host']}", *words[1:]]
        try:
            done = subprocess.run(line, input=(text or "").encode(), capture_output=True, timeout=patience, check=False, env=environment)
            return subprocess.CompletedProcess(line, done.returncode, *(s.decode(errors="replace") for s in (done.stdout, done.stderr)))
        except subprocess.TimeoutExpired as late:
            return subprocess.CompletedProcess(line, 124, (late.stdout or b"").decode(errors="replace"), "too late")

    def ssh(self, command, patience=300, **options):
        """Runs it there: code, stdout, stderr."""
        return self._run(["ssh", command], patience, **options)

    def out(self, command, patience=300):
        done = self.ssh(command, patience)
        assert done.returncode == 0, f"{command}: {done}"
        return done.stdout

    def put(self, source, target, patience=600):
        return self._run(["sftp"], patience, f'put "{source}" "{target}"\n', ["-oBatchMode=no", "-b", "-"])

    def guest(self, address, command, patience=120):
        """Runs it inside a machine, as the box's own user."""
        self.password("vagrant")
        try:
            return self._run(["ssh", command], patience, target=f"vagrant@{address}", method="password,keyboard-interactive")
        finally:
            self.password(self.told["password"])

    def wait(self, what, condition, patience=600, pause=0.5):
        """Asks until it is so."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            got = condition()
            if got:
                return got
            time.sleep(pause)
        raise AssertionError(f"{what}: not so after {patience} s")
