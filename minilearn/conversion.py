"""What Python and other libraries ask of a Tensor: its size and dtype, numbers, copies, pickles.

Here too is what changes a tensor in place; where gradients are recorded, that is refused.
"""

from __future__ import annotations

import copy
from functools import wraps
from typing import Any

from . import xp
from .errors import DimError, ShapeError, explain
from .op import as_tensors, is_grad_enabled
from .ops.dims import wrap
from .ops.elementwise import cast
from .ops.index import item_at, resolved
from .tensor import Tensor

# ---------------------------------------------------------------- size and dtype


def size(input: Tensor, dim: int | None = None):
    """Return the shape, or the size of one dimension."""
    if dim is None:
        return input.shape
    if not input.shape:
        raise DimError(explain("size", "a number has no dimensions", {"input": input, "dim": dim}))
    return input.shape[wrap("size", input, dim)]


def dim(input: Tensor) -> int:
    """Return the number of dimensions."""
    return input.data.ndim


def numel(input: Tensor) -> int:
    """Return the number of elements."""
    return input.numel()


def is_tensor(obj: Any) -> bool:
    """Say whether an object is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Say whether the tensor holds floating-point numbers."""
    return xp.is_floating(input.data)


def to(input: Tensor, dtype: Any = None, *, copy: bool = False) -> Tensor:
    """Return the tensor as another dtype (itself where nothing changes); gradients flow through.

    dtype: a dtype, its name, or a Tensor that has it. Raises TypeError for anything else: the
    device is chosen for the whole program, by `minilearn.use(...)`.

    >>> Tensor([1.7]).to("int64")
    tensor([1])
    """
    kind = input.data.dtype if dtype is None else _kind(dtype)
    if kind != input.data.dtype:
        whole = xp.named_dtype(kind).kind != "f"  # no gradient flows through integers
        return cast(input.detach() if whole else input, dtype=kind)
    return input.clone() if copy else input


def _kind(dtype):
    try:
        return dtype.data.dtype if isinstance(dtype, Tensor) else xp.dtype(dtype)
    except (TypeError, AttributeError):
        raise TypeError(f"to: {dtype!r} is not a dtype; to compute on another device, call "
                        "minilearn.use(...) first") from None


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """Return the tensor in the dtype of the other."""
    if not isinstance(other, Tensor):
        raise TypeError(explain("type_as", "other must be a Tensor", {"other": other}))
    return to(input, other)


CASTS = {
    name: lambda input, *, kind=kind: to(input, kind)
    for name, kind in {"float": "float32", "double": "float64", "long": "int64", "int": "int32",
                       "short": "int16", "half": "float16", "bool": "bool"}.items()
}

# ---------------------------------------------------------------- Python's protocols


def length(x: Tensor) -> int:
    """Return the size of the first dimension."""
    if not x.shape:
        raise TypeError("len: a tensor without dimensions has no length")
    return x.shape[0]


def rows(x: Tensor):
    """Go through the first dimension."""
    if not x.shape:
        raise TypeError("iter: a tensor without dimensions has no rows; use x.item()")
    return iter([item_at(x, i) for i in range(x.shape[0])])


def truth(x: Tensor) -> bool:
    """Return the truth of the one element."""
    if x.numel() != 1:
        raise RuntimeError(explain("bool", "only one element is true or false", {"tensor": x},
                                   "use x.any() or x.all()"))
    return bool(x.item())


def number(kind):
    """Make the function that turns a tensor of one element into a Python number."""

    def convert(x: Tensor):
        if x.numel() != 1:
            raise ValueError(explain(kind.__name__, "only for one element", {"tensor": x}))
        return kind(x.item())

    return convert


def as_index(x: Tensor) -> int:
    """Return the one integer, to index Python's lists with."""
    if x.numel() != 1 or xp.is_floating(x.data):
        raise TypeError(explain("index", "only one integer can index", {"tensor": x}))
    return int(x.item())


def as_numpy(x: Tensor, dtype: Any = None, copy: bool | None = None):
    """Return the values where NumPy asks for an array."""
    array = x.numpy()
    return array if dtype is None and not copy else array.astype(dtype or array.dtype, copy=True)


def formatted(x: Tensor, spec: str) -> str:
    """Write the tensor, or its one number in the given format: f"{loss:.3f}"."""
    return format(str(x) if x.shape else x.item(), spec)


def _need_leaf(function: str, x: Tensor) -> None:
    if not x.is_leaf:
        raise RuntimeError(f"{function}: this tensor was computed, and its history cannot be "
                           "copied. To repair it: use x.detach()")


def deep_copied(x: Tensor, memo: dict) -> Tensor:
    """Copy a tensor that was not computed: values, requires_grad and gradient."""
    _need_leaf("deepcopy", x)
    new = memo[id(x)] = rebuilt(type(x), xp.copy(x.data), x.requires_grad)
    if x.grad is not None:
        new.grad = copy.deepcopy(x.grad, memo)
    return new


def rebuilt(kind: type, array: Any, requires_grad: bool) -> Tensor:
    """Make a tensor from its array; one of NumPy's moves to the current library."""
    new: Tensor = object.__new__(kind)
    new.data = array if isinstance(array, xp.ARRAY) else xp.array(array)
    new.node = None
    new.requires_grad = requires_grad
    return new


def pickled(x: Tensor, protocol: int):
    """Pickle values and requires_grad, as a NumPy array that any library can read back."""
    _need_leaf("pickle", x)
    return rebuilt, (type(x), xp.to_numpy(x.data), x.requires_grad)


PROTOCOLS = {
    "__len__": length, "__iter__": rows, "__bool__": truth, "__index__": as_index,
    "__float__": number(float), "__int__": number(int), "__array__": as_numpy,
    "__contains__": lambda x, value: bool((x == value).any()),
    "__format__": formatted, "__deepcopy__": deep_copied, "__reduce_ex__": pickled,
}

# ---------------------------------------------------------------- changes in place


def set_item(x: Tensor, index: Any, value: Any) -> None:
    """Write `x[index] = value` into a tensor that no gradient is recorded for; `value` broadcasts.

    Raises RuntimeError for a tensor that a gradient flows through: its history would be wrong.
    """
    (_, value) = as_tensors("setitem", (x, value))
    _refuse_recorded("setitem", x, value)
    overwrite("setitem", x, value, resolved(x, index))


def _refuse_recorded(function: str, x: Tensor, value: Tensor) -> None:
    if not x.is_leaf or is_grad_enabled() and (x.requires_grad or value.requires_grad):
        raise RuntimeError(explain(
            function, "a tensor whose gradient is recorded cannot be changed in place",
            {"tensor": x, "value": value},
            "make a new one: minilearn.where(mask, value, x), x.index_put(...), x.scatter(...) or "
            "minilearn.cat(...); or change it inside `with no_grad():`, if it is a leaf"))


def in_place(op):
    """Make `x += y` and the like: in place where no gradient is recorded, else a new tensor.

    Raises RuntimeError for parameters outside `no_grad`, as torch does.
    """

    @wraps(op.forward)
    def update(x, other):
        if x.requires_grad and x.is_leaf and is_grad_enabled():
            raise RuntimeError(f"{op.__name__}: a tensor that requires a gradient cannot change in "
                               "place. To repair it: do it inside `with no_grad():`")
        y = op(x, Tensor(other) if isinstance(other, xp.ARRAY) else other)
        if y.requires_grad or not x.is_leaf:
            return y
        _need_kind(op.__name__, x, y)
        return overwrite(op.__name__, x, y)

    return update


def changed_by(op):
    """Make the method that changes its tensor in place by an op, as in `x.add_(1)`.

    Raises RuntimeError for a tensor that a gradient is recorded for.
    """
    name = f"{op.__name__}_"

    def update(x, *args, **options):
        y = op(x, *args, **options)
        _refuse_recorded(name, x, y)
        _need_kind(name, x, y)
        return overwrite(name, x, y)

    return update


def _need_kind(function: str, x: Tensor, result: Tensor) -> None:
    kinds = [xp.host_dtype(t.data).kind for t in (x, result)]
    if kinds[0] != "f" and kinds[1] == "f" or kinds[0] == "b" != kinds[1]:
        raise TypeError(explain(function, "the result does not fit the tensor's dtype",
                                {"tensor": x, "result": result}))


def copy_(x: Tensor, src: Tensor) -> Tensor:
    """Write the values of another tensor, which broadcast, into this one, and return it."""
    (_, src) = as_tensors("copy_", (x, src))
    _refuse_recorded("copy_", x, src)
    return overwrite("copy_", x, src)


def fill_(x: Tensor, value: Any) -> Tensor:
    """Set all elements to one number, in place, and return the tensor."""
    (_, value) = as_tensors("fill_", (x, value))
    _refuse_recorded("fill_", x, value)
    if value.shape:
        raise ShapeError(explain("fill_", "expected one number", {"tensor": x, "value": value}))
    return overwrite("fill_", x, value)


def zero_(x: Tensor) -> Tensor:
    """Set all elements to 0, in place, and return the tensor: `w.grad.zero_()`."""
    _refuse_recorded("zero_", x, x)
    return overwrite("zero_", x, Tensor(xp.zeros_like(x.data)))


def overwrite(function: str, x: Tensor, value: Tensor, index=((), None)) -> Tensor:
    """Set values in the tensor's own memory, in its own dtype, and return the tensor."""
    target, given = xp.getitem(x.data, *index), value.data
    surplus = max(given.ndim - target.ndim, 0)
    if function == "setitem" and set(given.shape[:surplus]) == {1}:  # torch leaves them out here
        given = xp.reshape(given, given.shape[surplus:])
    try:
        given = xp.broadcast_to(given, tuple(target.shape))
    except (ValueError, RuntimeError):
        raise ShapeError(explain(function, "the values do not fit", {"tensor": x, "value": value},
                                 f"give values of shape {tuple(target.shape)}")) from None
    basic, fancy = index
    xp.setitem(x.data, basic, fancy, xp.astype(given, x.data.dtype))
    return x
