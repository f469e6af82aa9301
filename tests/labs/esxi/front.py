"""What clients connect to: passes bytes to sshd, and lets faults happen to connections.

Faults (`"in": "connection"`, matched against the connection's number): `drop` (closed at once, as sshd does above MaxStartups), `delay`
(`seconds` before the first byte), `silent` (never a byte), `cut` (reset after `bytes` from the client) and `stall` (no byte more after
`bytes`, the connection stays).
"""
import socket
import struct
import threading
import time

import faults
import paths
import state


class Front:
    def __init__(self, listener, target):
        self.listener, self.target, self.number, self.silent = listener, target, 0, []

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            self.number += 1
            threading.Thread(target=self.one, args=(client, self.number), daemon=True).start()

    def one(self, client, number):
        rules = faults.hitting("connection", str(number))
        state.log(paths.COMMANDS, {"time": round(time.time(), 3), "connection": number, "faults": [r["do"] for r in rules]})
        limits = {}
        for rule in rules:
            if rule["do"] == "drop":
                return client.close()
            if rule["do"] == "silent":
                return self.silent.append(client)
            if rule["do"] == "delay":
                time.sleep(rule["seconds"])
            if rule["do"] in ("cut", "stall"):
                limits[rule["do"]] = rule["bytes"]
        try:
            server = socket.create_connection(self.target)
        except OSError:
            return client.close()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.pass_on, args=(server, client, {}), daemon=True).start()
        self.pass_on(client, server, limits)

    def pass_on(self, source, sink, limits):
        seen = 0
        try:
            while data := source.recv(1 << 18):
                seen += len(data)
                if seen >= limits.get("cut", 1 << 62):
                    return self.reset(source, sink)
                if seen >= limits.get("stall", 1 << 62):
                    return self.silent.extend([source, sink])
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            self.end(source)
            self.end(sink)

    def reset(self, client, server):
        """Closes with RST: what is on its way is lost."""
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.end(server)
        client.close()

    @staticmethod
    def end(place):
        try:
            place.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
