"""Making tensors: from numbers, from arrays, from chance. Names and arguments are torch's.

`dtype` is a dtype or its name; by default float32 for Python floats, int64 for integers. Sizes come
one by one or as a tuple. Random numbers come from one generator: see `manual_seed`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from operator import index
from typing import Any

from . import xp
from .arrays import to_array
from .errors import ShapeError, explain, none_left_out
from .tensor import Tensor

float16, float32, float64 = map(xp.named_dtype, ("float16", "float32", "float64"))
int8, int16, int32, int64 = map(xp.named_dtype, ("int8", "int16", "int32", "int64"))
uint8, boolean = map(xp.named_dtype, ("uint8", "bool"))
half, double, short, long = float16, float64, int16, int64  # torch's other names

# ---------------------------------------------------------------- from data


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Copy numbers, nested lists or an array into a new tensor.

    Python floats become float32 and ints int64; arrays keep their dtype. Raises ValueError for
    lists of unequal lengths, TypeError for what holds no numbers.

    >>> tensor([1, 2.5])
    tensor([1. , 2.5])
    """
    return _made(to_array(data, dtype), requires_grad)


def as_tensor(data: Any, *, dtype: Any = None) -> Tensor:
    """Return a tensor of the data, sharing the memory of a Tensor or of the library's array."""
    if isinstance(data, Tensor):
        return data.to(dtype)
    if isinstance(data, xp.ARRAY):
        return Tensor(data).to(dtype)
    return tensor(data, dtype=dtype)


def from_numpy(array: Any) -> Tensor:
    """Return a tensor of a NumPy array, in the same memory where the library allows it."""
    if not hasattr(array, "__array_interface__") or isinstance(array, Tensor | xp.HOST_SCALAR):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(array).__name__}")
    return Tensor(array if isinstance(array, xp.ARRAY) else xp.array(array))


# ---------------------------------------------------------------- one value


def sized(make: Callable) -> Callable:
    """Let sizes come one by one, as a tuple, or by name: `zeros(2, 3)`, `zeros(size=(2, 3))`."""

    @wraps(make)
    def made(*sizes: Any, size: Any = None, **options: Any) -> Tensor:
        if bool(sizes) == (size is not None):
            raise TypeError(f"{make.__name__}: needs sizes, got {sizes!r} and size={size!r}")
        return make(_sizes(make.__name__, sizes or (size,)), **options)

    return made


@sized
def zeros(size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return zeros: `zeros(2, 3)` or `zeros((2, 3))`."""
    return _made(xp.zeros(size, dtype or "float32"), requires_grad)


@sized
def ones(size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return ones: `ones(2, 3)` or `ones((2, 3))`."""
    return _made(xp.full(size, 1, dtype or "float32"), requires_grad)


@sized
def empty(size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor whose values are not set yet."""
    return _made(xp.empty(size, dtype or "float32"), requires_grad)


def full(size: Any, fill_value: float, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor of one value, in the dtype that `tensor(fill_value)` has."""
    if not isinstance(size, tuple | list):
        raise TypeError(f"full: size must be a tuple of integers, got {size!r}")
    value = to_array(_plain(fill_value), dtype)
    shape = _sizes("full", (size,))
    if value.shape:
        raise TypeError(explain("full", "fill_value must be one number", {"fill_value": value}))
    return _made(xp.copy(xp.broadcast_to(value, shape)), requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return zeros in the shape and dtype of a tensor."""
    return _made(xp.zeros(*_alike("zeros_like", input, dtype)), requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return ones in the shape and dtype of a tensor."""
    shape, kind = _alike("ones_like", input, dtype)
    return _made(xp.full(shape, 1, kind), requires_grad)


def empty_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return a tensor like another, whose values are not set yet."""
    return _made(xp.empty(*_alike("empty_like", input, dtype)), requires_grad)


def full_like(input: Tensor, fill_value: float, *, dtype: Any = None,
              requires_grad: bool = False) -> Tensor:
    """Return a tensor of one value in the shape and dtype of another."""
    shape, kind = _alike("full_like", input, dtype)
    fill_value = _plain(fill_value)
    if not isinstance(fill_value, int | float):
        raise TypeError(explain("full_like", "fill_value must be a number",
                                {"fill_value": fill_value}))
    return _made(xp.full(shape, fill_value, kind), requires_grad)


@none_left_out
def eye(n: int, m: int | None = None, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return the identity: ones on the diagonal of an (n, m) matrix; m is n by default."""
    rows, columns = _sizes("eye", (n, n if m is None else m))
    ones = xp.expand_dims(xp.arange(rows), axis=1) == xp.arange(columns)
    return _made(xp.astype(ones, xp.dtype(dtype or "float32")), requires_grad)


def new(make: Callable) -> Callable:
    """Return the method of a Tensor that makes another in its dtype: `x.new_zeros(2, 3)`."""

    def made(input: Tensor, *args: Any, dtype: Any = None, **options: Any) -> Tensor:
        return make(*args, dtype=input.dtype if dtype is None else dtype, **options)

    made.__name__ = f"new_{make.__name__}"
    return made


NEW = [new(make) for make in (tensor, zeros, ones, empty, full)]

# ---------------------------------------------------------------- evenly spaced


@none_left_out
def arange(start: Any = None, end: Any = None, step: Any = 1, *, dtype: Any = None,
           requires_grad: bool = False) -> Tensor:
    """Return start, start + step, ... up to but without `end`; `arange(end)` starts at 0.

    int64 unless a float is among the numbers; for an integer dtype these lose their fractions.
    Raises ValueError if `step` leads away from `end`.
    """
    start, end = (0, start) if end is None else (0 if start is None else start, end)
    if dtype is not None and xp.named_dtype(dtype) == "bool":
        raise TypeError("arange: truth values cannot be counted; choose a dtype of numbers")
    start, end, step = map(_plain, (start, end, step))
    numbers = {"start": start, "end": end, "step": step}
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in numbers.values()):
        raise TypeError(explain("arange", "expected finite numbers", numbers))
    if dtype is not None and xp.named_dtype(dtype) == "int64":
        start, end, step = map(int, (start, end, step))
    if step == 0 or (end - start) * step < 0:
        raise ValueError(explain("arange", "the step must lead from start to end", numbers))
    if dtype is None:
        dtype = "int64" if all(isinstance(v, int) for v in numbers.values()) else "float32"
    count = math.ceil((end - start) / step)
    if _whole(dtype):  # torch counts before it cuts, but for int64
        start, step = int(start), int(step)
    if isinstance(start, int) and isinstance(step, int):
        places = start + xp.arange(count) * step
    else:
        places = start + xp.arange(count, dtype_="float64") * step
    return _made(xp.astype(places, xp.dtype(dtype)), requires_grad)


def linspace(start: float, end: float, steps: int, *, dtype: Any = None,
             requires_grad: bool = False) -> Tensor:
    """Return `steps` numbers from `start` to `end`, both included, at equal distances.

    For an integer dtype, both ends and then all numbers lose their fractions.
    """
    start, end = map(_plain, (start, end))
    if isinstance(steps, tuple | list):
        raise TypeError(f"linspace: steps must be an integer, got {steps!r}")
    (steps,) = _sizes("linspace", (steps,))
    start, end = map(int if _whole(dtype) else float, (start, end))
    i, step = xp.arange(steps, dtype_="float64"), (end - start) / max(steps - 1, 1)
    # Counted from the nearer end, so that both ends are exact.
    places = xp.where(i < max(steps // 2, 1), start + step * i, end - step * (steps - 1 - i))
    return _made(xp.astype(places, xp.dtype(dtype or "float32")), requires_grad)


def _whole(dtype: Any) -> bool:
    return dtype is not None and xp.named_dtype(dtype).kind in "iu"


# ---------------------------------------------------------------- chance


@sized
def rand(size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return numbers drawn evenly from [0, 1)."""
    return _drawn("rand", "random", size, dtype, requires_grad)


@sized
def randn(size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return numbers drawn from the normal distribution with mean 0 and standard deviation 1."""
    return _drawn("randn", "standard_normal", size, dtype, requires_grad)


def rand_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return numbers from [0, 1) in the shape and dtype of a tensor."""
    return _drawn("rand_like", "random", *_alike("rand_like", input, dtype), requires_grad)


def randn_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return normal numbers in the shape and dtype of a tensor."""
    return _drawn("randn_like", "standard_normal", *_alike("randn_like", input, dtype),
                  requires_grad)


@none_left_out
def randint(low: Any = None, high: Any = None, size: Any = None, *, dtype: Any = None,
            requires_grad: bool = False) -> Tensor:
    """Return integers drawn evenly from `low` to `high - 1`; `randint(high, size)` starts at 0.

    Raises ValueError unless low < high.
    """
    if size is None:
        low, high, size = None, low, high
    if high is None:  # randint(10, size=(2, 3))
        low, high = None, low
    if not isinstance(size, tuple | list):
        raise TypeError(f"randint: size must be a tuple of integers, got {size!r}")
    if isinstance(low, bool) or isinstance(high, bool):
        raise TypeError(f"randint: low and high must be integers, got {low!r} and {high!r}")
    low, high = index(0 if low is None else low), index(high)
    if low >= high:
        raise ValueError(explain("randint", "low must be below high", {"low": low, "high": high}))
    numbers = xp.generator().integers(low, high, _sizes("randint", (size,)))
    return _made(xp.array(numbers, dtype or "int64"), requires_grad)


@none_left_out
def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: Any = None,
                 requires_grad: bool = False) -> Tensor:
    """Return integers from `low` to `high - 1` in the shape and dtype of a tensor."""
    shape, kind = _alike("randint_like", input, dtype)
    if xp.named_dtype(kind) == "bool":
        raise TypeError("randint_like: truth values are no integers; give a dtype")
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, shape, dtype=kind, requires_grad=requires_grad)


def randperm(n: int, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Return the integers from 0 to n - 1 in random order."""
    if isinstance(n, tuple | list):
        raise TypeError(f"randperm: n must be an integer, got {n!r}")
    (n,) = _sizes("randperm", (n,))
    return _made(xp.array(xp.generator().permutation(n), dtype or "int64"), requires_grad)


@none_left_out
def normal(mean: Any, std: Any = 1.0, size: Any = None, *, dtype: Any = None) -> Tensor:
    """Return normal numbers: with `size` for a number `mean` and `std`, else one for each element.

    Raises ValueError for a negative `std`.
    """
    if size is not None:  # then a Tensor of one element is a number
        mean, std = _plain(mean), _plain(std)
    moments = [v for v in (mean, std) if isinstance(v, Tensor)]
    if bool(moments) != (size is None) or not isinstance(size, tuple | list | None):
        raise TypeError(explain("normal", "give a size for numbers, and none for Tensors",
                                {"mean": mean, "std": std, "size": size}))
    if moments and dtype is not None:
        raise TypeError("normal: the dtype is that of the Tensors; leave dtype out")
    lowest = float(xp.min(std.data)) if isinstance(std, Tensor) and std.numel() else std
    if not isinstance(lowest, Tensor) and not lowest >= 0:
        raise ValueError(explain("normal", "std must not be negative", {"mean": mean, "std": std}))
    shape = _sizes("normal", (size,)) if size is not None else (mean + std).shape
    kind = dtype or (moments[0].dtype if moments else "float32")
    noise = _drawn("normal", "standard_normal", shape, kind)
    return (noise * std + mean).detach()


def bernoulli(input: Tensor) -> Tensor:
    """Return 1 with the chance that each element of `input` says, else 0, in its dtype."""
    shape, kind = _alike("bernoulli", input, None)
    lowest, highest = (float(f(input.data)) for f in (xp.min, xp.max)) if input.numel() else (0, 1)
    if not 0 <= lowest <= highest <= 1:
        raise ValueError(explain("bernoulli", "chances lie between 0 and 1", {"input": input}))
    return Tensor(xp.astype(rand(shape, dtype=kind).data < input.data, input.data.dtype))


# ---------------------------------------------------------------- helpers


def _made(array: Any, requires_grad: bool) -> Tensor:
    if not isinstance(requires_grad, bool):
        raise TypeError(f"requires_grad: must be True or False, got {requires_grad!r}")
    return Tensor(array, requires_grad=requires_grad)


def _plain(value: Any) -> Any:
    """Return the number in a tensor or in what NumPy's functions return as one of Python's."""
    scalar = isinstance(value, xp.HOST_SCALAR) or isinstance(value, Tensor) and not value.shape
    return value.item() if scalar else value


def _sizes(function: str, size: tuple) -> tuple[int, ...]:
    """Read sizes that come one by one or as one tuple."""
    if len(size) == 1 and isinstance(size[0], tuple | list):
        (size,) = size
    if not all(hasattr(n, "__index__") and not isinstance(n, bool) for n in size):
        raise TypeError(f"{function}: sizes must be integers, got {tuple(size)!r}")
    sizes = tuple(map(index, size))
    if min(sizes, default=0) < 0:
        raise ShapeError(f"{function}: sizes must not be negative, got {sizes}")
    return sizes


def _alike(function: str, input: Tensor, dtype: Any) -> tuple[tuple[int, ...], Any]:
    if not isinstance(input, Tensor):
        raise TypeError(f"{function}: expected a Tensor, got {type(input).__name__}")
    return input.shape, dtype or input.dtype


def _drawn(function: str, kind: str, shape: tuple, dtype: Any, requires_grad: bool = False):
    name = xp.named_dtype(dtype or "float32").name
    if name not in ("float16", "float32", "float64"):
        raise TypeError(f"{function}: random numbers are floating point, not {name}")
    precision = "float64" if name == "float64" else "float32"
    numbers = getattr(xp.generator(), kind)(shape, dtype=precision)
    return _made(xp.array(numbers, name), requires_grad)
