"""Writing what a training leaves behind."""

from __future__ import annotations

from pathlib import Path

from .. import files, processes


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all; of several workers, which all call it, the first does."""
    if processes.rank() == 0:
        files.write_whole(path, content)
