"""A submission in a process of its own, and the same interface without one.

The child only turns arguments into results. What it prints, returns, exits with or writes is never
a verdict; whatever it does, the grader gets a `Reply` within the limits.
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np

from ..verdicts import Status
from . import audit, jail, lint
from .channel import Channel, Gone
from .launch import LaunchError, launch, warm
from .local import Local
from .protocol import ProtocolError, encode
from .reply import Reply, autopsy, clean, reply_of

__all__ = ["Child", "Limits", "Local", "Reply", "probe", "warm"]

GRACE = 0.25  # seconds in which a child that closed its pipe may end by itself
START = 30.0  # seconds for a process to start, on a busy machine
BEST = 3  # tier


@dataclass(frozen=True)
class Limits:
    """What a child may use. Times in seconds, sizes in bytes."""

    call: float = 2.0
    load: float = 10.0
    memory: int = 2**30
    cpu: int = 60  # processor time of one process
    output: int = 2**16  # kept of what it prints
    restarts: int = 3  # for each function that ends it


class Child:
    """A submission in an isolated process. Starts when first needed; use it in a `with` block."""

    def __init__(self, source: bytes, file_name: str, limits: Limits | None = None,
                 tier: int | None = None, watch: bool = True):
        self.source, self.file_name, self.limits = source, file_name, limits or Limits()
        self.wanted, self.watch = BEST if tier is None else tier, watch
        self.flags: list[str] = []
        self.findings: dict = {}
        self.channel: Channel | None = None
        self.failure: Reply | None = None  # of the import: it stays
        self.ids = count(1)
        self.deaths: Counter[str] = Counter()
        self.last: dict[str, Reply] = {}
        self.measures: list[str] = []
        self._printed, self._truncated = bytearray(), False

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fresh(self) -> Child:
        """Return another child for the same submission, which has answered nothing yet."""
        other = Child(self.source, self.file_name, self.limits, self.wanted, self.watch)
        other.failure = self.failure
        return other

    def close(self) -> None:
        """End the process. A later call starts a new one."""
        self._end()

    @property
    def tier(self) -> int:
        """The isolation level in force."""
        self._start()
        return jail.tier_of(self.measures)

    @property
    def output(self) -> str:
        """The beginning of what the submission has printed."""
        text = bytes(self._printed + (self.channel.printed if self.channel else b""))
        lines = text[:self.limits.output].decode(errors="replace").splitlines()
        return "\n".join(clean(line, self.limits.output) for line in lines)

    @property
    def truncated(self) -> bool:
        """Whether it has printed more than is kept."""
        return self._truncated or self.channel is not None and self.channel.truncated

    # ------------------------------------------------------------ questions

    def call(self, function: str, args: tuple, kwargs: dict, driver: str | None = None) -> Reply:
        """Call `function(*args, **kwargs)`, or `drive(module, function, *args, **kwargs)`.

        driver: the text that defines `drive`, where a plain call is not enough; it has numpy as np.
        """
        if self.deaths[function] > self.limits.restarts:
            return self.last[function]
        if not self._start():
            return self.failure
        number, started = next(self.ids), time.monotonic()
        request = encode({"id": number}, [function, tuple(args), dict(kwargs), driver])
        try:
            head, value = self.channel.ask(request, self.limits.call)
            if head.get("id") != number:
                raise ProtocolError("a reply to another request")
            reply = reply_of(head, value)
            self._note(head)
        except (TimeoutError, Gone, ProtocolError) as error:
            reply = self._died(error)
            self.deaths[function] += reply.status != Status.TIMEOUT  # these cost enough time
            self.last[function] = reply
        except BaseException:  # interrupted: the reply would be taken for the next one's
            self._end()
            raise
        return replace(reply, seconds=time.monotonic() - started)

    def forbidden(self, function: str, names: Collection[str]) -> Reply:
        """Say whether a function, or what it calls in its file, uses one of the forbidden names."""
        if not self._start():
            return self.failure
        if found := lint.forbidden(self.findings, function, names):
            return reply_of(found)
        return Reply("ok")

    def called(self, function: str) -> list[str]:
        """Name a function and everything in its file that it calls, directly or through others."""
        return lint.called(self.findings, function) if self._start() else []

    # ------------------------------------------------------------ the process

    def _start(self) -> bool:
        """Start the process and let it import the submission; say whether that worked."""
        if self.channel is None and self.failure is None:
            self.channel = Channel(launch(), self.limits.output)
            try:
                self._lock_in()
                self.failure = self._load()
            except (TimeoutError, Gone, ProtocolError) as error:
                self.failure = self._died(error)
                if self.failure.status == Status.TIMEOUT:
                    message = f"took longer than {self.limits.load:g} s to import"
                    self.failure = Reply(Status.IMPORT_ERROR, message=message)
            except BaseException:
                self._end()
                raise
        return self.failure is None

    def _lock_in(self) -> None:
        """Hand the file over; note how the process has locked itself in, before it reads it."""
        limits = {"tier": self.wanted, "memory": self.limits.memory, "cpu": self.limits.cpu}
        source = np.frombuffer(self.source, np.uint8)
        request = encode({"jail": limits, "watch": self.watch}, [source, self.file_name])
        try:
            head, _ = self.channel.ask(request, START)
        except (TimeoutError, Gone, ProtocolError):
            raise LaunchError("the process for the submission did not start") from None
        self.measures = head["measures"]

    def _load(self) -> Reply | None:
        """Take the findings about the text, then the outcome of the import."""
        _, self.findings = self.channel.receive(self.limits.load)
        self.channel.distrust()
        self.flags += [flag for flag in self.findings["flags"] if flag not in self.flags]
        head, _ = self.channel.receive(self.limits.load)
        self._note(head)
        reply = reply_of(head)
        return None if reply.status == "ok" else reply

    def _note(self, head: dict) -> None:
        flags = head.get("flags")
        if isinstance(flags, list):
            known = [f for f in flags if isinstance(f, str) and f in audit.FLAGS]
            self.flags += [f for f in dict.fromkeys(known) if f not in self.flags]

    def _died(self, error: Exception) -> Reply:
        """End the process after a failure, and say what the failure was."""
        if isinstance(error, Gone):
            return autopsy(self._end(GRACE))
        self._end()
        if isinstance(error, TimeoutError):
            seconds = self.limits.call
            return Reply(Status.TIMEOUT, message=f"took longer than {seconds:g} s")
        return Reply(Status.PROTOCOL, message=f"sent {error}")

    def _end(self, grace: float = 0.0) -> int | None:
        if self.channel is None:
            return None
        channel, self.channel = self.channel, None
        code = channel.close(grace)
        room = self.limits.output - len(self._printed)
        self._printed += channel.printed[:room]
        self._truncated |= channel.truncated or len(channel.printed) > room
        return code


# ---------------------------------------------------------------- what the machine offers

ATTEMPTS = Path(__file__).with_name("attempts.py")


@cache
def probe() -> int:
    """Return the tier that this machine offers: what a child claims, if every attempt agrees."""
    with Child(ATTEMPTS.read_bytes(), ATTEMPTS.name, Limits(call=10.0), watch=False) as child, \
            tempfile.NamedTemporaryFile() as secret, \
            socket.create_server(("127.0.0.1", 0)) as server:
        if child.tier < 2:
            return child.tier
        place = (os.path.abspath(secret.name), server.getsockname()[1], os.getpid())
        reply = child.call("escapes", place, {})
        return child.tier if reply.status == "ok" and reply.value == [] else 1
