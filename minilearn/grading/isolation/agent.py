"""The main program of the process that runs a submission: `python -I -S agent.py MODE PATH`.

MODE is "zygote" (Linux: stay clean, and fork a child for each submission) or "direct" (be that
child). PATH is the folder that holds numpy. It answers calls with arrays and holds no secret: not
the reference, not the expected values, not the verdict.
"""

from __future__ import annotations

import importlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .submission import Submission

if not __package__:  # run as a script: these files are a package without minilearn above it
    import types

    __package__ = "isolation"
    sys.modules[__package__] = types.ModuleType(__package__)
    sys.modules[__package__].__path__ = [os.path.dirname(os.path.abspath(__file__))]


ALLOWED = ("math", "typing", "dataclasses", "functools", "itertools", "collections.abc", "enum",
           "numpy", "numpy.fft", "numpy.lib.stride_tricks", "numpy.linalg", "numpy.ma",
           "numpy.polynomial", "numpy.random", "numpy.testing", "numpy.typing")
# Python loads these when they are first needed, which may be after files are out of reach.
LATE = ("encodings.ascii", "encodings.idna", "encodings.latin_1", "encodings.utf_8_sig",
        "bisect", "copy", "decimal", "fractions", "hashlib", "heapq", "inspect", "json",
        "linecache", "operator", "pprint", "random", "statistics", "string", "textwrap", "time",
        "traceback")


SPARE = 2**22  # bytes, let go to be able to say that memory is used up


def preload(numpy_parent: str) -> None:
    """Import all that exercises may import. The folder does not stay on the path: torch is there.

    numpy finds its own modules through its own `__path__`, also later.
    """
    sys.path.append(numpy_parent)
    for name in ALLOWED + LATE:
        importlib.import_module(name)
    sys.path.remove(numpy_parent)
    sys.path_importer_cache.pop(numpy_parent, None)


class Agent:
    """Reads requests, writes replies, until the requests end."""

    def __init__(self, requests: int, replies: int):
        from . import protocol

        self.protocol, self.frames = protocol, protocol.Frames()
        self.requests, self.replies = requests, replies
        self.submission: Submission | None = None
        self.flags: list[str] = []
        self.spare = bytes(SPARE)

    def read(self):
        """Return the next request, or None at the end."""
        while (frame := self.frames.take()) is None:
            data = os.read(self.requests, max(self.frames.missing(), 1))
            if not data:
                return None
            self.frames.feed(data)
        return frame

    def write(self, head: dict, value=None, most=None) -> None:
        """Send one reply."""
        data = memoryview(self.protocol.encode(head, value, most or self.protocol.REPLY))
        while data:
            data = data[os.write(self.replies, data):]

    def serve(self) -> None:
        """Lock this process in, load the submission, then answer calls."""
        request = self.read()
        if request is None:
            return
        found, watched = self.lock_in(*request)
        try:
            self.load(found, watched)
            while (request := self.read()) is not None:
                self.reply(*request)
        except BaseException:  # broken by the submission: not to be shown as a fault of ours
            os._exit(1)

    def lock_in(self, head: dict, source: list) -> tuple[dict, list[str] | None]:
        """Lock this process in and look at the text; return the findings, and what to watch."""
        from . import jail, lint, submission

        content, file_name = source[0].tobytes(), source[1]
        readable = list(jail.readable())
        self.write({"measures": jail.enter(readable, **head["jail"])})
        found = lint.examine(content)
        self.write({}, found, self.protocol.REQUEST)
        self.submission = submission.Submission(content, file_name)
        return found, readable if head["watch"] else None

    def load(self, found: dict, watched: list[str] | None) -> None:
        """Import the submission, unless it is watched and its text is forbidden."""
        from . import audit

        outcome = {}
        if watched is not None:
            self.flags = audit.watch(watched)
            outcome = found["forbidden"]
        outcome = outcome or self.submission.load()
        flush()
        self.write(outcome | {"flags": self.flags})

    def reply(self, head: dict, call: list) -> None:
        """Answer one call."""
        result, value = self.answer(*call)
        flush()
        result |= {"id": head["id"], "flags": self.flags}
        try:
            self.write(result, value)
        except self.protocol.BadValue as error:
            self.write(result | {"status": "wrong_type", "message": str(error)})

    def answer(self, function, args, kwargs, driver):
        """Return what became of a call, and its value."""
        try:
            if missing := self.submission.missing(function):
                return missing, None
            return {"status": "ok"}, self.submission.answer(function, args, kwargs, driver)
        except BaseException as error:
            self.spare = b""
            return self.submission.failure(error), None
        finally:
            self.spare = bytes(SPARE)


def flush() -> None:
    """Send on what was printed; the streams may be the submission's own by now."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass


def direct() -> tuple[int, int]:
    """Return standard input and output, and let what is printed go where the errors go."""
    requests, replies = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return requests, replies


def main() -> None:
    """Start in the mode that the command line names."""
    mode, numpy_parent = sys.argv[1:]
    preload(numpy_parent)
    if mode == "direct":
        Agent(*direct()).serve()
        return
    from . import zygote

    if zygote.serve():
        Agent(zygote.REQUESTS, zygote.REPLIES).serve()


if __name__ == "__main__":
    main()
