"""OpenSSH's server with the settings of an 8.0.2 host, and two other profiles."""
import os
import subprocess

ALL = """
AddressFamily inet
ListenAddress {address}
Port {port}
PidFile none
HostKey /etc/ssh/ssh_host_rsa_key
HostKey /etc/ssh/ssh_host_ecdsa_key
{order}
UsePAM yes
PermitRootLogin yes
KbdInteractiveAuthentication yes
PubkeyAuthentication yes
AuthorizedKeysFile /etc/ssh/keys-%u/authorized_keys
StrictModes no
AllowTcpForwarding no
AllowStreamLocalForwarding no
AllowAgentForwarding no
GatewayPorts no
X11Forwarding no
PermitTunnel no
PrintLastLog no
PrintMotd no
UseDNS no
TCPKeepAlive yes
MaxStartups 10:30:100
MaxSessions 10
ClientAliveInterval 200
ClientAliveCountMax 3
RekeyLimit 64M 1H
Banner /etc/ssh/banner
SetEnv PATH=/bin:/sbin
"""
# FIPS: no ed25519, no curve25519.
HARDENED = """
PasswordAuthentication no
KexAlgorithms ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group14-sha256
Ciphers aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr
MACs hmac-sha2-256,hmac-sha2-512
PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-256,rsa-sha2-512
"""
OLD = "PasswordAuthentication yes\n"
SFTP = "Subsystem sftp /sbin/lab-sftp -f LOCAL5 -l INFO\n"
ECDSA_FIRST = "HostKeyAlgorithms ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256"
RSA_FIRST = "HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256"
BANNER = ("WARNING:\n   All commands run on the ESXi shell are logged and may be included in\n   support bundles. "
          "Do not provide passwords directly on the command line.\n\n")


class Server:
    """The server behind the front; restarted when its keys or its profile change."""

    def __init__(self, address, port, profile):
        self.address, self.port, self.profile, self.order, self.process = address, port, profile, ECDSA_FIRST, None

    def keys(self):
        for kind, bits in (("rsa", "2048"), ("ecdsa", "256")):
            path = f"/etc/ssh/ssh_host_{kind}_key"
            for old in (path, path + ".pub"):
                if os.path.exists(old):
                    os.unlink(old)
            subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-f", path], check=True)

    def start(self):
        self.stop()
        os.makedirs("/etc/ssh/keys-root", exist_ok=True)
        text = ALL.format(address=self.address, port=self.port, order=self.order)
        text += OLD if self.profile == "6.7" else HARDENED
        text += "" if self.profile == "no-sftp" else SFTP
        with open("/etc/ssh/banner", "w") as file:
            file.write(BANNER)
        with open("/etc/ssh/sshd_config", "w") as file:
            file.write(text)
        log = open("/lab-state/sshd.log", "a")
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/sshd_config"], stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log)

    def stop(self):
        """Ends the listener; sessions that are open go on."""
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None
