"""Errors that name every argument with its shape and say what to do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any


class ShapeError(ValueError):
    """Shapes that do not fit together."""


class DimError(ShapeError, IndexError):
    """A dimension or an index that does not exist."""


def describe(value: Any) -> str:
    """Say what a value is in a few words: a shape and dtype for arrays, else its type and value.

    >>> describe((1, 2)), describe("same")
    ('(1, 2)', "'same'")
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and hasattr(value, "dtype"):
        kind = str(value.dtype).rpartition(".")[2]
        return f"{tuple(shape)} {kind}"
    if isinstance(value, bool | int | float | str | tuple | list | slice | type(None)):
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."
    if isinstance(value, type) or hasattr(value, "itemsize"):  # float, or a library's own dtype
        return getattr(value, "__name__", str(value).rpartition(".")[2])
    return type(value).__name__


def listing(arguments: dict[str, Any]) -> str:
    """Write arguments as `name=(2, 3) float32, other=...`."""
    return ", ".join(f"{name}={describe(value)}" for name, value in arguments.items())


def explain(function: str, problem: str, arguments: dict[str, Any], repair: str = "") -> str:
    """Compose a message: the function, what is wrong, every argument, what to do.

    >>> explain("add", "shapes differ", {"n": 3}, "make them equal")
    'add: shapes differ (got n=3). To repair it: make them equal.'
    """
    end = f" To repair it: {repair}." if repair else ""
    return f"{function}: {problem} (got {listing(arguments)}).{end}"


def none_left_out(function: Callable) -> Callable:
    """Refuse None where an argument may be left out: as in torch, that is how to get the default.

    Only `dtype` may be None.
    """

    @wraps(function)
    def called(*args: Any, **named: Any) -> Any:
        given = [*args, *(v for k, v in named.items() if k != "dtype")]
        if any(v is None for v in given):
            raise TypeError(f"{function.__name__}: an argument is None. To repair it: leave it out")
        return function(*args, **named)

    return called
