"""Downloads that are either whole and right, or not there at all.

Bytes arrive in NAME.part, which a later try continues (HTTP `Range`). Only when its size and its
SHA-256 are the known ones does it get its name, by a rename: all at once, or not at all.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from .problems import DamagedDataError, DownloadError

CHUNK = 1 << 18
ATTEMPTS = 5  # tries in a row that bring nothing new, before an address is given up
TIMEOUT = 20.0  # seconds of silence after which a connection counts as broken

Progress = Callable[[str, int, int | None], None]


def data_home() -> Path:
    """Return the folder of the data sets: MINILEARN_DATA, else a cache folder of this user.

    >>> data_home().is_absolute()
    True
    """
    if chosen := os.environ.get("MINILEARN_DATA"):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache.absolute() / "minilearn"


def fetch(
    name: str,
    urls: str | Sequence[str],
    size: int,
    sha256: str,
    folder: str | Path | None = None,
    *,
    content: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Download a file unless it is already there, and return its path.

    urls: addresses that all give this file, tried in turn. size: in bytes.
    folder: where it goes, `data_home()` if not given.
    progress: called as f(name, bytes so far, bytes in all or None).
    sha256: of the file; with content=True of what is packed in the .gz file. Then another packing
        is as good as the original, and `size` is only what the original has.
    Raises DownloadError naming the file, each address with what went wrong, and what to do.
    """
    target = Path(folder or data_home()) / name
    expected = (None if content else size, sha256)
    if target.is_file() and _fault(target, *expected, content=content) is None:
        return target
    part = target.with_name(name + ".part")
    failures = []
    for url in [urls] if isinstance(urls, str) else urls:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _complete(url, part, lambda: _fault(part, *expected, content=content), progress)
            os.replace(part, target)
            return target
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"  {url}: {_reason(error)}")
    raise DownloadError(
        f"{name} ({size / 1e6:.1f} MB) could not be downloaded:\n" + "\n".join(failures) + "\n"
        f"It was looked for in {target.parent}. Try again (what has arrived is kept), put the file "
        "there, or set MINILEARN_DATA to a folder that has it; data.digits() needs no download."
    )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return str(error)
    return str(getattr(error, "reason", None) or error)


def _complete(
    url: str, part: Path, fault: Callable[[], str | None], progress: Progress | None
) -> None:
    """Transfer one address into `part` until it is whole and right, or raise why it cannot be."""
    fruitless = 0
    while True:
        had = _length(part)
        try:
            _transfer(url, part, progress)
        except urllib.error.HTTPError:
            raise  # the server has answered: asking again changes nothing
        except (OSError, http.client.HTTPException):
            fruitless = 0 if _length(part) > had else fruitless + 1
            if fruitless == ATTEMPTS or _length(part) == 0:
                raise
            continue
        wrong = fault()
        if wrong is None:
            return
        part.unlink(missing_ok=True)  # never continue from bytes known to be wrong
        if not had:  # with a resumed file the fault may lie in its old beginning: once more, anew
            raise DownloadError(f"what the server sent {wrong}")


def _transfer(url: str, part: Path, progress: Progress | None) -> None:
    """Fetch the rest of a file; raise OSError if the connection ends before it does."""
    have = _length(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if have and error.code == 416:  # nothing lies beyond what we have: the check decides
            error.close()
            return
        raise
    with response:
        if response.status != 206:  # the whole file comes, from its beginning
            have = 0
        rest = response.headers.get("Content-Length")
        total = have + int(rest) if rest else None
        with open(part, "ab" if have else "wb") as file:
            got = _pour(response, file, have, total, progress)
    if total is not None and got < total:
        raise ConnectionError(f"the connection broke off after {got} of {total} bytes")


def _pour(
    response: BinaryIO, file: BinaryIO, got: int, total: int | None, progress: Progress | None
) -> int:
    while chunk := response.read(CHUNK):
        file.write(chunk)
        got += len(chunk)
        if progress is not None:
            progress(Path(file.name).stem, got, total)
    return got


def _fault(path: Path, size: int | None, sha256: str, *, content: bool) -> str | None:
    """Say what is wrong with a file, or None."""
    if size is not None and _length(path) != size:
        return f"has {_length(path)} bytes instead of {size}"
    try:
        found = sha256_of(path, content=content)
    except DamagedDataError as error:
        return f"is no whole .gz file ({error})"
    if found != sha256:
        return f"has the SHA-256 {found[:12]}... instead of {sha256[:12]}..."
    return None


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def sha256_of(path: str | Path, *, content: bool = False) -> str:
    """Return the SHA-256 of a file in hex; with content=True, of what is packed in a .gz file.

    Raises DamagedDataError where the file cannot be unpacked.
    """
    digest = hashlib.sha256()
    opener = gzip.open if content else open
    try:
        with opener(path, "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedDataError(str(error)) from error
    return digest.hexdigest()
