"""minilearn: a deep-learning framework small enough to read in a weekend."""

import importlib
from math import e, inf, nan, pi

from . import methods
from .autograd import grad
from .conversion import is_floating_point, is_tensor, numel
from .creation import (
    arange,
    as_tensor,
    bernoulli,
    double,
    empty,
    empty_like,
    eye,
    float16,
    float32,
    float64,
    from_numpy,
    full,
    full_like,
    half,
    int8,
    int16,
    int32,
    int64,
    linspace,
    long,
    normal,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    short,
    tensor,
    uint8,
    zeros,
    zeros_like,
)
from .creation import boolean as bool
from .creation import float32 as float
from .creation import int32 as int
from .op import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .ops.comparison import (
    allclose,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    equal,
    ge,
    greater,
    greater_equal,
    gt,
    isclose,
    isfinite,
    isinf,
    isnan,
    le,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    not_equal,
)
from .ops.diagonal import (
    diag,
    diag_embed,
    diagflat,
    diagonal,
    meshgrid,
    trace,
    tril,
    tril_indices,
    triu,
    triu_indices,
)
from .ops.einsum import einsum
from .ops.elementwise import (
    abs,
    absolute,
    add,
    clone,
    div,
    divide,
    lerp,
    mul,
    multiply,
    neg,
    negative,
    pow,
    reciprocal,
    relu,
    square,
    sub,
    subtract,
    true_divide,
    where,
)
from .ops.exponential import (
    acos,
    arccos,
    arcsin,
    arctan,
    arctan2,
    asin,
    atan,
    atan2,
    cos,
    cosh,
    erf,
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    rsqrt,
    sigmoid,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from .ops.gather import (
    broadcast_tensors,
    gather,
    index_add,
    index_copy,
    index_fill,
    index_put,
    index_select,
    masked_fill,
    masked_select,
    nonzero,
    scatter,
    scatter_add,
    take,
    take_along_dim,
)
from .ops.matmul import (
    addmm,
    addmv,
    baddbmm,
    bmm,
    dot,
    ger,
    inner,
    matmul,
    mm,
    mv,
    outer,
    tensordot,
)
from .ops.order import (
    argmax,
    argmin,
    argsort,
    clamp,
    clamp_max,
    clamp_min,
    clip,
    max,
    maximum,
    median,
    min,
    minimum,
    sort,
    topk,
)
from .ops.pieces import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    cat,
    chunk,
    concat,
    concatenate,
    dstack,
    hstack,
    narrow,
    repeat_interleave,
    select,
    split,
    stack,
    tensor_split,
    tile,
    unbind,
    vstack,
)
from .ops.reduce import all, amax, amin, any, broadcast_to, count_nonzero, logsumexp, sum
from .ops.rounding import ceil, floor, floor_divide, remainder, round, sign, trunc
from .ops.scan import cumprod, cumsum, prod
from .ops.shape import (
    flatten,
    flip,
    fliplr,
    flipud,
    moveaxis,
    movedim,
    permute,
    ravel,
    reshape,
    roll,
    rot90,
    squeeze,
    swapaxes,
    swapdims,
    t,
    transpose,
    unflatten,
    unsqueeze,
)
from .ops.softmax import log_softmax, softmax
from .ops.statistics import mean, norm, std, std_mean, var, var_mean
from .tensor import Tensor
from .xp import manual_seed, use

__version__ = "0.1.0"

_LATER = ("bench", "check", "data", "functional", "models", "nn", "optim", "recipes", "train",
          "viz", "weights")


def __getattr__(name):
    """Import an upper floor when it is first asked for: `import minilearn` stays quick."""
    if name in _LATER:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'minilearn' has no attribute {name!r}")
