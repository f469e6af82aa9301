"""VMX files (and VMSD, which have the same form): `key = "value"`, keys without case."""
import os
import re

LINE = re.compile(r'^\s*([^=\s#][^=]*?)\s*=\s*"(.*)"\s*$')


class Vmx:
    """Settings in their order; asked for by any case of the key."""

    def __init__(self, path, entries=None):
        self.path, self.entries = path, entries or {}

    @classmethod
    def read(cls, path):
        entries = {}
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                match = LINE.match(line)
                if match:
                    entries[match[1].lower()] = (match[1], unescape(match[2]))
        return cls(path, entries)

    def get(self, key, default=None):
        return self.entries.get(key.lower(), (key, default))[1]

    def true(self, key):
        return (self.get(key) or "").upper() in ("TRUE", "1", "YES")

    def set(self, key, value):
        self.entries[key.lower()] = (self.entries.get(key.lower(), (key,))[0], str(value))

    def drop(self, key):
        self.entries.pop(key.lower(), None)

    def write(self):
        temporary = self.path + "~"
        with open(temporary, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f'{key} = "{escape(value)}"\n' for key, value in self.entries.values())
        os.rename(temporary, self.path)

    @property
    def folder(self):
        return os.path.dirname(self.path)

    def resolve(self, name):
        """A file named in it, absolute."""
        return os.path.join(self.folder, name)

    def disks(self):
        """(node, path) of each hard disk that is present, in order of the nodes."""
        return [(node, self.resolve(self.get(f"{node}.fileName"))) for node in self.nodes() if not self.is_cd(node)]

    def is_cd(self, node):
        return (self.get(f"{node}.deviceType") or "").lower().startswith(("cdrom", "atapi"))

    def nodes(self):
        found = []
        for key in self.entries:
            match = re.fullmatch(r"((scsi|sata|ide|nvme)(\d+):(\d+))\.filename", key)
            if match and self.true(f"{match[1]}.present") and self.get(f"{match[1]}.fileName"):
                found.append((("scsi", "sata", "ide", "nvme").index(match[2]), int(match[3]), int(match[4]), match[1]))
        return [node for *_, node in sorted(found)]

    def nics(self):
        numbers = sorted(int(m[1]) for m in (re.fullmatch(r"ethernet(\d+)\.present", k) for k in self.entries) if m)
        return [n for n in numbers if self.true(f"ethernet{n}.present")]

    def mac(self, nic):
        return self.get(f"ethernet{nic}.address") or self.get(f"ethernet{nic}.generatedAddress")


def unescape(text):
    return re.sub(r"\|([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)


def escape(text):
    return "".join(f"|{ord(c):02X}" if c in '"|\n\r' else c for c in text)
