"""Frames and values as bytes: the language between the grader and a submission's process.

A frame is two lengths, a header in JSON and a body, the raw bytes of the arrays. No pickle and no
`eval`, in either direction: whatever the bytes say, reading them runs nothing and allocates no more
than arrived. Used by both sides, so it knows nothing of the rest of minilearn.
"""

from __future__ import annotations

import json
import math
import struct
from typing import Any, NamedTuple

import numpy as np

LENGTHS = struct.Struct("<II")  # of the header and of the body
DTYPES = frozenset({"f8", "f4", "i8", "i4", "b1", "u1"})
MAX_NDIM = 8


class Size(NamedTuple):
    """The most bytes of a frame's header and body."""

    header: int = 2**20
    body: int = 2**26


REQUEST = Size()
REPLY = Size(2**16, 2**20)  # the grader keeps many replies, so that none may be large


class ProtocolError(Exception):
    """Bytes that are no frame, or a frame that was not due."""


class BadValue(TypeError):
    """A value that does not travel; the message says what it is."""


# ---------------------------------------------------------------- values


def describe(value: Any) -> str:
    """Say what a value is that does not travel.

    >>> describe(np.array([None])), describe(np.ma.zeros(2)), describe({1, 2})
    ('object array', 'MaskedArray, a subclass of ndarray', 'set')
    """
    kind = type(value)
    if kind is np.ndarray:
        return "object array" if value.dtype == object else f"array of {value.dtype}"
    if kind is dict:
        return "dict whose keys are not all strings"
    for base in (np.ndarray, tuple, list, dict, str, int, float):
        if isinstance(value, base):
            return f"{kind.__name__}, a subclass of {base.__name__}"
    return kind.__name__


def pack(value: Any, body: list[bytes]) -> Any:
    """Return a value as JSON, its arrays as placeholders; their bytes are appended to `body`."""
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is np.ndarray:
        return _pack_array(value, body)
    if kind is list:
        return [pack(item, body) for item in value]
    if kind is tuple:
        return {"tuple": [pack(item, body) for item in value]}
    if kind is dict and all(type(key) is str for key in value):
        return {"dict": {key: pack(item, body) for key, item in value.items()}}
    raise BadValue(describe(value))


def _pack_array(array: np.ndarray, body: list[bytes]) -> dict:
    code = f"{array.dtype.kind}{array.dtype.itemsize}"
    if code not in DTYPES:
        raise BadValue(describe(array))
    body.append(array.astype(f"<{code}", copy=False).tobytes())
    return {"array": [code, list(array.shape)]}


class _Unpacker:
    """Turns JSON back into values, taking the arrays from the body in order."""

    def __init__(self, body: bytes | bytearray | memoryview):
        self.rest = memoryview(body)

    def value(self, packed: Any) -> Any:
        if isinstance(packed, list):
            return [self.value(item) for item in packed]
        if not isinstance(packed, dict):
            return packed
        if len(packed) != 1:
            raise ProtocolError("a structure with more than one kind")
        (kind, content), = packed.items()
        if kind == "array":
            return self._array(content)
        if kind == "tuple" and isinstance(content, list):
            return tuple(self.value(item) for item in content)
        if kind == "dict" and isinstance(content, dict):
            return {key: self.value(item) for key, item in content.items()}
        raise ProtocolError("an unknown structure")

    def _array(self, content: Any) -> np.ndarray:
        """Check everything before anything is allocated."""
        if not isinstance(content, list) or len(content) != 2:
            raise ProtocolError("an array without dtype and shape")
        code, shape = content
        if not isinstance(code, str) or code not in DTYPES:
            raise ProtocolError("an array of a dtype that does not travel")
        if not isinstance(shape, list) or len(shape) > MAX_NDIM \
                or not all(type(n) is int and 0 <= n <= 2**40 for n in shape):
            raise ProtocolError("an array of an impossible shape")
        size = math.prod(shape) * int(code[1])
        if size > len(self.rest):
            raise ProtocolError("an array larger than its bytes")
        taken, self.rest = self.rest[:size], self.rest[size:]
        flat = np.frombuffer(taken, "u1" if code == "b1" else f"<{code}")
        if code == "b1":  # a byte of 2 would be a bool that is neither True nor False
            flat = flat != 0
        return flat.reshape(shape).copy()


def unpack(packed: Any, body: bytes | bytearray | memoryview) -> Any:
    """Return the value; its arrays are fresh and writable. Raises ProtocolError."""
    unpacker = _Unpacker(body)
    value = unpacker.value(packed)
    if len(unpacker.rest):
        raise ProtocolError("bytes that belong to no array")
    return value


# ---------------------------------------------------------------- frames


def encode(head: dict, value: Any = None, most: Size = REQUEST) -> bytes:
    """Return a frame. Raises BadValue for a value that does not travel.

    >>> decode(encode({"id": 1}, (np.arange(3.0), {"axis": None})))
    ({'id': 1}, (array([0., 1., 2.]), {'axis': None}))
    """
    body: list[bytes] = []
    try:
        header = json.dumps([head, pack(value, body)]).encode()
    except RecursionError:
        raise BadValue(f"{type(value).__name__} that is nested too deeply") from None
    except ValueError:  # an integer of more digits than Python prints
        raise BadValue("integer of thousands of digits") from None
    size = sum(map(len, body))
    if size > most.body:
        shape = f" of shape {value.shape}" if type(value) is np.ndarray else ""
        raise BadValue(f"{type(value).__name__}{shape}: {size} bytes, more than any result has")
    if len(header) > most.header:
        raise BadValue(f"{type(value).__name__} that is too long")
    return b"".join((LENGTHS.pack(len(header), size), header, *body))


def decode(frame: bytes | bytearray) -> tuple[dict, Any]:
    """Return the head and the value of one whole frame. Raises ProtocolError."""
    try:
        size = LENGTHS.unpack_from(frame)[0]
        head, packed = json.loads(bytes(frame[LENGTHS.size:LENGTHS.size + size]))
        value = unpack(packed, memoryview(frame)[LENGTHS.size + size:])
    except (ValueError, TypeError, RecursionError, struct.error, OverflowError):
        raise ProtocolError("a frame that cannot be read") from None
    if not isinstance(head, dict):
        raise ProtocolError("a frame without a head")
    return head, value


class Frames:
    """Collects bytes as they arrive, and hands out whole frames.

    >>> frames = Frames()
    >>> frames.feed(encode({"id": 1}, [2.5])), frames.take(), frames.take()
    (None, ({'id': 1}, [2.5]), None)
    """

    def __init__(self, most: Size = REQUEST):
        self.bytes, self.most = bytearray(), most

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self.bytes += data

    def missing(self) -> int:
        """Return how many bytes are still to come until the next step. Raises ProtocolError."""
        if len(self.bytes) < LENGTHS.size:
            return LENGTHS.size - len(self.bytes)
        header, body = LENGTHS.unpack_from(self.bytes)
        if header > self.most.header or body > self.most.body:
            raise ProtocolError("a frame larger than any that is allowed")
        return max(0, LENGTHS.size + header + body - len(self.bytes))

    def take(self) -> tuple[dict, Any] | None:
        """Return the next frame's head and value, None if it is not whole. Raises ProtocolError."""
        if self.missing() or self.missing():
            return None
        size = LENGTHS.size + sum(LENGTHS.unpack_from(self.bytes))
        frame, self.bytes = self.bytes[:size], self.bytes[size:]
        return decode(frame)
