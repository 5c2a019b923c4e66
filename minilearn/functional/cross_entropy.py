"""Losses of a choice among classes: the negative logarithm of the right class's probability."""

from __future__ import annotations

from .. import xp
from ..errors import DimError, ShapeError, explain
from ..ops.dims import integer
from ..ops.elementwise import where
from ..ops.softmax import log_softmax, softmax_nll
from ..tensor import Tensor
from .arguments import need_choice, need_floating, need_parameters, need_tensors
from .loss import REDUCTIONS


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return `-log(softmax(input))` at the right class.

    input: scores (C,), (N, C) or (N, C, d1, ...); target: class numbers, the same shape without C,
    or probabilities of the shape of the input; weight: one number per class (C,).
    ignore_index: a class number whose places count for nothing; label_smoothing: how much of the
    target is spread evenly over all classes, 0 to 1. A mean is weighted.
    Raises ShapeError, TypeError, ValueError, and DimError (an IndexError) for a class number out of
    range.

    >>> cross_entropy(Tensor([[0.0, 0.0]]), Tensor([1]))  # one of two: log(2)
    tensor(0.6931)
    """
    function = "cross_entropy"
    need_choice(function, "reduction", reduction, REDUCTIONS)
    need_floating(function, input=input)
    need_tensors(function, target=target)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{function}: label_smoothing must be between 0 and 1; "
                         f"got label_smoothing={label_smoothing}")
    if input.ndim and input.shape == target.shape:
        return _soft(input, target, weight, ignore_index, reduction, label_smoothing)
    index = _class_numbers(function, input, target, weight, ignore_index)
    if _is_plain(input, index, weight, ignore_index, reduction, label_smoothing):
        scale = 1 / index.shape[0] if reduction == "mean" else 1
        return softmax_nll(input, target=index.data, scale=scale)
    log_p = log_softmax(input, _class_dim(input))
    return _picked(log_p, index, weight, ignore_index, reduction, label_smoothing)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Return the negative of the right class's entry in `input`, which holds log-probabilities.

    input: (C,), (N, C) or (N, C, d1, ...); target: class numbers, the same shape without C; weight:
    one number per class (C,); ignore_index: a class number whose places count for nothing.
    A mean is weighted. Raises ShapeError, TypeError, ValueError, and DimError (an IndexError) for a
    class number out of range.
    """
    need_choice("nll_loss", "reduction", reduction, REDUCTIONS)
    need_floating("nll_loss", input=input)
    index = _class_numbers("nll_loss", input, target, weight, ignore_index)
    return _picked(input, index, weight, ignore_index, reduction, 0.0)


def _class_dim(input: Tensor) -> int:
    return 1 if input.ndim > 1 else 0


def _class_numbers(function, input, target, weight, ignore_index) -> Tensor:
    """Check class numbers, and return them as int64 of the shape of the input without C."""
    arguments = {"input": input, "target": target}
    need_tensors(function, **arguments)
    ignore_index = integer(function, "ignore_index", ignore_index)
    if input.ndim == 0:
        raise ShapeError(explain(function, "input must be (C,), (N, C) or (N, C, d1, ...)",
                                 arguments))
    if str(target.dtype) not in ("int64", "uint8"):
        raise TypeError(explain(function, "class numbers must be int64 (or uint8)", arguments,
                                "convert them with target.long()"))
    classes = input.shape[_class_dim(input)]
    need_parameters(function, input, (classes,), weight=weight)
    places = (input.shape[0], *input.shape[2:]) if input.ndim > 1 else ()
    if target.shape != places and (places or target.shape != (1,)):
        raise ShapeError(explain(function, f"class numbers must have shape {places}: that of the "
                                 "input without the classes", arguments))
    index = target.long().reshape(places)
    _check_range(function, index.data, classes, ignore_index)
    return index


def _is_plain(input, index, weight, ignore_index, reduction, smoothing) -> bool:
    """Say whether a single op will do: (N, C), every row counts, and equally, and one number."""
    plain = weight is None and not smoothing and reduction != "none" and input.ndim == 2
    if not plain or input.shape[0] == 0 or xp.waits():
        return False
    return not bool(xp.any(index.data == ignore_index))


def _check_range(function, numbers, classes: int, ignore_index: int) -> None:
    right = (numbers == ignore_index) | (numbers >= 0) & (numbers < classes)
    xp.demand(right, lambda: DimError(
        f"{function}: class {int(numbers[~right][0])} in target is out of range: "
        f"the input has {classes} classes, 0 to {classes - 1}"))


def _picked(log_p, index, weight, ignore_index, reduction, smoothing) -> Tensor:
    """Pick the right class's log-probability at every place, weigh it, and reduce."""
    dim = _class_dim(log_p)
    counted = index != ignore_index
    index = where(counted, index, 0)
    scale = 1.0 if weight is None else weight[index]
    loss = -log_p.gather(dim, index.unsqueeze(dim)).squeeze(dim) * scale
    if smoothing:
        everywhere = -_weighted(log_p, weight).mean(dim)
        loss = loss * (1 - smoothing) + everywhere * smoothing
    loss = where(counted, loss, 0.0)
    if reduction == "mean":
        return loss.sum() / where(counted, scale, 0.0).sum()
    return loss.sum() if reduction == "sum" else loss


def _soft(input, target, weight, ignore_index, reduction, smoothing) -> Tensor:
    """Cross entropy with targets that are probabilities; a mean divides by the number of places."""
    arguments = {"input": input, "target": target}
    need_floating("cross_entropy", target=target)
    if ignore_index >= 0:
        raise ValueError(explain("cross_entropy", "probabilities have no class to ignore",
                                 arguments | {"ignore_index": ignore_index}))
    dim = _class_dim(input)
    classes = input.shape[dim]
    need_parameters("cross_entropy", input, (classes,), weight=weight)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / max(classes, 1)
    loss = -_weighted(log_softmax(input, dim) * target, weight).sum(dim)
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def _weighted(per_class: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return per_class
    return per_class * weight.reshape((-1,) + (1,) * (per_class.ndim - 1 - _class_dim(per_class)))
