"""`vmkfstools`: makes, clones, grows, renames and deletes disks, with the texts and the half-done files of the real one."""
import json
import os
import re
import subprocess

import inventory
import machines
import vmdk
from reply import Refusal

FULL = "There is not enough space on the file system for the selected operation (13)."
FORMATS = {"thin": "VMFS thin-provisioned", "zeroedthick": "VMFS zeroedthick", "eagerzeroedthick": "VMFS eagerzeroedthick",
           "2gbsparse": "2GB sparse extents"}
UNITS = {"k": 10, "m": 20, "g": 30, "t": 40, "": 0, "b": 0, "s": 9}


def run(words, reply):
    options, files, unknown = parse(words)
    verb = next((v for v in VERBS if v in options), None)
    if unknown or not verb or not files:
        return reply.unknown("vmkfstools", words)
    try:
        VERBS[verb](options, [inventory.meant(f) for f in files], files, reply)
    except Refusal as refusal:
        reply.say(refusal.origin, refusal.message + "\n", "err")
        reply.fail(255)
    return None


LONG = {"--clonevirtualdisk": "-i", "--createvirtualdisk": "-c", "--extendvirtualdisk": "-X", "--deletevirtualdisk": "-U",
        "--renamevirtualdisk": "-E", "--diskformat": "-d", "--adaptertype": "-a", "--punchzero": "-K", "--fix": "-x"}


def parse(words):
    """Options with their values, the other words, and whether one is not known."""
    options, files, unknown, words = {}, [], False, list(words)
    while words:
        word = words.pop(0)
        word = LONG.get(word, word)
        if word in ("-i", "-E"):
            options[word] = True
        elif word in ("-c", "-X", "-d", "-a", "-x") and words:
            options[word] = words.pop(0)
        elif word in ("-U", "-K", "-e", "-t0"):
            options[word] = True
        elif word.startswith("-"):
            unknown = True
        else:
            files.append(word)
    return options, files, unknown


def size(text):
    match = re.fullmatch(r"(\d+)([kmgtbs]?)b?", text.lower())
    if not match:
        raise Refusal("usage", f"Invalid size specifier: {text}", "guess")
    return int(match[1]) << UNITS[match[2]]


def must_be_free(path, shown):
    if os.path.exists(path):
        raise Refusal("exists", f"Failed to create virtual disk: The file already exists (39).\n{shown}", "guess")
    if not os.path.isdir(os.path.dirname(path)):
        raise Refusal("missing", f"Failed to create virtual disk: The system cannot find the file specified (25).\n{shown}", "guess")


def kind(options):
    chosen = options.get("-d", "zeroedthick").lower()
    if chosen not in FORMATS:
        raise Refusal("usage", f"Invalid disk format: {chosen}", "guess")
    return chosen


def create(options, files, shown, reply):
    must_be_free(files[0], shown[0])
    total, thin = size(options["-c"]), kind(options) == "thin"
    flat(vmdk.stem(files[0]) + "-flat.vmdk", total, thin, "Failed to create virtual disk")
    vmdk.write_base(files[0], total, options.get("-a", "lsilogic"), thin)
    reply.say("log", "Create: 100% done.\n")


def flat(path, total, thin, what):
    """The file of a disk: its full room is taken at once unless it is thin."""
    with open(path, "wb") as file:
        if thin:
            file.truncate(total)
            return
        if machines.free(os.path.dirname(path)) < total:
            os.unlink(path)
            raise Refusal("full", f"{what}: {FULL}")
        if total:
            os.posix_fallocate(file.fileno(), 0, total)


def clone(options, files, shown, reply):
    source, target = files[0], files[1]
    disk = vmdk.read(source)
    if disk.kind == "stream":
        # No log shows that a host takes one; a driver must convert before.
        raise Refusal("DiskLib", f"Failed to open '{shown[0]}': The file specified is not a virtual disk (15).", "guess")
    must_be_free(target, shown[1])
    chosen = kind(options)
    reply.now("log", f"Destination disk format: {FORMATS[chosen]}\nCloning disk '{shown[0]}'...\n")
    stop = next((r["percent"] for r in reply.rules if r["do"] == "break"), 101)
    whole = vmdk.whole(source) if disk.kind in ("vmfs", "delta") else {"driver": "vmdk", "file": {"driver": "file", "filename": source}}
    if chosen == "2gbsparse":
        convert(whole, ["-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"], target, stop, reply)
        return
    image = vmdk.stem(target) + "-flat.vmdk"
    flat(image, disk.size, chosen == "thin", "Failed to clone disk")
    convert(whole, ["-O", "raw", "-n"] if chosen != "thin" else ["-O", "raw", "-n", "--target-is-zero"], image, stop, reply)
    vmdk.write_base(target, disk.size, disk.entries.get("ddb.adapterType", "lsilogic"), chosen == "thin")


def convert(whole, options, target, stop, reply):
    """Copies, redrawing the percents with carriage returns. What is half written stays, as a cut-off clone leaves it."""
    words = [vmdk.IMG, "convert", "-p", *options, "json:" + json.dumps(whole), target]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seen, text = -1, b""
    while data := os.read(process.stdout.fileno(), 4096):
        text = (text + data)[-40:]
        found = re.findall(rb"\((\d+)\.\d+/100%\)", text)
        if found and int(found[-1]) > seen:
            seen = int(found[-1])
            reply.now(None, f"Clone: {seen}% done.\r")
        if seen >= stop:
            process.kill()
    complaint = process.stderr.read().decode(errors="replace")
    if process.wait() == 0 and seen < stop:
        reply.now("log", "Clone: 100% done.\n")
    elif "No space left" in complaint:
        raise Refusal("full", f"Failed to clone disk: {FULL}")
    else:
        raise Refusal("io", "Failed to clone disk: Input/output error (327689).")


def grow(options, files, shown, reply):
    disk, total = vmdk.read(files[0]), size(options["-X"])
    if disk.kind != "vmfs":
        raise Refusal("chain", "Failed to extend disk: The disk has one or more partial chains. Please open the parent virtual disk.", "guess")
    if total < disk.size:
        raise Refusal("shrink", "Failed to extend disk: One of the parameters supplied is invalid (1).", "guess")
    if not disk.entries.get("ddb.thinProvisioned") and machines.free(os.path.dirname(files[0])) < total - disk.size:
        raise Refusal("full", f"Failed to extend disk: {FULL}")
    with open(disk.extent, "r+b") as file:
        file.truncate(total)
        if not disk.entries.get("ddb.thinProvisioned") and total > disk.size:
            os.posix_fallocate(file.fileno(), disk.size, total - disk.size)
    vmdk.edit(files[0], lambda text: re.sub(r"^RW \d+ ", f"RW {total // vmdk.SECTOR} ", text, flags=re.M))
    reply.say("guess", "Grow: 100% done.\n")


def delete(options, files, shown, reply):
    if not os.path.exists(files[0]):
        raise Refusal("missing", f"Failed to delete virtual disk: The system cannot find the file specified (25).\n{shown[0]}", "guess")
    vmdk.delete(files[0])


def rename(options, files, shown, reply):
    """Descriptor and extent together."""
    disk = vmdk.read(files[0])
    if disk.kind != "vmfs":
        raise Refusal("chain", "Failed to rename disk: The disk has one or more partial chains. Please open the parent virtual disk.")
    must_be_free(files[1], shown[1])
    new = vmdk.stem(files[1]) + "-flat.vmdk"
    os.rename(disk.extent, new)
    os.rename(files[0], files[1])
    name = os.path.basename(new)
    vmdk.edit(files[1], lambda text: re.sub(r'VMFS "[^"]+"', lambda _: f'VMFS "{name}"', text))


def check(options, files, shown, reply):
    vmdk.chain(files[0])
    reply.say("guess", "Disk chain is consistent.\n")


def extents(options, files, shown, reply):
    """What is written and what is a hole; the terraform provider tells thin from thick by it."""
    disk = vmdk.read(files[0])
    mark = "VMFS Z-" if disk.entries.get("ddb.thinProvisioned") else "VMFS --"
    reply.say("doc", f"Mapping for file {shown[0]} ({disk.size} bytes in size):\n[           0:{disk.size:12}] --> [{mark} LVID:"
                     f"00000000-00000000-0000-000000000000/00000000-00000000-0000-000000000000/1:(           0 -->{disk.size:12})]\n")


def punch(options, files, shown, reply):
    subprocess.run(["/bin/fallocate" if os.path.exists("/bin/fallocate") else "/usr/bin/fallocate", "-d", vmdk.read(files[0]).extent], check=True)
    reply.say("guess", "Hole Punching: 100% done.\n")


def fix(options, files, shown, reply):
    vmdk.chain(files[0])
    reply.say("guess", "Disk is error free\n")


VERBS = {"-i": clone, "-c": create, "-X": grow, "-U": delete, "-E": rename, "-e": check, "-t0": extents, "-K": punch, "-x": fix}
