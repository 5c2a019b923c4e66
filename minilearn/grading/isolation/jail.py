"""Locking a process in: limits, Landlock, a system-call filter, no network, another user.

Used by the submission's process on itself, before it imports the submission. Every step reports
whether it holds; what the machine does not offer is left out, and the tier says so:

0  a process of its own; 1  also limits; 2  also no files, network, processes; 3  also another user.

The numbers are the Linux kernel's, which never change.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from collections.abc import Iterable, Iterator

from . import calls

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # of Landlock
READ_FILE, READ_DIR = 1 << 2, 1 << 3
FIRST_USER = 61184  # of the range for passing users; no account has it
OPEN_FILES = 64
SEALED = {"files", "network", "processes", "others"}

LINUX = sys.platform == "linux"
libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


def tier_of(measures: Iterable[str]) -> int:
    """Return the tier to which the measures in force amount.

    >>> tier_of(["limits"]), tier_of(["limits", "files", "network", "processes", "others"])
    (1, 2)
    """
    held = set(measures)
    if "limits" not in held:
        return 0
    return 1 if not held >= SEALED else 3 if "user" in held else 2


def enter(paths: list[str], tier: int, memory: int, cpu: int) -> list[str]:
    """Lock this process in, up to the tier asked for; return the measures that hold.

    paths: what may be read. memory: in bytes. cpu: in seconds.
    """
    held = limit(memory, cpu) if tier >= 1 else []
    if not held:
        return held
    if LINUX and tier >= 2:
        held += leave_network()
        held += become_nobody() if tier >= 3 else []
        drop_capabilities()
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        held += restrict_files(paths)
    guard()
    die_with_parent()  # a change of user has cleared it
    held += no_processes()
    return held + (filter_calls() if LINUX and tier >= 2 else [])


# ---------------------------------------------------------------- of any process


def prctl(option: int, value: int) -> bool:
    """Change one property of this process; say whether that worked."""
    return libc is not None and libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0


def guard() -> None:
    """Keep other processes of the same user out of this one's memory."""
    prctl(PR_SET_DUMPABLE, 0)


def adopt() -> None:
    """Make orphaned descendants this process's children, so that none gets away."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Ask for the end of this process when its parent ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# ---------------------------------------------------------------- tier 1: limits


def limit(memory: int, cpu: int) -> list[str]:
    """Limit memory (bytes), processor time (seconds), files and their size."""
    if resource is None:
        return []
    held = ["limits"]
    _set_limit("RLIMIT_CPU", cpu, cpu + 1)
    _set_limit("RLIMIT_FSIZE", 0, 0)
    _set_limit("RLIMIT_NOFILE", OPEN_FILES, OPEN_FILES)
    _set_limit("RLIMIT_CORE", 0, 0)
    if _set_limit("RLIMIT_AS", memory, memory):
        held.append("memory")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # "File too large" instead of a crash
    return held


def _set_limit(name: str, soft: int, hard: int) -> bool:
    try:
        resource.setrlimit(getattr(resource, name), (soft, hard))
    except (ValueError, OSError, AttributeError):  # macOS does not limit the address space
        return False
    return True


def no_processes() -> list[str]:
    """Forbid new processes and threads. The kernel does not hold the superuser to this limit."""
    held = _set_limit("RLIMIT_NPROC", 0, 0) and os.getuid() != 0
    return ["processes"] if held else []


# ---------------------------------------------------------------- tier 2: nothing outside


def leave_network() -> list[str]:
    """Move into a network, and shared memory, without anybody else."""
    for extra in (0, CLONE_NEWUSER):  # the superuser needs no namespace of users for it
        if libc.unshare(CLONE_NEWNET | CLONE_NEWIPC | extra) == 0:
            return ["network"]
    return []


def readable() -> Iterator[str]:
    """Name what may still be read: the standard library and numpy, but no other package."""
    for folder in dict.fromkeys((os.path.dirname(os.__file__), *sys.path)):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            yield from (e.path for e in entries if not e.name.endswith("-packages"))
    numpy = sys.modules.get("numpy")
    for folder in numpy.__path__ if numpy else ():
        yield from (folder, f"{folder}.libs")
    yield from ("/dev/null", "/dev/urandom")


def restrict_files(paths: Iterable[str]) -> list[str]:
    """Forbid to open, run, make or remove any file, but for reading the given ones."""
    abi = libc.syscall(CREATE_RULESET, None, 0, 1)
    if abi < 1:
        return []
    rights = 13 + (abi >= 2) + (abi >= 3) + (abi >= 5)  # how many kinds of access it governs
    fields = [(1 << rights) - 1] + [0b11] * (abi >= 4) + [0b11] * (abi >= 6)
    ruleset = libc.syscall(CREATE_RULESET, struct.pack(f"<{len(fields)}Q", *fields),
                           8 * len(fields), 0)
    if ruleset < 0:
        return []
    for path in paths:
        _allow_reading(ruleset, path)
    done = libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return ["files"] if done else []


def _allow_reading(ruleset: int, path: str) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # absent, or this user may not read it anyway
        return
    rights = READ_FILE | READ_DIR if os.path.isdir(path) else READ_FILE
    libc.syscall(ADD_RULE, ruleset, 1, struct.pack("<Qi", rights, beneath), 0)
    os.close(beneath)


def filter_calls() -> list[str]:
    """Refuse the system calls that reach other processes, the network, or a file's attributes."""
    program = calls.program(os.uname().machine, os.getpid())
    if not program:
        return []
    code = ctypes.create_string_buffer(b"".join(program))
    filters = struct.pack("@HP", len(program), ctypes.addressof(code))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filters, 0, 0) != 0:
        return []
    return ["network", "processes", "others"]


def drop_capabilities() -> None:
    """Give up what the superuser may do beyond reading and writing its own files."""
    libc.capset(struct.pack("<Ii", 0x20080522, 0), bytes(24))  # version 3, of this process: none


# ---------------------------------------------------------------- tier 3: another user


def become_nobody() -> list[str]:
    """Give up the superuser's rights for those of a user who owns nothing."""
    if os.getuid() != 0:
        return []
    for user in (FIRST_USER + os.getpid() % 4096, 65534):  # apart from other submissions' users
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            return ["user", "others"]
        except OSError:
            continue
    return []
