"""Pictures into files, whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from ...files import write_whole
from ..problems import DataError
from .reading import to_picture


def encode(picture: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a picture file: kind "PNG", "JPEG" or "WEBP", with pillow's options."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return file.getvalue()


def write_picture(path: str | Path, picture: Any, quality: int = 95) -> Path:
    """Write a picture, or an image, as PNG, JPEG or WebP by its ending; whole or not at all.

    quality: of JPEG and WebP, 1 to 100. Returns the path.
    Raises ValueError for another ending, DataError where it cannot be written, such as a full disk.
    """
    path = Path(path)
    kinds = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
    if path.suffix.lower() not in kinds:
        raise ValueError(f"write_picture: {path} must end in {', '.join(kinds)}")
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8):
        picture = to_picture(picture)
    kind = kinds[path.suffix.lower()]
    options = {} if kind == "PNG" else {"quality": quality}
    write_or_say(path, encode(picture, kind, **options))
    return path


def write_or_say(path: Path, content: bytes) -> None:
    """Write a file whole, or raise DataError saying in one sentence why that cannot be."""
    try:
        write_whole(path, content)
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"cannot write {os.fspath(path)}: {why}; make room, or choose another "
                        "folder") from error
