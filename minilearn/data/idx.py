"""The IDX format of MNIST: a short header, then the numbers of one array.

Bytes 0 and 1 are zero, byte 2 tells the kind of number, byte 3 the number of dimensions; then comes
each size as four bytes, then the array, row by row, every number with its highest byte first.
Source: Y. LeCun, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from .problems import DamagedDataError, MissingDataError

KINDS = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
REPAIR = "delete it and get it again"


def read_idx(path: str | Path, sha256: str | None = None) -> np.ndarray:
    """Read an IDX file, packed by gzip or not.

    sha256: of the unpacked content, checked if given.
    Returns the array, read-only, in the shape and kind that the header states.
    Raises MissingDataError, or DamagedDataError saying which file, what was expected, what to do.
    """
    path = Path(path)
    content = _unpacked(path)
    try:
        array = parse_idx(content)
    except ValueError as error:
        raise DamagedDataError(f"{path}: {error}; {REPAIR}") from error
    if sha256 is not None and (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise DamagedDataError(
            f"{path} is corrupted: the SHA-256 of its content is {found[:12]}... and should be "
            f"{sha256[:12]}...; {REPAIR}"
        )
    return array


def parse_idx(content: bytes) -> np.ndarray:
    """Turn the unpacked bytes of an IDX file into an array.

    Raises ValueError for a header that is none, or a length that is not the one it states.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]))
    array([5, 7], dtype=uint8)
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in KINDS:
        raise ValueError(
            f"this is no IDX file: it begins with {content[:4].hex(' ') or 'nothing'}, expected "
            "00 00, a known kind of number, and the number of dimensions"
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"truncated: its header has {len(content)} bytes, expected {start}")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    kind = np.dtype(KINDS[content[2]])
    expected = start + kind.itemsize * math.prod(shape)
    if len(content) != expected:
        state = "truncated" if len(content) < expected else "too long"
        raise ValueError(f"{state}: {len(content)} bytes, expected {expected} for shape {shape}")
    return np.frombuffer(content, kind, offset=start).reshape(shape)


def _unpacked(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingDataError(f"{path} is missing") from error
    if content[:2] != b"\x1f\x8b":  # the mark of gzip; an IDX file begins with two zero bytes
        return content
    try:
        return gzip.decompress(content)
    except EOFError as error:
        raise DamagedDataError(f"{path} is truncated: its gzip ends early; {REPAIR}") from error
    except (OSError, zlib.error) as error:
        raise DamagedDataError(f"{path} is corrupted: {error}; {REPAIR}") from error
