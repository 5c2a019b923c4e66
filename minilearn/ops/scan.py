"""Running sums and products, and the product of everything."""

from __future__ import annotations

from .. import xp
from ..errors import none_left_out
from ..op import Op, as_tensors
from ..tensor import Tensor
from .dims import need_dim, numpy_names, wrap
from .elementwise import cast, need_numbers
from .pieces import cat, narrow, select
from .shape import reshape


@Op
def cumsum(input, *, dim, dtype=None):
    """Return the sum of each element and all before it along `dim`.

    >>> cumsum(Tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    dim = wrap("cumsum", input, dim)
    if dtype is None and not xp.is_floating(input):
        dtype = "int64"
    input = input if dtype is None else xp.astype(input, xp.dtype(dtype))
    need_numbers("cumsum", input)
    with xp.quiet():
        return xp.cumulative_sum(input, axis=dim, dtype=input.dtype) if input.ndim else input


# An element is in its own sum and in all later ones: a running sum from the end.
cumsum.grad(lambda g, y, x, dim, dtype: cumsum(g.flip(dim), dim=dim).flip(dim))


@numpy_names
@xp.quiet()
def cumprod(input, dim, *, dtype=None) -> Tensor:
    """Return the product of each element and all before it along `dim`.

    Each round doubles how far back the products reach; with nothing ever divided, derivatives of
    every order are right at zeros too.
    """
    input = _countable("cumprod", input, dtype)
    need_numbers("cumprod", input.data)
    dim, reach = wrap("cumprod", input, dim), 1
    size = input.shape[dim] if input.shape else 1
    while reach < size:
        first, earlier = narrow(input, dim, 0, reach), narrow(input, dim, 0, size - reach)
        input = cat([first, earlier * narrow(input, dim, reach, size - reach)], dim)
        reach *= 2
    return input


@numpy_names
@none_left_out
@xp.quiet()
def prod(input, dim=None, keepdim=False, *, dtype=None) -> Tensor:
    """Return the product over one dimension, or of all elements.

    Pairs are multiplied, then pairs of pairs: right at zeros, too, for derivatives of every order.

    >>> prod(Tensor([2.0, 3.0, 4.0]))
    tensor(24.)
    """
    input = _countable("prod", input, dtype)
    need_dim("prod", dim, keepdim)
    if dim is None or not input.shape:
        input, dim = reshape(input, shape=(-1,)), 0 if dim is None else wrap("prod", input, dim)
        keepdim = False
    dim = wrap("prod", input, dim)
    while (size := input.shape[dim]) > 1:
        half = size // 2
        pairs = narrow(input, dim, 0, half) * narrow(input, dim, half, half)
        input = cat([pairs, narrow(input, dim, 2 * half, 1)], dim) if size % 2 else pairs
    if not input.shape[dim]:  # the product of nothing is 1
        ones = tuple(1 if i == dim else n for i, n in enumerate(input.shape))
        input = cat([input, Tensor(xp.full(ones, 1, input.data.dtype))], dim)
    return input if keepdim else select(input, dim, 0)


def _countable(function, input, dtype):
    """Return the input as `dtype`; integers and truth values multiply as int64."""
    (input,) = as_tensors(function, (input,))
    if dtype is None:
        return input if xp.is_floating(input.data) else cast(input, dtype="int64")
    return cast(input, dtype=dtype)
