"""Names of files inside the host's own root; FOLDER of the outside is /lab-state here."""
import json

STATE = "/lab-state"
RUN = f"{STATE}/run"
PLAN = f"{RUN}/plan.json"
CONTROL = f"{STATE}/control.json"
COMMANDS = f"{STATE}/commands.log"
REPLIES = f"{STATE}/replies.log"
UNKNOWN = f"{STATE}/unknown.log"
REPORT = f"{STATE}/report.json"
VOLUMES = "/vmfs/volumes"


def plan():
    with open(PLAN) as file:
        return json.load(file)


def version():
    """What `vmware -v` says."""
    return "VMware ESXi 6.7.0 build-17700523" if plan()["profile"] == "6.7" else "VMware ESXi 8.0.2 build-22380479"
