"""Reading the arguments that name dimensions and sizes; every function here raises in sentences."""

from __future__ import annotations

from contextlib import suppress
from functools import wraps
from operator import index

from ..arrays import torch_names
from ..errors import DimError, explain
from ..tensor import Tensor


def numpy_names(function):
    """Let arguments have NumPy's names too, as `axis` for `dim`; an Op can do so by itself."""

    @wraps(function)
    def called(*args, **named):
        return function(*args, **torch_names(function.__name__, named))

    return called


def sizes_last(function):
    """Let the sizes at the end come one by one: `x.expand(2, 3)` is `x.expand((2, 3))`."""

    @wraps(function)
    def spread(input, *sizes, **named):
        together = len(sizes) == 1 and isinstance(sizes[0], tuple | list | None)
        return function(input, *(sizes if together or not sizes else (sizes,)), **named)

    return spread


def wrap(function: str, x, dim: int, extra: int = 0) -> int:
    """Count a dimension of `x` from the front: -1 is the last. Raises DimError if there is none.

    x: a tensor or an array; a single number is taken as a vector. extra: how many dimensions the
    result has more than `x`.

    >>> from ..tensor import Tensor
    >>> wrap("sum", Tensor([[1.0]]), -1)
    1
    """
    count = max(len(x.shape) + extra, 1)
    try:
        found = index(dim if not isinstance(dim, bool) else None)
    except TypeError:
        raise TypeError(explain(function, "a dimension must be an integer", {"dim": dim})) from None
    if not -count <= found < count:
        raise DimError(explain(function, f"there is no dimension {found}", {"input": x, "dim": dim},
                               f"choose one from {-count} to {count - 1}"))
    return found % count


def wrap_all(function: str, x, dims) -> tuple[int, ...]:
    """Count dimensions from the front; each may be named once."""
    dims = tuple(wrap(function, x, d) for d in integers(function, "dims", dims))
    if len(set(dims)) < len(dims):
        raise DimError(explain(function, "a dimension is named twice", {"input": x, "dims": dims}))
    return dims


def need_tensors(function: str, **arguments) -> None:
    """Raise TypeError unless every argument is a Tensor."""
    for name, value in arguments.items():
        if not isinstance(value, Tensor):
            raise TypeError(explain(function, f"{name} must be a Tensor", arguments,
                                    "make one with minilearn.tensor(...)"))


def need_bool(function: str, **switches) -> None:
    """Raise TypeError unless every argument is True or False."""
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise TypeError(explain(function, f"{name} must be True or False", {name: value}))


def need_dim(function: str, dim, keepdim: bool) -> None:
    """Raise TypeError where all is reduced to one number and `keepdim` has nothing to keep."""
    need_bool(function, keepdim=keepdim)
    if dim is None and keepdim:
        raise TypeError(f"{function}: keepdim needs a dim; got keepdim={keepdim}")


def reduced(function: str, x, dim) -> tuple[int, ...]:
    """List the dimensions that a reduction over `dim` removes: all of them for None and ()."""
    everything = dim is None or isinstance(dim, tuple | list) and not dim
    dims = range(len(x.shape)) if everything else wrap_all(function, x, dim)
    return tuple(dims) if x.shape else ()


def integer(function: str, name: str, value) -> int:
    """Return one integer, which may be a tensor's or NumPy's; TypeError for anything else."""
    if not isinstance(value, bool):
        with suppress(TypeError):
            return index(value)
    raise TypeError(explain(function, f"{name} must be an integer", {name: value}))


def several(function: str, name: str, values) -> tuple[int, ...]:
    """Return a list of integers as a tuple; TypeError for one integer alone."""
    if not isinstance(values, tuple | list):
        raise TypeError(explain(function, f"{name} must be a tuple of integers", {name: values}))
    return integers(function, name, values)


def integers(function: str, name: str, values) -> tuple[int, ...]:
    """Return one integer, or a list of them, as a tuple."""
    several = values if isinstance(values, tuple | list) else (values,)
    if not any(isinstance(value, bool) for value in several):
        with suppress(TypeError):
            return tuple(map(index, several))
    raise TypeError(explain(function, f"{name} must be integers", {name: values}))
