"""What a submission must not be able to do, tried: the isolation is what fails here, no claim.

Runs in a child without the audit hook, so that it is the kernel that says no.
"""

from __future__ import annotations

import os
import socket
import sys


def escapes(secret: str, port: int, grader: int) -> list[str]:
    """Return what succeeded: nothing, where submissions are sealed in.

    secret: a file. port: where a server listens on this machine. grader: a process number.
    """
    def read():
        os.close(os.open(secret, os.O_RDONLY))

    def change():
        os.chmod(secret, 0o600)

    def leave_a_file():
        os.close(os.open(f"{secret}.left", os.O_WRONLY | os.O_CREAT))

    def connect():
        with socket.socket() as line:
            line.settimeout(1)
            line.connect((b"127.0.0.1", port))

    def signal():
        os.kill(grader, 0)

    def fork():
        if os.fork() == 0:
            os._exit(0)

    def run():
        os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})

    tried = (read, change, leave_a_file, connect, signal, fork, run)
    return [attempt.__name__ for attempt in tried if succeeds(attempt)]


def succeeds(attempt) -> bool:
    """Say whether an attempt went through."""
    try:
        attempt()
    except OSError:
        return False
    return True
