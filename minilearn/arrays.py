"""From Python's values to arrays, between dtypes, back to text: what Tensor leaves to others."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import numpy as np

from . import xp
from .errors import explain

NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input",
               "x2": "other"}
KINDS = {bool: "bool", int: "int64", float: "float32"}  # of an array of one number


def remembered(function: Callable) -> Callable:
    """Decorate a function of plain values that makes arrays: they are made once and kept.

    So constants are not sent to a GPU anew at every step. Nobody may write into them.
    """
    @lru_cache(maxsize=256)
    def kept(library: str, *args: Any) -> Any:
        return function(*args)

    return wraps(function)(lambda *args: kept(xp.library(), *args))


@remembered
def constant(numbers: tuple[float, ...], dtype: Any) -> Any:
    """Return an array of numbers that is made once and kept: nobody may write into it."""
    return xp.array(numbers, dtype)


def to_array(data: Any, dtype: Any = None) -> Any:
    """Make an array as `torch.tensor` would: Python floats become float32, arrays keep their dtype.

    Raises ValueError for lists of unequal lengths, TypeError for what is no number.
    """
    if isinstance(data, np.generic) and dtype is None and data.dtype.kind in "fiub":
        # What NumPy's functions return instead of an array without dimensions.
        return np.asarray(data) if xp.ARRAY is np.ndarray else xp.array(data)
    if dtype is None and type(data) in KINDS and -(2**63) <= data < 2**63:
        return xp.scalar(data, KINDS[type(data)])  # filled on the device, not sent to it
    data = _without_tensors(data)
    array = xp.array(data)
    kind = xp.host_dtype(array)
    if kind.kind not in "fiub":
        raise TypeError(explain("tensor", "expected numbers", {"data": data}))
    if dtype is None and not _has_dtype(data):
        if kind == "uint64":
            raise ValueError(explain("tensor", "a number is too large for int64", {"data": data}))
        dtype = "float32" if kind.kind == "f" else None
    if dtype is not None and not _has_dtype(data):
        _need_room(array, xp.named_dtype(dtype))
    return array if dtype is None else xp.astype(array, xp.dtype(dtype))


def _need_room(array: Any, kind: np.dtype) -> None:
    """Raise ValueError for numbers that an integer dtype cannot hold; unsigned ones wrap around."""
    if kind.kind in "iu" and math.prod(array.shape):
        most = np.iinfo(kind).max
        least = -most if kind.kind == "u" else np.iinfo(kind).min
        values = xp.to_numpy(array)
        if not (values.min() >= least and values.max() <= most):
            raise ValueError(f"tensor: a number does not fit into {kind}: they go from "
                             f"{values.min()} to {values.max()}")


def _has_dtype(data: Any) -> bool:
    """Say whether the first number, at any depth of the lists, comes with a dtype."""
    while isinstance(data, list) and data:
        data = data[0]
    return hasattr(data, "dtype")


def _without_tensors(data: Any) -> Any:
    """Take the array out of a Tensor, and out of every Tensor in nested lists."""
    if isinstance(data, list | tuple):
        return [xp.to_numpy(d) if hasattr(d, "shape") else d for d in map(_without_tensors, data)]
    return data.data if hasattr(data, "node") else data


def promoted(*arrays: Any) -> list:
    """Cast arrays of different dtypes to the one torch would choose."""
    # Like torch: the kind is decided first, then arrays with dimensions outrank those without.
    rank = [(_kind(a), len(a.shape) > 0) for a in arrays]
    voters = [a.dtype for a, r in zip(arrays, rank, strict=True) if r == max(rank)]
    return [xp.astype(a, xp.result_type(*voters)) for a in arrays]


def _kind(array: Any) -> int:
    return 2 if xp.is_floating(array) else int(array.dtype != xp.bool)


def torch_names(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Read NumPy's names as torch's, as torch does: `axis` is `dim`, `x` is `input`."""
    renamed = {NUMPY_NAMES.get(name, name): value for name, value in arguments.items()}
    if len(renamed) < len(arguments):
        raise TypeError(f"{function}: one argument by two names, got {sorted(arguments)}")
    return renamed


def printed(array: Any, prefix: str) -> str:
    """Return the inside of `tensor(...)`: the numbers, and the size and dtype where unusual."""
    array = xp.to_numpy(array)
    body = np.array2string(array, separator=", ", prefix=prefix, precision=4, threshold=1000,
                           edgeitems=3, floatmode="maxprec", suppress_small=False)
    size = f", size={array.shape}" if array.size == 0 and array.ndim > 1 else ""
    kind = "" if str(array.dtype) in ("float32", "int64", "bool") else f", dtype={array.dtype}"
    return body + size + kind
