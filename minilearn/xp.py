"""The one door to the array library.

Everything below the user's `Tensor` is an array of one library, chosen here for the whole program:
NumPy by default, PyTorch's arrays (on the CPU, a GPU or Apple's MPS) when asked for, and
`array_api_strict`, which accepts nothing but the standard, as a referee in the tests.

    from . import xp
    xp.exp(a)          # any function of the Python array API standard, of the current library
    xp.windows(a, ...) # the few functions that the standard lacks

PyTorch serves only as an array library: its autograd and its layers are never called.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .memory import keep_freed_memory

HOST_SCALAR = np.generic  # what NumPy's functions return instead of an array without dimensions
Array = Any  # an array of whichever library is current
Pair = tuple[int, int]  # along height, along width
LIBRARIES = {
    "numpy": ("array_api_compat.numpy", None),
    "torch:cpu": ("array_api_compat.torch", "cpu"),
    "cuda": ("array_api_compat.torch", "cuda"),
    "mps": ("array_api_compat.torch", "mps"),
    "array_api_strict": ("array_api_strict", None),
}

_current: dict[str, Any] = {}
ARRAY: type = np.ndarray  # the class of the current library's arrays
TILE = 2**18  # elements of scratch memory a kernel fills at a time: 1 MiB stays in a CPU's cache
_forwarded: set[str] = set()  # names of the library that were looked up and are kept as globals


def use(name: str) -> None:
    """Choose the array library: "numpy", "torch:cpu", "cuda", "mps" or "array_api_strict".

    Tensors made before keep their old arrays; move a model with `module.to(...)`.
    Raises ValueError for an unknown name, ImportError or RuntimeError where it cannot be used.

    >>> use("numpy"); library()
    'numpy'
    """
    if name not in LIBRARIES:
        raise ValueError(f"use: unknown library {name!r}; choose one of {', '.join(LIBRARIES)}")
    module, device = LIBRARIES[name]
    try:
        namespace = importlib.import_module(module)
    except ImportError as error:
        package = "torch" if device else name
        raise ImportError(
            f"use({name!r}) needs the package {package}: pip install 'minilearn[learn]'"
        ) from error
    _check_device(namespace, device)
    for forwarded in _forwarded:
        del globals()[forwarded]
    _forwarded.clear()
    _current.update(name=name, namespace=namespace, device=device)
    global ARRAY, TILE
    TILE = 2**26 if device in ("cuda", "mps") else 2**18
    ARRAY = type(namespace.zeros(()))


def _check_device(namespace: Any, device: str | None) -> None:
    if device in ("cuda", "mps"):
        torch = importlib.import_module("torch")
        backend = torch.cuda if device == "cuda" else torch.backends.mps
        if not backend.is_available():
            raise RuntimeError(f"use({device!r}): PyTorch finds no such device on this machine")


def library() -> str:
    """Return the name of the current array library."""
    return _current["name"]


def device() -> str | None:
    """Return where arrays are made: None for NumPy, else PyTorch's name of the device."""
    return _current["device"]


def waits() -> bool:
    """Say whether to look at an array is to wait for a GPU, which else computes far ahead."""
    return _current["device"] == "cuda"


def demand(holds: Array, error: Callable[[], Exception]) -> None:
    """Raise `error()` unless every element is true.

    Nobody waits for a GPU's answer: there, as with torch, a later call fails, in fewer words.
    """
    if waits():
        importlib.import_module("torch")._assert_async(_current["namespace"].all(holds))
    elif not _current["namespace"].all(holds):
        raise error()


def __getattr__(name: str) -> Any:
    """Forward `xp.name` to the current library, and remember it until `use` is called again."""
    if name.startswith("__"):
        raise AttributeError(name)
    value = getattr(_current["namespace"], name)
    globals()[name] = value
    _forwarded.add(name)
    return value


# ---------------------------------------------------------------- making and reading arrays


def dtype(spec: Any) -> Any:
    """Return the current library's dtype for a name, a NumPy dtype or one of its own dtypes."""
    if isinstance(spec, str | type | np.dtype):
        return getattr(_current["namespace"], np.dtype(spec).name.replace("bool_", "bool"))
    if hasattr(spec, "dtype"):
        raise TypeError("expected a dtype or its name, got an array")
    return spec


def named_dtype(spec: Any) -> np.dtype:
    """Return a dtype of any library, or the name of one, as a NumPy dtype."""
    known = isinstance(spec, np.dtype | str | type)
    return np.dtype(spec if known else str(spec).rpartition(".")[2])


def host_dtype(array: Array) -> np.dtype:
    """Return the dtype of an array of any library as a NumPy dtype."""
    own = array.dtype
    return own if isinstance(own, np.dtype) else named_dtype(own)


def array(data: Any, dtype_: Any = None) -> Array:
    """Copy numbers, nested lists or an array of any library into an array of the current one."""
    if hasattr(data, "detach"):  # a PyTorch tensor, perhaps on another device
        data = data.detach()
        if not _is_torch():  # NumPy has no bfloat16
            data = (data.float() if str(data.dtype) == "torch.bfloat16" else data).cpu().numpy()
    elif _is_torch() or library() == "array_api_strict":
        data = np.array(data) if not type(data).__module__.startswith("array_api") else data
    kind = None if dtype_ is None else dtype(dtype_)
    return _current["namespace"].asarray(data, dtype=kind, device=_current["device"], copy=True)


def to_numpy(array: Array) -> np.ndarray:
    """Return the array as a NumPy array (without a copy where the memory can be shared)."""
    if isinstance(array, np.ndarray):
        return array
    return array.cpu().numpy() if hasattr(array, "cpu") else np.asarray(array)


def _is_torch() -> bool:
    return _current["device"] is not None


def scalar(value: float, dtype_: Any) -> Array:
    """Return one number as an array without dimensions."""
    if _current["name"] == "numpy":
        return np.array(value, dtype_)
    return full((), value, dtype_)


def copy(array: Array) -> Array:
    """Return a copy of an array of the current library, laid out in memory like the array."""
    if isinstance(array, np.ndarray):
        return array.copy(order="K")
    return _current["namespace"].asarray(array, copy=True)


def zeros(shape: tuple[int, ...], dtype_: Any = "float32") -> Array:
    """Return an array of zeros on the current device."""
    return _current["namespace"].zeros(shape, dtype=dtype(dtype_), device=_current["device"])


def full(shape: tuple[int, ...], value: float, dtype_: Any = "float32") -> Array:
    """Return an array filled with one value on the current device."""
    return _current["namespace"].full(shape, value, dtype=dtype(dtype_), device=_current["device"])


def empty(shape: tuple[int, ...], dtype_: Any = "float32") -> Array:
    """Return an array whose values are not set yet, on the current device."""
    return _current["namespace"].empty(shape, dtype=dtype(dtype_), device=_current["device"])


def arange(*args: Any, dtype_: Any = "int64") -> Array:
    """Return evenly spaced values on the current device."""
    return _current["namespace"].arange(*args, dtype=dtype(dtype_), device=_current["device"])


# ---------------------------------------------------------------- randomness

_generator = np.random.default_rng(0)


def manual_seed(seed: int) -> None:
    """Restart the one random generator, so that what follows can be repeated exactly."""
    global _generator
    _generator = np.random.default_rng(seed)


def generator() -> np.random.Generator:
    """Return the generator behind every random number: NumPy's, on every library.

    Numbers are drawn on the host and then moved, so one seed gives the same weights everywhere.
    """
    return _generator


# ---------------------------------------------------------------- what the standard lacks


def is_floating(array: Array) -> bool:
    """Say whether the array holds floating-point numbers."""
    if isinstance(array, np.ndarray):
        return array.dtype.kind == "f"
    return _current["namespace"].isdtype(array.dtype, "real floating")


def floating(array: Array) -> Array:
    """Return the array itself if it is floating point, else a float32 copy (as torch does)."""
    return array if is_floating(array) else _current["namespace"].astype(array, dtype("float32"))


def contiguous(array: Array) -> Array:
    """Return the same values laid out row by row in memory, copied only where needed."""
    if isinstance(array, np.ndarray):
        return np.asarray(array, order="C")  # ascontiguousarray would add a dimension to ()
    return array.contiguous() if hasattr(array, "contiguous") else array


def quiet() -> Any:
    """Let infinities and NaNs arise in silence for a block, as torch does: log(0) is -inf."""
    return np.errstate(all="ignore")


def windows(x: Array, kernel: Pair, stride: Pair, dilation: Pair) -> Array:
    """View every place a kernel visits: (N, H, W, C) -> (N, OH, OW, KH, KW, C), without copying.

    The same memory is read through other strides: one step in OH moves `stride` rows, one step
    in KH moves `dilation` rows. `windows_portable` says the same with slices.
    """
    if library() == "array_api_strict":
        return windows_portable(x, kernel, stride, dilation)
    n, h, w, c = x.shape
    oh, ow = (_places(*a) for a in zip((h, w), kernel, stride, dilation, strict=True))
    # NumPy counts strides in bytes, torch in elements; both accept their own.
    sn, sh, sw, sc = x.strides if isinstance(x, np.ndarray) else x.stride()
    shape = (n, oh, ow, *kernel, c)
    strides = (sn, sh * stride[0], sw * stride[1], sh * dilation[0], sw * dilation[1], sc)
    if isinstance(x, np.ndarray):
        return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)
    return x.as_strided(shape, strides, x.storage_offset())


def windows_portable(x: Array, kernel: Pair, stride: Pair, dilation: Pair) -> Array:
    """Do what `windows` does with standard functions only: one slice per kernel position."""
    ns = _current["namespace"]
    sizes = zip(x.shape[1:3], kernel, stride, dilation, strict=True)
    rows, columns = (slice(0, _places(*along)) for along in sizes)
    down = [met_by(rows, i, stride[0], dilation[0]) for i in range(kernel[0])]
    across = [met_by(columns, j, stride[1], dilation[1]) for j in range(kernel[1])]
    return ns.stack([ns.stack([x[:, i, j, ...] for j in across], axis=3) for i in down], axis=3)


def met_by(places: slice, tap: int, stride: int, dilation: int) -> slice:
    """Return the slice of a dimension that one tap of a kernel meets at the given places."""
    first = places.start * stride + tap * dilation
    return slice(first, first + (places.stop - 1 - places.start) * stride + 1, stride)


def multiply_into(out: Array, a: Array, b: Array) -> None:
    """Write the matrix product of a and b into `out`, which may be a view of a larger array."""
    if isinstance(out, np.ndarray):
        np.matmul(a, b, out=out)  # without an array in between
    else:
        with quiet():
            out[...] = a @ b


def column_products(a: Array, b: Array) -> Array:
    """Return, for each column, the sum of the products of two matrices' elements."""
    if isinstance(a, np.ndarray):
        return np.einsum("ij,ij->j", a, b)  # no array in between: half of the time
    return _current["namespace"].sum(a * b, axis=0)


def _places(size: int, kernel: int, stride: int, dilation: int) -> int:
    return (size - (kernel - 1) * dilation - 1) // stride + 1


def full_laid_out_like(x: Array, shape: tuple[int, ...], value: float) -> Array:
    """Fill an array of `shape` whose dimensions lie in memory in the order of those of `x`."""
    if isinstance(x, np.ndarray):
        return np.full_like(x, value, shape=shape)
    return full(shape, value, x.dtype)


def pad_along(x: Array, dim: int, before: int, after: int, value: float) -> Array:
    """Return the array with `value` put before and after it along one dimension."""
    shape, at = list(x.shape), [slice(0, size) for size in x.shape]
    shape[dim] += before + after
    at[dim] = slice(before, before + x.shape[dim])
    out = full_laid_out_like(x, tuple(shape), value)
    out[tuple(at)] = x
    return out


def all_finite(x: Array) -> bool:
    """Say whether no element is infinite or nan; a sum so large that it is infinite says no too."""
    with quiet():
        return math.isfinite(_current["namespace"].sum(x))


def kept(x: Array, mask: Array) -> Array:
    """Return x where the mask holds and 0 elsewhere."""
    ns = _current["namespace"]
    if isinstance(x, np.ndarray) and all_finite(x):
        return x * mask  # 10 times as fast as `where`, whose branches no processor can predict
    return ns.where(mask, x, ns.zeros_like(x))


def erf(x: Array) -> Array:
    """Return the error function of each element."""
    if _is_torch():
        return x.erf()
    try:
        from scipy.special import erf as host_erf
    except ImportError:
        host_erf = np.vectorize(math.erf, otypes=[np.float64])
    values = host_erf(to_numpy(x)).astype(host_dtype(x))
    return _current["namespace"].asarray(values)


def getitem(array: Array, basic: tuple, fancy: tuple | None = None) -> Array:
    """Return array[*basic][*fancy]: slices and integers first, then arrays of integers."""
    part = array[(*basic, ...)]
    if fancy is None:
        return part
    if library() == "array_api_strict":  # the standard has no such indexing
        return _current["namespace"].asarray(to_numpy(part)[_host_index(fancy)])
    return part[fancy]


def setitem(array: Array, basic: tuple, fancy: tuple | None, values: Array) -> None:
    """Set array[*basic][*fancy] = values, in place; `values` broadcast."""
    ns = _current["namespace"]
    if fancy is not None and library() != "array_api_strict":
        array[(*basic, ...)][fancy] = values
        return
    if fancy is not None:
        host = np.array(to_numpy(array[(*basic, ...)]))
        host[_host_index(fancy)] = to_numpy(values)
        values = ns.asarray(host)
    if None in basic:  # which the standard only reads through
        values = ns.broadcast_to(values, array[(*basic, ...)].shape)
        basic = tuple(i for i in basic if i is not None)
        values = ns.reshape(values, array[(*basic, ...)].shape)
    array[(*basic, ...)] = values


def index_add(shape: tuple[int, ...], basic: tuple, fancy: tuple | None, values: Array) -> Array:
    """Return zeros of `shape` with `values` added at [*basic][*fancy]; repeated places add up."""
    out = zeros(shape, values.dtype)
    if fancy is None:
        setitem(out, basic, None, values)
        return out
    # Every place has a number, its position in memory: adding along one dimension is enough.
    ns = _current["namespace"]
    places = getitem(ns.reshape(arange(math.prod(shape)), shape), basic, fancy)
    places, values = ns.reshape(places, (-1,)), ns.reshape(values, (-1,))
    if _is_torch():
        return out.reshape(-1).index_add_(0, places, values).reshape(shape)
    host = np.zeros(math.prod(shape), host_dtype(values))
    np.add.at(host, to_numpy(places), to_numpy(values))
    return _current["namespace"].asarray(host.reshape(shape))


def _host_index(index: tuple) -> tuple:
    return tuple(i if isinstance(i, slice) else to_numpy(i) for i in index)


# As with torch, infinities and nan arise in silence: a division by 0 inside the framework is not
# worth a warning. NumPy's warnings in the user's own code stay.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"(minilearn|array_api_compat)\.")
use("numpy")
keep_freed_memory()
