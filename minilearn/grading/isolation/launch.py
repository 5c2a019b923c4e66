"""How the process of a submission comes to be: forked from a zygote on Linux, else started anew."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

AGENT = Path(__file__).with_name("agent.py")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
KEPT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # without these no Python starts
PATIENCE = 30.0  # seconds for an answer of the zygote; it may just be starting
SETTLED = 1.0  # seconds for the last that a process has printed to arrive


class LaunchError(RuntimeError):
    """The process for a submission could not be started: the grader's fault, not the learner's."""


def start(mode: str, **streams) -> subprocess.Popen:
    """Start the agent's program in an empty environment and a session of its own."""
    command = [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(AGENT), mode,
               str(Path(np.__file__).parents[1])]
    environment = ONE_THREAD | {"VECLIB_MAXIMUM_THREADS": "1"}
    environment |= {name: os.environ[name] for name in KEPT if name in os.environ}
    return subprocess.Popen(command, env=environment, cwd=os.path.abspath(os.sep),
                            start_new_session=True, **streams)


class Reader:
    """The end of a pipe from which a selector can say whether there is something to read."""

    def __init__(self, fd: int):
        self.fd = fd
        os.set_blocking(fd, False)

    def fileno(self) -> int:
        """Return what the selector watches."""
        return self.fd

    def read(self, size: int) -> bytes:
        """Return what there is, b"" at the end. Raises BlockingIOError when there is nothing."""
        return os.read(self.fd, size)

    def settle(self) -> None:
        """Wait until all that was written can be read."""

    def close(self) -> None:
        """Close the pipe."""
        os.close(self.fd)


class PumpedReader(Reader):
    """The same where selectors know only sockets (Windows): a thread carries the bytes over."""

    def __init__(self, fd: int):
        self.fd = fd
        self.socket, self.entry = socket.socketpair()
        self.socket.setblocking(False)
        self.thread = threading.Thread(target=self._pump, daemon=True)
        self.thread.start()

    def _pump(self) -> None:
        with contextlib.suppress(OSError), self.entry:
            while data := os.read(self.fd, 2**16):
                self.entry.sendall(data)
        os.close(self.fd)

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self, size: int) -> bytes:
        return self.socket.recv(size)

    def settle(self) -> None:
        self.thread.join(SETTLED)

    def close(self) -> None:
        self.socket.close()


class Process:
    """A running agent: its number, and the ends of the pipes to it."""

    reader: type[Reader] = PumpedReader if os.name == "nt" else Reader

    def __init__(self, pid: int, requests: int, replies: int, output: int):
        self.pid, self.requests = pid, requests
        self.replies, self.output = self.reader(replies), self.reader(output)
        if os.name != "nt":
            os.set_blocking(requests, False)

    def end(self, grace: float = 0.0) -> int | None:
        """End it; return its exit code if it ended by itself in time, negative for a signal."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the pipes."""
        os.close(self.requests)
        self.replies.close()
        self.output.close()


class Started(Process):
    """An agent that was started anew."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self.popen = start("direct", stdin=pipe, stdout=pipe, stderr=pipe)
        ends = (self.popen.stdin, self.popen.stdout, self.popen.stderr)
        super().__init__(self.popen.pid, *(os.dup(end.fileno()) for end in ends))
        for end in ends:
            end.close()

    def end(self, grace: float = 0.0) -> int | None:
        try:
            return self.popen.wait(grace)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(OSError, AttributeError):  # no such thing on Windows
                os.killpg(self.pid, 9)
            self.popen.kill()
            self.popen.wait()


class Forked(Process):
    """An agent that the zygote forked."""

    def __init__(self, zygote: Zygote) -> None:
        self.zygote = zygote
        theirs_requests, requests = os.pipe()
        replies, theirs_replies = os.pipe()
        output, theirs_output = os.pipe()
        theirs = [theirs_requests, theirs_replies, theirs_output]
        try:
            pid = zygote.ask({"fork": True}, theirs)["pid"]
        except LaunchError:
            theirs += [requests, replies, output]
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        super().__init__(pid, requests, replies, output)

    def end(self, grace: float = 0.0) -> int | None:
        with contextlib.suppress(LaunchError):  # a zygote that is gone took its children along
            return self.zygote.ask({"end": self.pid, "grace": grace})["code"]
        return None


class Zygote:
    """The grader's side of the zygote."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.popen = start("zygote", stdin=theirs, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        self.control.settimeout(PATIENCE)

    def ask(self, order: dict, fds: list[int] | None = None) -> dict:
        """Give an order, return the answer."""
        with self.lock:
            try:
                socket.send_fds(self.control, [json.dumps(order).encode()], fds or [])
                answer = self.control.recv(4096)
            except OSError:
                answer = b""
            except BaseException:  # interrupted: the answer would be taken for the next one's
                self.control.close()
                raise
        if not answer:
            raise LaunchError("the process that starts submissions has ended")
        return json.loads(answer)

    def close(self) -> None:
        """Let it end, and all its children with it."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(PATIENCE)


_zygote: Zygote | None = None


def warm() -> None:
    """Start the zygote, without waiting for it: the first child will be there sooner."""
    global _zygote
    if _zygote is None:
        _zygote = Zygote()
        atexit.register(_zygote.close)


def cool() -> None:
    """End the zygote, if there is one."""
    global _zygote
    if _zygote is not None:
        atexit.unregister(_zygote.close)
        _zygote.close()
        _zygote = None


def _disown() -> None:
    """In a fork of the grader: the zygote belongs to the grader, which alone may keep it."""
    global _zygote
    if _zygote is not None:
        atexit.unregister(_zygote.close)
        _zygote.control.close()
        _zygote = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown)


def launch() -> Process:
    """Start an agent the fastest way that this system offers. Raises LaunchError."""
    if sys.platform != "linux":
        return Started()
    for _ in range(2):
        warm()
        try:
            return Forked(_zygote)
        except LaunchError:
            cool()
    raise LaunchError("the process for the submission could not be started")
