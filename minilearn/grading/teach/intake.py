"""Takes submissions in: copies the expected files out of a folder or a zip, and nothing else.

Nothing is run or unpacked in place. What else lies there (`conftest.py`, `numpy.py`, links, pipes)
is listed and left alone.
"""

from __future__ import annotations

import errno
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from ...contracts.contract import MODULES

EXPECTED = tuple(f"{lesson}.py" for lesson in MODULES)
MIB = 2**20
LARGEST = MIB  # bytes of one file
LARGEST_ZIP, MOST_ENTRIES, MOST_EXPANSION = 20 * MIB, 1000, 100
LISTED = 200  # names of files that are not graded
DEPTH = 3  # of single folders round the files
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
NOISE = {"__MACOSX", ".DS_Store"}


class Refused(Exception):
    """A file that is not taken; the message says why, to the person who handed it in."""


@dataclass
class Taken:
    """What was handed in: the expected files, why others could not be read, what is ignored."""

    files: dict[str, bytes] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    near: dict[str, str] = field(default_factory=dict)  # expected name: a name that is close to it


def take_in(path: Path, expected: Collection[str] = EXPECTED) -> Taken:
    """Read a submission: a folder, or a zip. What is wrong with it stands in the result."""
    try:
        return _from_folder(path, expected) if path.is_dir() else _from_zip(path, expected)
    except Refused as error:
        return Taken(unreadable=dict.fromkeys(expected, str(error)))
    except OSError as error:
        reason = f"{path.name} cannot be read ({error.strerror or error})"
        return Taken(unreadable=dict.fromkeys(expected, reason))


def _collect(there: Collection[str], expected: Collection[str],
             read: Callable[[str], bytes]) -> Taken:
    """Read the expected names among those that are there; list the others."""
    taken = Taken()
    for name in sorted(there):
        if name not in expected:
            taken.ignored.append(printable(name))
            continue
        try:
            taken.files[name] = text(read(name))
        except Refused as error:
            taken.unreadable[name] = str(error)
    for name in expected:
        if name not in there and (close := near(name, taken.ignored)):
            taken.near[name] = close
    taken.ignored = taken.ignored[:LISTED]
    return taken


def near(name: str, others: Iterable[str]) -> str:
    """Return the name that is most like an expected one, "" when none is.

    >>> near("03_convolution.py", ["notes.txt", "03_Convolution (1).py"])
    '03_Convolution (1).py'
    """
    folded = {other.casefold(): other for other in others if other.casefold().endswith(".py")}
    close = get_close_matches(name.casefold(), folded, 1, 0.8)
    return folded[close[0]] if close else ""


def text(content: bytes) -> bytes:
    """Return the content if it is text that Python reads. Raises Refused."""
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    return content


def printable(name: str) -> str:
    """Return a file's name without what could disturb a terminal or a table."""
    return "".join(c if c.isprintable() else "?" for c in name)[:200]


# ---------------------------------------------------------------- a folder


def _from_folder(folder: Path, expected: Collection[str]) -> Taken:
    names = _names(folder)
    for _ in range(DEPTH):
        inner = [n for n in names if n not in NOISE and not n.startswith(".")]
        only = folder / inner[0] if len(inner) == 1 else None
        if only is None or only.name in expected or only.is_symlink() or not only.is_dir():
            break
        folder, names = only, _names(only)
    return _collect(names, expected, lambda name: read_file(folder / name))


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.name not in NOISE]


def read_file(path: Path) -> bytes:
    """Read a plain file of bounded size, never through a link. Raises Refused."""
    if path.is_symlink():  # where the system cannot say so on opening
        raise Refused("is a link, not a file")
    try:
        fd = os.open(path, os.O_RDONLY | NO_LINK)
    except OSError as error:
        what = "is a link" if error.errno == errno.ELOOP else f"cannot be read ({error.strerror})"
        raise Refused(what) from None
    try:
        _check_plain(os.fstat(fd))
        with open(fd, "rb", closefd=False) as file:
            return bounded(file.read(LARGEST + 1))
    finally:
        os.close(fd)


def _check_plain(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Refused("is not a plain file")
    if status.st_nlink != 1:
        raise Refused("is a second name of another file (a hard link)")


def bounded(content: bytes) -> bytes:
    """Return the content if it is not too large. Raises Refused."""
    if len(content) > LARGEST:
        raise Refused(f"is larger than {LARGEST // MIB} MiB")
    return content


# ---------------------------------------------------------------- a zip


def _from_zip(path: Path, expected: Collection[str]) -> Taken:
    if path.stat().st_size > LARGEST_ZIP:
        raise Refused(f"the zip is larger than {LARGEST_ZIP // MIB} MiB")
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            there = _without_top(members)
            return _collect(there, expected, lambda name: _unzipped(archive, there[name]))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
        raise Refused("the zip is damaged or is none") from None


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip by name, once the whole zip is found harmless. Raises Refused."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise Refused(f"the zip has more than {MOST_ENTRIES} entries")
    size, packed = (sum(getattr(e, f) for e in entries) for f in ("file_size", "compress_size"))
    if size > LARGEST_ZIP or size > MOST_EXPANSION * max(packed, MIB // MOST_EXPANSION):
        raise Refused("the zip grows too much when it is unpacked")
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        _check_entry(entry)
        if entry.filename in members:
            raise Refused(f"the zip holds {printable(entry.filename)} twice")
        if not entry.is_dir():
            members[entry.filename] = entry
    return members


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts = PurePosixPath(name).parts
    if name.startswith(("/", "\\")) or ".." in parts or "\\" in name or ":" in name:
        raise Refused(f"the zip holds the path {printable(name)}, which leads out of it")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Refused(f"the zip holds a link, {printable(name)}")
    if entry.flag_bits & 1:
        raise Refused("the zip is encrypted")


def _without_top(members: dict[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Strip the folders that stand round everything, and what macOS adds."""
    split = {PurePosixPath(name).parts: entry for name, entry in members.items()}
    split = {parts: entry for parts, entry in split.items() if not NOISE & set(parts)}
    for _ in range(DEPTH):
        if not split or min(map(len, split)) < 2 or len({parts[0] for parts in split}) != 1:
            break
        split = {parts[1:]: entry for parts, entry in split.items()}
    return {"/".join(parts): entry for parts, entry in split.items()}


def _unzipped(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(entry) as file:
            return bounded(file.read(LARGEST + 1))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError,
            zlib.error, lzma.LZMAError):
        raise Refused("is damaged inside the zip") from None
