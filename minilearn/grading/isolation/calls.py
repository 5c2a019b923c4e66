"""The system calls that a submission is refused, as a filter program for the Linux kernel.

Landlock governs opening files, not changing their mode or times; limits count processes, except
the superuser's; namespaces may be forbidden on a machine. This closes those gaps. It is a list of
what is refused: numerical code needs none of it. Columns: x86_64, aarch64 (None: does not exist).
"""

from __future__ import annotations

import errno
import struct

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

REFUSED = {
    # processes
    "clone": (56, 220), "clone3": (435, 435), "fork": (57, None), "vfork": (58, None),
    "execve": (59, 221), "execveat": (322, 281), "unshare": (272, 97), "setns": (308, 268),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "tkill": (200, 130),
    "setpriority": (141, 140), "ioprio_set": (251, 30), "kcmp": (312, 272),
    "process_madvise": (440, 440), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # network, and queues that outlive a process
    "socket": (41, 198), "socketpair": (53, 199), "io_uring_setup": (425, 425),
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "memfd_create": (319, 279), "memfd_secret": (447, 447),
    # attributes of files, and mounts
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "truncate": (76, 45), "file_setattr": (469, 469),
    "mount": (165, 40), "umount2": (166, 39), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
    "chroot": (161, 51), "pivot_root": (155, 41), "open_by_handle_at": (304, 265),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    # doors into the kernel
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
}
ON_ITSELF = {  # allowed where the first argument is this process
    "kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274),
}

LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where they stand in what the filter sees
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE = 0x00050000 | errno.EPERM
X32 = 0x40000000  # x86_64's second set of numbers, which nothing here needs


def _do(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)


def program(machine: str, pid: int) -> list[bytes]:
    """Return the filter's instructions; none for a machine whose numbers are not known here."""
    if machine not in ARCHITECTURES:
        return []
    column, architecture = ARCHITECTURES[machine]
    steps = [_do(LOAD, ARCHITECTURE), _do(EQUAL, architecture, yes=1), _do(RETURN, KILL),
             _do(LOAD, NUMBER)]
    if machine == "x86_64":
        steps += [_do(AT_LEAST, X32, no=1), _do(RETURN, REFUSE)]
    for numbers in REFUSED.values():
        if numbers[column] is not None:
            steps += [_do(EQUAL, numbers[column], no=1), _do(RETURN, REFUSE)]
    for name, numbers in ON_ITSELF.items():
        steps += _only_on(pid, numbers[column], zero=name.startswith(("sched", "prlimit")))
    return [*steps, _do(RETURN, ALLOW)]


def _only_on(pid: int, number: int, zero: bool) -> list[bytes]:
    """Allow a call on process `pid`, or on 0 where that means "myself" (to kill: the group)."""
    own = [_do(EQUAL, pid, no=1), _do(RETURN, ALLOW)]
    nought = [_do(EQUAL, 0, no=1), _do(RETURN, ALLOW)] if zero else []
    steps = [_do(LOAD, FIRST_ARGUMENT), *own, *nought, _do(RETURN, REFUSE)]
    return [_do(EQUAL, number, no=len(steps)), *steps]
