"""The operators and methods of Tensor, listed by hand.

The engine (`tensor.py`) knows nothing of particular ops; they are attached to it here, from above,
so that the arrow of imports keeps pointing down. `x.exp()` and `minilearn.exp(x)` are one function.
"""

from __future__ import annotations

from . import autograd
from .ops import diagonal, elementwise, matmul, pieces, reduce, shape
from .tensor import Tensor

OPERATORS = {
    "__add__": lambda a, b: elementwise.add(a, b),
    "__radd__": lambda a, b: elementwise.add(b, a),
    "__sub__": elementwise.sub,
    "__rsub__": lambda a, b: elementwise.sub(b, a),
    "__mul__": lambda a, b: elementwise.mul(a, b),
    "__rmul__": lambda a, b: elementwise.mul(b, a),
    "__truediv__": elementwise.div,
    "__rtruediv__": lambda a, b: elementwise.div(b, a),
    "__pow__": elementwise.pow,
    "__rpow__": lambda a, b: elementwise.pow(b, a),
    "__neg__": elementwise.neg,
    "__matmul__": matmul.matmul,
}
METHODS = [
    *(elementwise.add, elementwise.sub, elementwise.mul, elementwise.div, elementwise.neg),
    *(elementwise.pow, elementwise.exp, elementwise.log, elementwise.sqrt, elementwise.tanh),
    *(elementwise.sigmoid, elementwise.relu, elementwise.abs, elementwise.clone),
    *(reduce.sum, reduce.amax, reduce.broadcast_to),
    *(shape.reshape, shape.view, shape.flatten, shape.ravel, shape.unflatten, shape.squeeze),
    *(shape.unsqueeze, shape.expand, shape.expand_as, shape.view_as, shape.permute, shape.t),
    *(shape.transpose, shape.swapaxes, shape.movedim, shape.flip, shape.fliplr, shape.flipud),
    *(shape.roll, shape.rot90),
    *(pieces.narrow, pieces.select, pieces.split, pieces.chunk, pieces.tensor_split),
    *(pieces.unbind, pieces.repeat, pieces.tile, pieces.repeat_interleave),
    *(diagonal.tril, diagonal.triu, diagonal.diagonal, diagonal.diag, diagonal.diag_embed),
    *(diagonal.diagflat, diagonal.trace),
    matmul.matmul,
]

for name, function in OPERATORS.items():
    setattr(Tensor, name, function)
for function in METHODS:
    setattr(Tensor, function.__name__, function)
Tensor.reshape_as, Tensor.swapdims, Tensor.moveaxis = shape.view_as, shape.swapaxes, shape.movedim
Tensor.backward = autograd.backward
Tensor.mT = property(lambda x: x.permute((*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)))
