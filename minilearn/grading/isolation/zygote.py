"""A clean process that has numpy loaded and forks one child for each submission.

A fork takes milliseconds where a new Python with numpy takes 0.2 s. The zygote never sees a
submission. It is also the warden: children and whatever they may leave behind are its
descendants, it ends them, and it ends them all when the grader goes away. Linux only.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import random
import signal
import socket
import time

from . import jail

CONTROL = 0  # the socket to the grader
REQUESTS, REPLIES = 3, 4  # in the child
PATIENCE = 5.0  # seconds for ending survivors


class Zygote:
    """Forks and ends children as the grader asks."""

    def __init__(self, control: socket.socket):
        self.control = control
        self.children: set[int] = set()

    def run(self) -> bool:
        """Obey until the grader goes away; return True in a forked child."""
        while True:
            message, fds, _, _ = socket.recv_fds(self.control, 4096, 3)
            if not message:
                return self.end_all()
            order = json.loads(message)
            if "end" in order:
                self.answer(self.end(order["end"], order["grace"]))
                continue
            pid = os.fork()
            if pid == 0:
                settle(fds)
                return True
            self.children.add(pid)
            for fd in fds:
                os.close(fd)
            self.answer({"pid": pid})

    def answer(self, message: dict) -> None:
        """Report to the grader."""
        self.control.send(json.dumps(message).encode())

    def end(self, pid: int, grace: float) -> dict:
        """End a child that does not end by itself in time; say how it ended."""
        if pid not in self.children:
            return {"code": None}
        by_itself = ended(pid, grace)
        kill_group(pid)
        status = os.waitpid(pid, 0)[1]
        self.children.discard(pid)
        self.end_survivors()
        return {"code": os.waitstatus_to_exitcode(status) if by_itself else None}

    def end_survivors(self) -> None:
        """End adopted processes, until none is left. They are orphans of submissions."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            strays = set(children()) - self.children
            if not strays:
                return
            for pid in strays:
                kill_group(pid)
                os.waitpid(pid, 0)

    def end_all(self) -> bool:
        """End every child."""
        for pid in list(self.children):
            self.end(pid, 0)
        return False


def ended(pid: int, seconds: float) -> bool:
    """Wait for the end of a child, without collecting it."""
    deadline = time.monotonic() + seconds
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.001)
    return True


def kill_group(pid: int) -> None:
    """Kill a process and its group."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def children() -> list[int]:
    """List the children of this process."""
    me = os.getpid()
    try:
        with open(f"/proc/{me}/task/{me}/children") as listed:
            return [int(pid) for pid in listed.read().split()]
    except FileNotFoundError:  # a kernel without that list
        return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent(pid) == me]


def parent(pid: str) -> int:
    """Return the parent of a process, 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def settle(fds: list[int]) -> None:
    """Make a fresh fork a process of its own: session, files, random numbers."""
    jail.die_with_parent()
    os.setsid()
    requests, replies, output = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in fds)
    empty = os.open(os.devnull, os.O_RDONLY)
    places = {empty: 0, output: 1, requests: REQUESTS, replies: REPLIES}
    for fd, place in places.items():
        os.dup2(fd, place)
    os.dup2(1, 2)
    os.closerange(REPLIES + 1, 2**16)
    import numpy

    random.seed()
    numpy.random.seed()  # or every child would draw the same numbers


def serve() -> bool:
    """Be the zygote until the grader goes away; return True in each forked child."""
    from . import audit, lint, submission  # noqa: F401  (loaded once, for every child)

    jail.guard()
    jail.adopt()
    gc.freeze()
    control = socket.socket(fileno=CONTROL)
    forked = Zygote(control).run()
    control.detach()
    return forked
