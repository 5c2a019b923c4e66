"""Losses: how far predictions are from targets, as one number (or one number per element).

`reduction` is "mean" (the default), "sum" or "none" in all of them. Shapes must agree exactly:
where torch warns that it broadcasts, these raise.
"""

from __future__ import annotations

from .. import xp
from ..errors import explain
from ..ops.dims import need_bool, wrap
from ..ops.elementwise import cast, mul, need_numbers, where
from ..ops.softmax import bernoulli_nll, logsigmoid
from ..tensor import Tensor
from .arguments import (
    need_broadcast,
    need_choice,
    need_floating,
    need_same_shape,
    need_tensors,
)

REDUCTIONS = ("none", "mean", "sum")

# ---------------------------------------------------------------- distances


def mse_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """Return the squared difference; a weighted mean divides by the sum of the weights.

    input, target, weight: of one shape. Raises ShapeError, TypeError, ValueError.

    >>> mse_loss(Tensor([1.0, 2.0]), Tensor([0.0, 4.0]))
    tensor(2.5)
    """
    d = _difference("mse_loss", input, target, weight, reduction)
    need_floating("mse_loss", difference=d)
    return _reduced(d * d, weight, reduction)


def l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """Return the absolute difference; a weighted mean divides by the sum of the weights.

    input, target, weight: of one shape. Raises ShapeError, TypeError, ValueError.
    """
    d = _difference("l1_loss", input, target, weight, reduction)
    return _reduced(d.abs(), weight, reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """Return `|d| - beta / 2`, rounded off to `d**2 / (2 beta)` where |d| is below `beta`.

    input, target: of one shape. Raises ShapeError, TypeError, ValueError for a negative beta.
    """
    d = _difference("smooth_l1_loss", input, target, None, reduction)
    need_floating("smooth_l1_loss", difference=d)
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative; got beta={beta}")
    size = d.abs()
    if beta > 0:
        size = _rounded_off(d, beta) / beta
    return _reduced(size, None, reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return `delta (|d| - delta / 2)`, rounded off to `d**2 / 2` where |d| is below `delta`.

    input, target, weight: of one shape; here a weighted mean divides by the number of elements, as
    torch's does. Raises ShapeError, TypeError, ValueError for a delta that is not positive.
    """
    d = _difference("huber_loss", input, target, weight, reduction)
    need_floating("huber_loss", input=input, difference=d)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be positive; got delta={delta}")
    loss = _rounded_off(d, delta)
    return _reduced(loss if weight is None else loss * weight, None, reduction)


def _rounded_off(d, corner):
    """Return `corner (|d| - corner / 2)`, rounded off to `d**2 / 2` where |d| is below the corner.

    The square sees only what is its own: an infinite difference would make its gradient nan.
    """
    far = d.abs() >= corner
    inner = where(far, 0.0, d)
    return where(far, (d.abs() - 0.5 * corner) * corner, inner * inner * 0.5)


def _difference(function, input, target, weight, reduction) -> Tensor:
    need_choice(function, "reduction", reduction, REDUCTIONS)
    need_same_shape(function, input=input, target=target)
    if weight is not None:
        need_same_shape(function, input=input, weight=weight)
    return input - target


def _reduced(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """Weigh the elements, and take the mean (over the sum of weights), the sum, or all of them."""
    if weight is not None:
        loss = loss * weight
    if reduction == "none":
        return loss
    if reduction == "mean" and weight is None:
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss.sum() / weight.sum()


# ---------------------------------------------------------------- yes or no


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """Return `-(target log(input) + (1 - target) log(1 - input))`, each logarithm at least -100.

    input: probabilities; target: the same shape and dtype, between 0 and 1; weight: broadcast to
    them. Raises ShapeError, TypeError, and ValueError for numbers outside [0, 1].
    """
    function, both = "binary_cross_entropy", {"input": input, "target": target}
    need_choice(function, "reduction", reduction, REDUCTIONS)
    need_floating(function, **both)
    need_same_shape(function, **both)
    if input.dtype != target.dtype:
        raise TypeError(explain(function, "input and target must have one dtype", both))
    for name, tensor in both.items():
        if not bool(((tensor >= 0) & (tensor <= 1)).all()):
            raise ValueError(explain(function, f"{name} must lie between 0 and 1", both,
                                     "apply sigmoid first, or take the _with_logits loss"))
    loss = _weighted(function, bernoulli_nll(input, target), weight=weight)
    return _reduced(loss, None, reduction)


@xp.quiet()
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return `binary_cross_entropy(sigmoid(input), target)`, exact for any size of the scores.

    input, target: of one shape; weight: broadcast to them; pos_weight: multiplies the term of the
    positive class, broadcast to them. Raises ShapeError, TypeError, ValueError.
    """
    function = "binary_cross_entropy_with_logits"
    need_choice(function, "reduction", reduction, REDUCTIONS)
    need_floating(function, input=input, target=target)
    need_same_shape(function, input=input, target=target)
    if pos_weight is not None:
        need_tensors(function, pos_weight=pos_weight)
        need_numbers(function, pos_weight.data)
    positive = target if pos_weight is None else _weighted(function, target, pos_weight=pos_weight)
    # log(1 - sigmoid(x)) = logsigmoid(x) - x
    log_p = logsigmoid(input)
    loss = (1 - target) * (input - log_p) - positive * log_p
    return _reduced(_weighted(function, loss, weight=weight), None, reduction)


def _weighted(function: str, loss: Tensor, **weights: Tensor | None) -> Tensor:
    """Multiply by weights that may be broadcast, but must not stretch the loss."""
    for name, weight in weights.items():
        if weight is not None:
            need_broadcast(function, loss.shape, **{name: weight})
            loss = loss * weight
    return loss


# ---------------------------------------------------------------- distributions and directions


def kl_div(
    input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """Return `target (log(target) - input)`: how badly one distribution stands in for another.

    input: logarithms of probabilities; target: probabilities, or their logarithms if `log_target`;
    the two broadcast. reduction: also "batchmean", the sum divided by the size of dimension 0: the
    divergence as mathematics has it. Raises ShapeError, TypeError, ValueError.
    """
    need_choice("kl_div", "reduction", reduction, (*REDUCTIONS, "batchmean"))
    need_floating("kl_div", input=input, target=target)
    need_bool("kl_div", log_target=log_target)
    if log_target:
        loss = target.exp() * (target - input)
    else:
        loss = target * (where(target == 0, 1.0, target).log() - input)  # 0 log(0) is 0
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim else 1)
    return _reduced(loss, None, reduction)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between vectors that lie along `dim`; the two broadcast.

    eps: the least length a vector is taken to have. Raises DimError, ShapeError, TypeError.

    >>> cosine_similarity(Tensor([[1.0, 0.0]]), Tensor([[3.0, 4.0]]))
    tensor([0.6])
    """
    need_tensors("cosine_similarity", x1=x1, x2=x2)
    if not eps >= 0:
        raise ValueError(f"cosine_similarity: eps must not be negative; got eps={eps}")
    product = x1 * x2
    need_floating("cosine_similarity", product=product)
    dim = wrap("cosine_similarity", product, dim)
    directions = (_direction(_stretched(x, product), dim, eps) for x in (x1, x2))
    return mul(*directions).sum(dim)


def _stretched(x: Tensor, like: Tensor) -> Tensor:
    return cast(x, dtype=like.dtype).broadcast_to(like.shape)


def _direction(x: Tensor, dim: int, eps: float) -> Tensor:
    length = x.norm(2, dim, True)
    # As in torch, the gradient is that of the length itself, also where eps stands in for it.
    return x / (length + (length.clamp(min=eps) - length).detach())
