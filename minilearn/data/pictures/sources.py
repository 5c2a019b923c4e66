"""Where pictures lie: in files of their own, in zips, or in memory; and how they are found."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..problems import DamagedDataError, MissingDataError
from .reading import SUFFIXES

Reader = Callable[..., Any]
Skipped = list[tuple[str, str]]  # (name, why)
LARGEST = 1 << 28  # bytes that one entry of a zip may unpack to


@dataclass(frozen=True)
class File:
    """A picture in a file of its own."""

    name: str
    path: Path

    def load(self, read: Reader) -> Any:
        """Return what the reader makes of the file."""
        return read(self.path)

    def mark(self) -> str:
        """Return a text that changes when the picture does."""
        about = self.path.stat()
        return f"{self.name} {about.st_size} {about.st_mtime_ns}"


@dataclass(frozen=True)
class Entry:
    """A picture inside a zip, which is never unpacked onto the disk."""

    name: str
    archive: Path
    crc: int

    def load(self, read: Reader) -> Any:
        """Return what the reader makes of the entry's bytes."""
        return read(self.content(), f"{self.name} in {self.archive}")

    def content(self) -> bytes:
        """Return the bytes of the entry; DamagedDataError where they cannot be unpacked."""
        try:
            return _archive(self.archive, os.getpid()).read(self.name)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError,
                RuntimeError) as error:
            raise DamagedDataError(f"{self.name} in {self.archive} cannot be unpacked ({error}); "
                                   "pack the zip anew") from error

    def mark(self) -> str:
        """Return a text that changes when the picture does."""
        return f"{self.name} {self.crc}"


@dataclass(frozen=True, eq=False)
class Stored:
    """A picture in memory."""

    name: str
    picture: np.ndarray

    def load(self, read: Reader) -> np.ndarray:
        """Return the picture; there is nothing to read."""
        return self.picture

    def mark(self) -> str:
        """Return a text that changes when the picture does."""
        return f"{self.name} {self.picture.shape} {zlib.crc32(self.picture.tobytes())}"


PictureSource = File | Entry | Stored


@lru_cache(maxsize=8)
def _archive(path: Path, process: int) -> zipfile.ZipFile:
    """Open a zip, once a process: two that share an open file would move each other's place."""
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise DamagedDataError(f"{path} is no whole zip ({error}); pack or fetch it anew") from None


def find(where: Any) -> tuple[list[PictureSource], Skipped]:
    """Return the sources of all pictures at a place, in order, and what there is of no use.

    where: a folder, a zip, a .txt with a path a line, one picture; or a list of paths or sources.
    Raises MissingDataError where there is nothing, DamagedDataError for a zip that is none.
    """
    if isinstance(where, list | tuple):
        return _listed(where, Path())
    path = Path(where).expanduser()
    if path.is_dir():
        return _inside(path), []
    if not path.exists():
        raise MissingDataError(f"there is no file or folder {path}")
    if path.suffix.lower() == ".zip":
        return _packed(path.absolute())
    if path.suffix.lower() == ".txt":
        return _listed(_lines(path), path.parent)
    return [File(path.name, path)], []


def is_picture_name(name: str) -> bool:
    """Say whether a path inside a folder or zip ends as pictures do, and is not hidden.

    >>> is_picture_name("cats/1.JPG"), is_picture_name("cats/._1.jpg")
    (True, False)
    """
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") and part not in ("..", ".") for part in parts)
    return name.lower().endswith(SUFFIXES) and not hidden and "__MACOSX" not in parts


def _inside(folder: Path) -> list[PictureSource]:
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return [File(name, names[name]) for name in sorted(names)
            if is_picture_name(name) and names[name].is_file()]


def _packed(path: Path) -> tuple[list[PictureSource], Skipped]:
    found: list[PictureSource] = []
    skipped: Skipped = []
    _archive.cache_clear()  # the file may be another one by now
    for info in sorted(_archive(path, os.getpid()).infolist(), key=lambda info: info.filename):
        if info.is_dir() or not is_picture_name(info.filename):
            continue
        if why := _refused(info):
            skipped.append((info.filename, why))
        else:
            found.append(Entry(info.filename, path, info.CRC))
    return found, skipped


def _refused(info: zipfile.ZipInfo) -> str | None:
    """Say why an entry of a zip is not to be trusted, or None."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return "its path leads out of the zip"
    if info.flag_bits & 1:
        return "it is encrypted"
    if info.file_size > LARGEST:
        return f"it unpacks to {info.file_size / 1e6:.0f} MB"
    return None


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        raise DamagedDataError(f"{path} is no list of paths, one a line ({error})") from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _listed(entries: Sequence[Any], folder: Path) -> tuple[list[PictureSource], Skipped]:
    """Take each entry as it is, or as a path relative to the folder of the list."""
    found: list[PictureSource] = []
    skipped: Skipped = []
    for entry in entries:
        if isinstance(entry, PictureSource):
            found.append(entry)
        elif (path := folder / Path(entry).expanduser()).is_file():
            found.append(File(str(entry), path))
        else:
            skipped.append((str(entry), "there is no such file"))
    return found, skipped


def reasons(skipped: Skipped, shown: int = 3) -> Iterator[str]:
    """Yield lines that say what was left out and why, and how many more there are.

    >>> list(reasons([("a.jpg", "it is empty")]))
    ['a.jpg: it is empty']
    """
    yield from (f"{name}: {why}" for name, why in skipped[:shown])
    if len(skipped) > shown:
        yield f"... and {len(skipped) - shown} more"
