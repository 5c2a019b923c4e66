"""The operators and methods of Tensor, listed by hand.

The engine (`tensor.py`) knows nothing of particular ops; they are attached to it here, from above,
so that the arrow of imports keeps pointing down. `x.exp()` and `minilearn.exp(x)` are one function.
"""

from __future__ import annotations

from . import autograd, conversion, creation, hooks, xp
from .ops import (
    comparison,
    diagonal,
    elementwise,
    exponential,
    gather,
    index,
    matmul,
    order,
    pieces,
    reduce,
    rounding,
    scan,
    shape,
    softmax,
    statistics,
)
from .ops.dims import sizes_last
from .tensor import Tensor


def compared(op):
    """Let `==` and the like answer for things that are no numbers: `x == None` is just False."""

    def compare(input, other):
        try:
            return op(input, _constant(other))
        except TypeError:
            return NotImplemented

    return compare


def operator(op, swapped=False):
    """Return `op` as a plain function of two: an operator is called too often for a detour.

    Operators take the library's arrays beside a Tensor, as torch's do; functions do not.
    """
    call = op.__call__
    if swapped:
        return lambda a, b: call(b if type(b) is Tensor else _constant(b), a)
    return lambda a, b: call(a, b if type(b) is Tensor else _constant(b))


def _constant(x):
    return Tensor(x) if isinstance(x, xp.ARRAY) else x


OPERATORS = {
    "__add__": operator(elementwise.add),
    "__radd__": operator(elementwise.add, swapped=True),
    "__sub__": operator(elementwise.sub),
    "__rsub__": operator(elementwise.sub, swapped=True),
    "__mul__": operator(elementwise.mul),
    "__rmul__": operator(elementwise.mul, swapped=True),
    "__truediv__": operator(elementwise.div),
    "__rtruediv__": operator(elementwise.div, swapped=True),
    "__floordiv__": operator(rounding.floor_divide),
    "__rfloordiv__": operator(rounding.floor_divide, swapped=True),
    "__mod__": operator(rounding.remainder),
    "__rmod__": operator(rounding.remainder, swapped=True),
    "__pow__": operator(elementwise.pow),
    "__rpow__": operator(elementwise.pow, swapped=True),
    "__matmul__": operator(matmul.matmul),
    "__rmatmul__": operator(matmul.matmul, swapped=True),
    "__neg__": elementwise.neg,
    "__pos__": lambda a: a,
    "__abs__": elementwise.abs,
    "__invert__": comparison.bitwise_not,
    "__and__": operator(comparison.bitwise_and),
    "__rand__": operator(comparison.bitwise_and),
    "__or__": operator(comparison.bitwise_or),
    "__ror__": operator(comparison.bitwise_or),
    "__xor__": operator(comparison.bitwise_xor),
    "__rxor__": operator(comparison.bitwise_xor),
    "__eq__": compared(comparison.eq),
    "__ne__": compared(comparison.ne),
    "__lt__": compared(comparison.lt),
    "__le__": compared(comparison.le),
    "__gt__": compared(comparison.gt),
    "__ge__": compared(comparison.ge),
    "__iadd__": conversion.in_place(elementwise.add),
    "__isub__": conversion.in_place(elementwise.sub),
    "__imul__": conversion.in_place(elementwise.mul),
    "__itruediv__": conversion.in_place(elementwise.div),
    "__getitem__": index.item_at,
    "__setitem__": conversion.set_item,
    "__hash__": object.__hash__,
}
METHODS = [
    *(elementwise.add, elementwise.sub, elementwise.mul, elementwise.div, elementwise.neg),
    *(elementwise.pow, elementwise.square, elementwise.reciprocal, elementwise.relu),
    *(elementwise.abs, elementwise.clone, elementwise.contiguous),
    *(exponential.exp, exponential.exp2, exponential.expm1, exponential.log, exponential.log2),
    *(exponential.log10, exponential.log1p, exponential.sqrt, exponential.rsqrt),
    *(exponential.tanh, exponential.sigmoid, exponential.erf, exponential.sin, exponential.cos),
    *(exponential.tan, exponential.asin, exponential.acos, exponential.atan, exponential.atan2),
    *(exponential.sinh, exponential.cosh),
    *(rounding.sign, rounding.floor, rounding.ceil, rounding.trunc, rounding.round),
    *(rounding.floor_divide, rounding.remainder, elementwise.lerp),
    *(comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge),
    *(comparison.isclose, comparison.allclose, comparison.equal, comparison.isnan),
    *(comparison.isinf, comparison.isfinite, comparison.logical_not, comparison.logical_and),
    *(comparison.logical_or, comparison.logical_xor, comparison.bitwise_not),
    *(comparison.bitwise_and, comparison.bitwise_or, comparison.bitwise_xor),
    *(order.maximum, order.minimum, order.clamp, order.clamp_min, order.clamp_max, order.argmax),
    *(order.argmin, order.max, order.min, order.argsort, order.sort, order.topk, order.median),
    *(reduce.sum, reduce.amax, reduce.amin, reduce.logsumexp, reduce.any, reduce.all),
    reduce.broadcast_to,
    *(scan.cumsum, scan.cumprod, scan.prod, softmax.softmax, softmax.log_softmax),
    *(statistics.mean, statistics.var, statistics.std, statistics.norm),
    *(gather.gather, gather.scatter, gather.scatter_add, gather.take_along_dim, gather.take),
    *(gather.index_select, gather.index_add, gather.index_copy, gather.index_fill),
    *(gather.index_put, gather.masked_fill, gather.masked_select, gather.nonzero),
    *(shape.flatten, shape.ravel, shape.unflatten, shape.unsqueeze, shape.expand_as),
    *(shape.view_as, shape.t, shape.transpose, shape.swapaxes, shape.movedim, shape.fliplr),
    *(shape.flipud, shape.roll, shape.rot90),
    *(pieces.narrow, pieces.select, pieces.split, pieces.chunk, pieces.tensor_split),
    *(pieces.unbind, pieces.repeat_interleave),
    *(diagonal.tril, diagonal.triu, diagonal.diagonal, diagonal.diag, diagonal.diag_embed),
    *(diagonal.diagflat, diagonal.trace),
    *(matmul.matmul, matmul.mm, matmul.bmm, matmul.mv, matmul.dot, matmul.inner, matmul.outer),
    *(matmul.addmm, matmul.addmv, matmul.baddbmm),
    *(conversion.to, conversion.type_as, conversion.size, conversion.dim),
    *(conversion.copy_, conversion.fill_, conversion.zero_),
    *creation.NEW,
    *(conversion.is_floating_point, autograd.backward, hooks.register_hook, hooks.retain_grad),
]
SIZES_LAST = [  # x.reshape(2, 3) is x.reshape((2, 3))
    *(shape.reshape, shape.view, shape.permute, shape.expand, shape.squeeze, shape.flip),
    *(pieces.repeat, pieces.tile, reduce.count_nonzero),
]
ALIASES = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div", "negative": "neg",
    "absolute": "abs", "clip": "clamp", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arctan2": "atan2", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le",
    "not_equal": "ne", "ndimension": "dim", "nelement": "numel", "ger": "outer",
    "reshape_as": "view_as", "swapdims": "transpose", "moveaxis": "movedim",
}

for name, function in (OPERATORS | conversion.PROTOCOLS | conversion.CASTS).items():
    setattr(Tensor, name, function)
for function in METHODS:
    setattr(Tensor, function.__name__, function)
for function in SIZES_LAST:
    setattr(Tensor, function.__name__, sizes_last(function))
for name, meant in ALIASES.items():
    setattr(Tensor, name, getattr(Tensor, meant))
for function in (elementwise.add, elementwise.sub, elementwise.mul, elementwise.div):
    setattr(Tensor, f"{function.__name__}_", conversion.changed_by(function))
Tensor.split = lambda input, split_size, dim=0: pieces.split(input, split_size, dim)
Tensor.where = lambda input, condition, other: elementwise.where(condition, input, other)
Tensor.T = property(shape.t)
Tensor.mT = property(lambda x: x.permute((*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)))
