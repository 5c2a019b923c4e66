"""Damaging the pictures of a folder into another folder, to look at or to train on elsewhere."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath

from ..data import DataError, Degrade, Pictures
from ..data.download import Progress
from ..data.pictures.preparation import damaged, in_parallel
from ..data.pictures.sources import Skipped
from ..data.pictures.writing import write_picture
from .folder import RunError


def degrade_folder(
    where: str | Path, out: str | Path, degrade: Degrade, *, seed: int = 42, workers: int = 0,
    progress: Progress | None = None,
) -> tuple[list[Path], Skipped]:
    """Write the damaged pictures of a folder, zip or list into a new folder, as PNG.

    The folder appears when all is done, or not at all. Other arguments as in `data.prepare`.
    Returns (the files written, (name, why) of what could not be read).
    Raises RunError where `out` holds something or cannot be written, MissingDataError where there
    is no picture.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out} already holds something; choose a new folder with --out")
    pictures = Pictures(where)
    job = partial(damaged, degrade=degrade, seed=seed, reader=pictures.reader)
    part = _beside(out)
    try:
        results = in_parallel(job, pictures.sources, workers, pictures.name, progress)
        written, skipped = _write(zip(_file_names(pictures.names), results, strict=True), part)
        if not written:
            raise RunError(f"no picture of {where} could be read: {skipped[0][1]}")
        if out.is_dir():
            out.rmdir()
        os.replace(part, out)
    except (OSError, DataError) as error:
        raise RunError(str(error).replace(str(part), str(out))) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return [out / name for name in written], pictures.skipped + skipped


def _beside(out: Path) -> Path:
    """Make a hidden folder on the same disk, in which the work is done."""
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.absolute().parent))
        part.chmod(0o755)
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror}; choose another folder with --out"
                       ) from error
    return part


def _write(results: Iterable, folder: Path) -> tuple[list[str], Skipped]:
    written, skipped = [], []
    for name, result in results:
        if isinstance(result, str):
            skipped.append((name, result))
        else:
            write_picture(folder / name, result[0])
            written.append(name)
    return written, skipped


def _file_names(names: list[str]) -> list[str]:
    """Return the name of a PNG for each picture: inside the folder, and no two the same."""
    taken: set[str] = set()
    files = []
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        inside = path.name if path.is_absolute() or ".." in path.parts else path.as_posix()
        stem = PurePosixPath(inside).with_suffix("").as_posix()
        choices = (f"{stem}{end}.png" for end in ("", *(f"-{n}" for n in range(2, len(names) + 2))))
        files.append(next(choice for choice in choices if choice.lower() not in taken))
        taken.add(files[-1].lower())
    return files
