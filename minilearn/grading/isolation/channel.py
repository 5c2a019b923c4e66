"""Asking a submission's process, with a deadline, while what it prints is drained."""

from __future__ import annotations

import os
import selectors
import time
from typing import Any

from .launch import Process
from .protocol import REPLY, Frames, ProtocolError

CHUNK = 2**16
PATIENCE = 3  # a machine that is busy gives this many times the time, once
LOOK = 0.2  # seconds after which a call is slow enough to look at what its process does


class Gone(Exception):
    """The process has closed its end."""


def usage(pid: int) -> tuple[bool, float]:
    """Return whether a process wants to run, and its processor time so far (Linux; else no)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return False, 0.0
    ticks = int(fields[11]) + int(fields[12])
    return fields[0] in (b"R", b"D"), ticks / os.sysconf("SC_CLK_TCK")


class Deadline:
    """The end of the time for one reply. A process that was kept waiting gets more, once."""

    def __init__(self, seconds: float, pid: int):
        self.seconds, self.pid = seconds, pid
        self.started = time.monotonic()
        self.looked: tuple[float, float] | None = None  # when, and the processor time then
        self.limit = seconds

    def left(self) -> float:
        """Return for how long to wait. Raises TimeoutError when the time is over."""
        passed = time.monotonic() - self.started
        if passed >= self.limit and not self._extend(passed):
            raise TimeoutError
        if self.looked is None and passed >= LOOK:
            self.looked = passed, usage(self.pid)[1]
        return self.limit - passed if self.looked else min(LOOK, self.limit) - passed

    def _extend(self, passed: float) -> bool:
        if self.limit > self.seconds or self.looked is None:
            return False
        waiting, used = usage(self.pid)
        if not waiting or used - self.looked[1] >= (passed - self.looked[0]) / 2:
            return False
        self.limit = PATIENCE * self.seconds
        return True


class Channel:
    """The grader's end of the pipes to one process."""

    def __init__(self, process: Process, keep: int):
        self.process, self.keep = process, keep
        self.frames, self.printed, self.truncated = Frames(), bytearray(), False
        self.unsent = memoryview(b"")
        self.selector = selectors.DefaultSelector()
        self.selector.register(process.replies, selectors.EVENT_READ, self._read_reply)
        self.selector.register(process.output, selectors.EVENT_READ, self._read_output)

    def ask(self, frame: bytes, seconds: float) -> tuple[dict, Any]:
        """Send a request and return its reply.

        Raises TimeoutError, Gone, or ProtocolError: also for a reply that came before its request.
        """
        self._poll(0)
        if self.frames.bytes:
            raise ProtocolError("a reply before its request")
        self.unsent = memoryview(frame)
        self._send()
        return self.receive(seconds)

    def receive(self, seconds: float) -> tuple[dict, Any]:
        """Return the next reply."""
        deadline = Deadline(seconds, self.process.pid)
        while (reply := self.frames.take()) is None:
            self._poll(max(0.0, deadline.left()))
        self._drain()
        return reply

    def distrust(self) -> None:
        """Take no large frames any more: from now on the submission may write them."""
        self.frames.most = REPLY

    def close(self, grace: float = 0.0) -> int | None:
        """End the process, and return its exit code if it ended by itself in time."""
        try:
            code = self.process.end(grace)
            self.process.output.settle()
            self._drain()
            return code
        finally:
            self.selector.close()
            self.process.close()

    def _poll(self, seconds: float) -> None:
        for key, _ in self.selector.select(seconds):
            key.data()

    def _send(self) -> None:
        """Send as much as the pipe takes; the rest when there is room again."""
        try:
            while self.unsent:
                self.unsent = self.unsent[os.write(self.process.requests, self.unsent):]
        except BlockingIOError:
            if self.process.requests not in self.selector.get_map():
                write = selectors.EVENT_WRITE
                self.selector.register(self.process.requests, write, self._send)
            return
        except OSError:
            raise Gone from None
        if self.process.requests in self.selector.get_map():
            self.selector.unregister(self.process.requests)

    def _read_reply(self) -> None:
        try:
            data = self.process.replies.read(max(CHUNK, self.frames.missing()))
        except BlockingIOError:
            return
        if not data:
            raise Gone
        self.frames.feed(data)

    def _read_output(self) -> bool:
        """Keep the beginning of what is printed; say whether there may be more."""
        try:
            data = self.process.output.read(CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self.selector.unregister(self.process.output)
            return False
        room = self.keep - len(self.printed)
        self.printed += data[:room]
        self.truncated = self.truncated or len(data) > room
        return True

    def _drain(self) -> None:
        """Take what was printed before the reply."""
        while self.process.output in self.selector.get_map() and self._read_output():
            if self.truncated:
                break
