"""What a registry of several servers stands on, for comparisons: Debian's PostgreSQL and s3s-fs, each a process of its own that ends with its
parent, at a loopback address that nothing else has."""
import itertools, os, pwd, signal, socket, subprocess, tempfile, time

_numbers = itertools.count(20)
BUCKET = "boxes"


def own_address():
    """Nobody else listens at it, so its port stays free when the part is started again."""
    pid = os.getpid()
    ip = f"127.{next(_numbers)}.{pid >> 8 & 255}.{max(1, min(254, pid & 255))}"
    with socket.socket() as probe:
        probe.bind((ip, 0))
        return "%s:%d" % probe.getsockname()


def ended_with_us(command, privileges=()):
    return ["setpriv", "--pdeathsig", "KILL", *privileges, "--", *command]


class Part:
    """A server process."""

    def __init__(self, name, command, address, log, environment=None):
        self.name, self.address, self.log = name, address, log
        with open(log, "a") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment)

    def wait(self, answers):
        """Until it answers; ends the script when it does not."""
        for _ in range(1200):
            if self.process.poll() is not None:
                break
            if answers(self.address):
                return self
            time.sleep(0.05)
        raise SystemExit(f"{self.name} does not start:\n{open(self.log).read()}")

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait()


def listens(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), 5).close()
        return True
    except OSError:
        return False


class Postgres(Part):
    """A cluster of its own. PostgreSQL refuses to be root: then it is `postgres`, whom the folder is given to."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kiste-postgres-")
        versions = os.listdir("/usr/lib/postgresql")
        self.programs = os.path.join("/usr/lib/postgresql", max(versions, key=float), "bin")
        privileges = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder.name, user.pw_uid, user.pw_gid)
            privileges = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        data, address = os.path.join(self.folder.name, "data"), own_address()
        make = [os.path.join(self.programs, "initdb"), "-D", data, "--auth=trust", "--username=kiste", "--no-sync", "--encoding=UTF8",
                "--locale=C.UTF-8"]
        subprocess.run(ended_with_us(make, privileges), check=True, stdout=subprocess.DEVNULL, cwd=self.folder.name)
        host, port = address.split(":")
        settings = ["fsync=off", "full_page_writes=off", "unix_socket_directories=", "max_connections=200"]
        serve = [os.path.join(self.programs, "postgres"), "-D", data, "-h", host, "-p", port]
        serve += [word for setting in settings for word in ("-c", setting)]
        super().__init__("postgres", ended_with_us(serve, privileges), address, os.path.join(self.folder.name, "log"))
        self.url = f"postgres://kiste@{address}/postgres"
        self.wait(lambda _: self._ready())

    def _ready(self):
        return subprocess.run([os.path.join(self.programs, "pg_isready"), "-q", "-d", self.url]).returncode == 0

    def ask(self, statement):
        """A statement's rows, a line each."""
        command = [os.path.join(self.programs, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", self.url, "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


class Bucket(Part):
    """s3s-fs, where `.ci/install test` puts it: beside the build that is tested."""

    def __init__(self, kiste):
        program = os.path.join(os.path.dirname(os.path.dirname(kiste)), "s3", "bin", "s3s-fs")
        if not os.path.isfile(program):
            raise SystemExit(f"`{program}` is missing; `.ci/install test` builds it")
        self.folder = tempfile.TemporaryDirectory(prefix="kiste-bucket-")
        self.data, address = os.path.join(self.folder.name, "data"), own_address()
        os.makedirs(os.path.join(self.data, BUCKET))
        host, port = address.split(":")
        serve = [program, "--host", host, "--port", port, "--access-key", "kiste", "--secret-key", "kiste-secret", self.data]
        log = os.path.join(self.folder.name, "log")
        super().__init__("s3s-fs", ended_with_us(serve), address, log, dict(os.environ, RUST_LOG="warn"))
        self.url = f"s3://{BUCKET}/registry"
        self.variables = {"AWS_ENDPOINT": f"http://{address}", "AWS_ACCESS_KEY_ID": "kiste", "AWS_SECRET_ACCESS_KEY": "kiste-secret",
                          "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}
        self.wait(listens)

    def unfinished(self):
        """Multipart uploads that the store still holds parts of."""
        return {name[len(".upload-"):-len(".json")] for name in os.listdir(self.data) if name.startswith(".upload-")}
