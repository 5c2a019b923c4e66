"""The comparison of a reply with what is due: type, then shape, then kind of number, then values.

Nothing is broadcast and nothing converted; a comparison with NaN never counts as equal by accident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..verdicts import Status

FLOAT32_RTOL = 5e-5


@dataclass(frozen=True)
class Difference:
    """Why a result is not what is due.

    where: the way to the part that differs, such as "[1]" for the second of two results.
    index: of the first wrong element; count: how many are wrong, of `size`.
    """

    status: Status
    text: str
    where: str = ""
    expected: Any = None
    got: Any = None
    index: tuple[int, ...] | None = None
    wrong: np.ndarray | None = None


def plain(value: Any) -> Any:
    """Turn a reference's tensors into arrays, and those without dimensions into numbers."""
    if isinstance(value, tuple | list):
        return type(value)(plain(v) for v in value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return value


def difference(got: Any, due: Any, exact: bool = False, rtol: float = 1e-9) -> Difference | None:
    """Return the first difference between what was got and what is due, or None."""
    return _compare(got, due, "", 0.0 if exact else rtol)


def _compare(got: Any, due: Any, where: str, rtol: float) -> Difference | None:
    if isinstance(due, tuple | list):
        return _compare_sequences(got, due, where, rtol)
    if isinstance(due, dict):
        return _compare_dicts(got, due, where, rtol)
    if isinstance(due, np.ndarray):
        return _compare_arrays(got, due, where, rtol)
    if isinstance(due, bool) or due is None or isinstance(due, str):
        if type(got) is type(due) and got == due:
            return None
        status = Status.WRONG_VALUE if type(got) is type(due) else Status.WRONG_TYPE
        return Difference(status, f"{got!r} where {due!r} is due", where, due, got)
    return _compare_numbers(got, due, where, rtol)


def _compare_sequences(got: Any, due: Any, where: str, rtol: float) -> Difference | None:
    if not isinstance(got, tuple | list):
        text = f"{kind(got)}, expected {len(due)} results"
        return Difference(Status.WRONG_TYPE, text, where, due, got)
    if len(got) != len(due):
        text = f"{len(got)} results where {len(due)} are due"
        return Difference(Status.WRONG_SHAPE, text, where, due, got)
    pairs = enumerate(zip(got, due, strict=True))
    found = (_compare(g, d, f"{where}[{i}]", rtol) for i, (g, d) in pairs)
    return next((d for d in found if d is not None), None)


def _compare_dicts(got: Any, due: dict, where: str, rtol: float) -> Difference | None:
    if not isinstance(got, dict):
        return Difference(Status.WRONG_TYPE, f"{kind(got)}, expected a dict", where, due, got)
    if got.keys() != due.keys():
        text = f"the keys are {sorted(got)}, expected {sorted(due)}"
        return Difference(Status.WRONG_VALUE, text, where, due, got)
    found = (_compare(got[k], due[k], f"{where}[{k!r}]", rtol) for k in due)
    return next((d for d in found if d is not None), None)


def _compare_numbers(got: Any, due: Any, where: str, rtol: float) -> Difference | None:
    if isinstance(got, np.ndarray) and got.ndim == 0:
        got = got.item()
    if isinstance(got, np.ndarray):
        text = f"an array of shape {got.shape}, expected one number"
        return Difference(Status.WRONG_SHAPE, text, where, due, got)
    if isinstance(got, bool) or not isinstance(got, int | float):
        return Difference(Status.WRONG_TYPE, f"{kind(got)}, expected a number", where, due, got)
    if isinstance(due, int) and not isinstance(got, int):
        text = f"{got!r} is a float, expected a whole number (int)"
        return Difference(Status.WRONG_TYPE, text, where, due, got)
    if bool(_same(np.float64(got), np.float64(due), rtol)):
        return None
    return Difference(Status.WRONG_VALUE, f"{apart(got, due)} is due", where, due, got)


def _compare_arrays(got: Any, due: np.ndarray, where: str, rtol: float) -> Difference | None:
    if type(got) is not np.ndarray:
        if due.ndim == 0 and isinstance(got, int | float):
            return _compare_numbers(got, due.item(), where, rtol)
        text = f"{kind(got)}, expected a numpy array of shape {due.shape}"
        return Difference(Status.WRONG_TYPE, text, where, due, got)
    if got.shape != due.shape:
        text = f"the shape is {got.shape}, expected {due.shape}"
        return Difference(Status.WRONG_SHAPE, text, where, due, got)
    if not _same_kind(got.dtype, due.dtype):
        text = f"the dtype is {got.dtype}, expected {due.dtype}"
        return Difference(Status.WRONG_TYPE, text, where, due, got)
    rtol = max(rtol, FLOAT32_RTOL) if rtol and due.dtype == np.float32 else rtol
    wrong = ~_same(got, due, rtol)
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    text = f"{apart(got[index], due[index])} is due, at {list(index)}"
    if wrong.sum() > 1 or wrong.size > 1:
        text += f" ({int(wrong.sum())} of {wrong.size} are wrong)"
    return Difference(Status.WRONG_VALUE, text, where, due, got, index, wrong)


def _same_kind(got: np.dtype, due: np.dtype) -> bool:
    """Integers may be of any size, floating-point numbers must have the very dtype."""
    return got == due if due.kind == "f" else got.kind in {"i": "iu", "u": "iu"}.get(due.kind, "b")


def _same(got: Any, due: Any, rtol: float) -> Any:
    """Say element by element whether the values are equal, up to rtol of the largest number due."""
    if np.asarray(due).dtype.kind != "f":
        return got == due
    finite = np.abs(due[np.isfinite(due)]) if np.size(due) else np.zeros(0)
    scale = max(float(finite.max(initial=0.0)), 1e-3)
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(got - due) <= rtol * scale
    return (got == due) | near | (np.isnan(got) & np.isnan(due))


def number(value: Any) -> str:
    """Write a number as briefly as it can be told from its neighbours.

    >>> number(2.0), number(0.1 + 0.2)
    ('2', '0.3')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def apart(got: Any, due: Any) -> str:
    """Write two numbers with as many digits as it takes to tell them apart.

    >>> apart(1.0, 2.0), apart(1.00000001, 1.0)
    ('1 where 2', '1.00000001 where 1.0')
    """
    if number(got) != number(due):
        return f"{number(got)} where {number(due)}"
    return f"{got!s} where {due!s}"


def kind(value: Any) -> str:
    """Name what a value is: "a list", "an array of shape (2, 3)", "None"."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
