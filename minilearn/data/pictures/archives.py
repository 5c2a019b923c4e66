"""Reading .tar.gz files as they come from the makers of a data set."""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from ..problems import DamagedDataError, DataError


def members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of the plain files of a .tar.gz whose name is wanted.

    Names that would lead out of a folder are passed over.
    Raises DamagedDataError for a broken file.
    """
    import tarfile

    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                place = PurePosixPath(member.name)
                inside = not place.is_absolute() and ".." not in place.parts
                if member.isfile() and inside and wanted(member.name):
                    yield member.name, archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise DamagedDataError(f"{path} cannot be unpacked ({error}); remove it and fetch it "
                               "anew") from error


def unpack(path: Path, wanted: Callable[[str], bool], target: Path) -> Path:
    """Unpack the wanted files of a .tar.gz into a folder, which appears whole or not at all.

    The files lie in it by their last names. Raises DamagedDataError, or DataError for a full disk.
    """
    part = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        for name, content in members(path, wanted):
            (part / PurePosixPath(name).name).write_bytes(content)
        part.chmod(0o755)
        os.replace(part, target)
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"cannot unpack {path} into {target}: {error.strerror or error}; make "
                        "room, or set MINILEARN_DATA to another folder") from error
    finally:
        if part is not None and part.exists():
            shutil.rmtree(part, ignore_errors=True)
    return target
