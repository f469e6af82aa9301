"""What a tool answers: each text with where it is known from.

Origins: `log` (seen in a public log of a real host), `doc` (documentation, or another program's parser), `guess` (reasoned). The report
at the end of a run says how many guesses were touched.
"""
import sys
import time

import paths
import state


class Refusal(Exception):
    """The host says no: a fault of `kind` with its sentence."""

    def __init__(self, kind, message, origin="log"):
        super().__init__(message)
        self.kind, self.message, self.origin = kind, message, origin


class Reply:
    def __init__(self, command):
        self.command, self.parts, self.code = command, [], 0

    def say(self, origin, text, stream="out"):
        self.parts.append((stream, text))
        self._note(origin, text)

    def now(self, origin, text):
        """Text that must be seen while the tool still works (progress)."""
        sys.stdout.write(text)
        sys.stdout.flush()
        if origin:
            self._note(origin, text)

    def fail(self, code=1):
        self.code = code
        return self

    def unknown(self, name, words):
        """A command that the model does not know: whoever uses it must first say what a real host answers."""
        state.log(paths.UNKNOWN, {"time": round(time.time(), 3), "words": [name, *words]})
        self.say("guess", f"esxi lab: unknown command: {name} {' '.join(words)}\n", "err")
        self.fail(113)

    def _note(self, origin, text):
        state.log(paths.REPLIES, {"time": round(time.time(), 3), "origin": origin, "command": self.command, "text": text[:200]})

    def text(self, stream="out"):
        return "".join(text for where, text in self.parts if where == stream)
