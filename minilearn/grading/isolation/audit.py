"""Names what a submission tries to do, and refuses it with a sentence.

An audit hook is no wall (see jail.py for that); it turns an attempt into a flag and a clear error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

READING = {"open", "os.listdir", "os.scandir"}
KINDS = {
    "subprocess.Popen": "process", "os.system": "process", "os.exec": "process",
    "os.posix_spawn": "process", "os.spawn": "process", "os.fork": "process",
    "os.forkpty": "process", "os.kill": "process", "os.killpg": "process",
    "os.remove": "write", "os.rename": "write", "os.mkdir": "write", "os.rmdir": "write",
    "os.link": "write", "os.symlink": "write", "os.truncate": "write", "os.chmod": "write",
    "os.chown": "write", "os.utime": "write", "ctypes.dlopen": "ctypes",
    "socket.__new__": "network", "socket.connect": "network", "socket.bind": "network",
}
MAY_NOT = {
    "process": "start or signal processes", "write": "change files", "ctypes": "load C libraries",
    "network": "use the network", "read_outside": "read files",
}
FLAGS = {*MAY_NOT, "import"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HERE = os.path.dirname(os.path.abspath(__file__))


def watch(readable: list[str]) -> list[str]:
    """Watch this process from now on; return the list in which the flags will appear."""
    flags: list[str] = []
    inside = tuple(readable)

    def refuse(flag: str, what: str) -> None:
        if flag not in flags:
            flags.append(flag)
        raise PermissionError(f"exercise code may not {MAY_NOT[flag]} ({what} was refused)")

    def hook(event: str, args: tuple) -> None:
        if event in READING:
            _reading(event, args, inside, refuse)
        elif event in KINDS:
            refuse(KINDS[event], event)
        elif event == "import" and _foreign(args[0]) and "import" not in flags:
            flags.append("import")  # Python itself will say that there is no such module

    sys.addaudithook(hook)
    return flags


def _reading(event: str, args: tuple, inside: tuple, refuse: Callable[[str, str], None]) -> None:
    path = args[0]
    if path is None or isinstance(path, int):
        return
    name = os.path.abspath(os.fsdecode(path))
    if event == "open" and isinstance(args[2], int) and args[2] & WRITING:
        refuse("write", repr(os.fsdecode(path)))
    if name.startswith(HERE):  # a traceback looks for its lines
        raise PermissionError(name)
    if not name.startswith(inside) and name not in sys.path:  # where an import looks
        refuse("read_outside", repr(os.fsdecode(path)))


def _foreign(module: str) -> bool:
    root = module.partition(".")[0]
    return root != "numpy" and root not in sys.stdlib_module_names
