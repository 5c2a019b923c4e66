"""Normalisations: subtract a mean, divide by a standard deviation, then scale and shift.

They differ in what the mean is taken over: the batch (batch norm), the features of one example
(layer norm), groups of channels (group norm), or each channel of each example (instance norm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import xp
from ..errors import ShapeError, explain
from ..ops import norm as ops
from ..ops.dims import need_bool
from ..slots import Slot
from ..tensor import Tensor
from .arguments import need_floating, need_parameters, need_scalars


@Slot
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel over the batch and all places.

    input (N, C, ...); all else (C,) or None. In training the statistics are the batch's, and the
    running ones (if given) move towards them by `momentum`, their arrays being replaced; else the
    running ones are used. Raises ShapeError, TypeError, ValueError.

    Source: Ioffe & Szegedy 2015.
    """
    _check_channels("batch_norm", input, running_mean, running_var, weight, bias)
    need_bool("batch_norm", training=training)
    need_scalars("batch_norm", momentum=momentum, eps=eps)
    if eps < 0 or (eps == 0 and training):
        raise ValueError(f"batch_norm: eps must be positive; got eps={eps}")
    if not training:
        if running_mean is None:
            raise ValueError("batch_norm: without training, it needs running_mean and running_var")
        return fixed(input, running_mean, running_var, weight, bias, eps)
    places = input.numel() // max(input.shape[1], 1)
    if places == 1:
        raise ValueError(explain("batch_norm", "training needs more than one value per channel",
                                 {"input": input}, "use a larger batch, or training=False"))
    if input.numel() == 0:
        return _affine(input * 1, weight, bias)
    mean, var = ops.moments(input.data)
    track(running_mean, running_var, input, mean, var * (places / (places - 1)), momentum)
    one, zero = xp.ones_like(mean), xp.zeros_like(mean)
    weight = Tensor(one) if weight is None else weight
    bias = Tensor(zero) if bias is None else bias
    return ops.batch_norm(input, weight, bias, mean=mean, var=var, eps=float(eps))


@Slot
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise over the last dimensions, whose sizes are `normalized_shape`.

    weight, bias: of shape `normalized_shape`, or None. Raises ShapeError, TypeError.

    >>> layer_norm(Tensor([[1.0, 3.0]]), (2,), eps=0.0)
    tensor([[-1.,  1.]])
    """
    shape = _check_last("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    need_scalars("layer_norm", eps=eps)
    y = standardized(input, tuple(range(-len(shape), 0)), eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Divide by the root of the mean square over the last dimensions; nothing is subtracted.

    eps: None means the smallest step of the input's dtype. Raises ShapeError, TypeError.
    """
    shape = _check_last("rms_norm", input, normalized_shape, weight=weight)
    eps = float(xp.finfo(input.data.dtype).eps) if eps is None else eps
    need_scalars("rms_norm", eps=eps)
    dims = tuple(range(-len(shape), 0))
    y = input * ((input * input).mean(dims, True) + eps) ** -0.5 if input.numel() else input * 1
    return y if weight is None else y * weight


@Slot
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each group of channels of each example over its channels and places.

    input (N, C, ...), with C a multiple of `num_groups`; weight, bias: (C,) or None.
    Raises ShapeError, TypeError, ValueError.
    """
    _check_channels("group_norm", input, None, None, weight, bias)
    n, channels = input.shape[:2]
    arguments = {"input": input, "num_groups": num_groups}
    if num_groups < 1 or channels % num_groups:
        raise ShapeError(explain("group_norm", f"{channels} channels cannot be put into "
                                 f"{num_groups} equal groups", arguments))
    if n * channels // num_groups * math.prod(input.shape[2:]) == 1:
        raise ValueError(explain("group_norm", "it needs more than one value per group", arguments))
    if input.numel() == 0:
        return _affine(input * 1, weight, bias)
    grouped = input.reshape((n, num_groups, -1))
    return _affine(standardized(grouped, (2,), eps).reshape(input.shape), weight, bias)


@Slot
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of each example over its places.

    input (N, C, ...); all else (C,) or None. With `use_input_stats` the running statistics (if
    given) move by `momentum` towards the batch's average; without, they are used instead.
    Raises ShapeError, TypeError, ValueError.
    """
    _check_channels("instance_norm", input, running_mean, running_var, weight, bias)
    need_bool("instance_norm", use_input_stats=use_input_stats)
    need_scalars("instance_norm", momentum=momentum, eps=eps)
    if not use_input_stats:
        if running_mean is None:
            raise ValueError("instance_norm: without use_input_stats, it needs running_mean and "
                             "running_var")
        return fixed(input, running_mean, running_var, weight, bias, eps)
    places = math.prod(input.shape[2:])
    if places == 1:
        raise ValueError(explain("instance_norm", "it needs more than one value per channel of an "
                                 "example", {"input": input}))
    if input.numel() == 0:
        return _affine(input * 1, weight, bias)
    dims = tuple(range(2, input.ndim))
    _update(running_mean, xp.mean(input.data, axis=(0, *dims)), momentum)
    if running_var is not None:
        each = xp.var(input.data, axis=dims, correction=1)
        _update(running_var, xp.mean(each, axis=0), momentum)
    return _affine(standardized(input, dims, eps), weight, bias)


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Tensor:
    """Divide vectors along `dim` by their p-norm, or by `eps` where that is larger.

    Raises DimError, TypeError.
    """
    need_floating("normalize", input=input)
    return input / input.norm(p, dim, True).clamp(min=eps)


# ---------------------------------------------------------------- what they share


def standardized(x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    """Return x with mean 0 and (biased) variance 1 over `dims`; `eps` is added to the variance."""
    if x.numel() == 0:
        return x * 1
    centred = x - x.mean(dims, True)
    return centred * ((centred * centred).mean(dims, True) + eps) ** -0.5


@Slot
def fixed(input, mean, var, weight, bias, eps) -> Tensor:
    """Normalise by statistics that do not depend on the input."""
    centred = input - _column(mean.detach(), input)
    return _affine(centred * _column((var.detach() + eps) ** -0.5, input), weight, bias)


def _affine(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Scale and shift each channel."""
    x = x if weight is None else x * _column(weight, x)
    return x if bias is None else x + _column(bias, x)


def _column(per_channel: Tensor, x: Tensor) -> Tensor:
    """Give (C,) the shape (C, 1, ...), so that it broadcasts over (N, C, ...)."""
    return per_channel.reshape((-1,) + (1,) * (x.ndim - 2))


@Slot
def track(running_mean, running_var, input, mean, var, momentum) -> None:
    """Move the running statistics (if there are any) towards those of the batch `input`."""
    _update(running_mean, mean, momentum)
    _update(running_var, var, momentum)


def _update(running: Tensor | None, batch: Any, momentum: float) -> None:
    if running is not None:
        running.data = running.data * (1 - momentum) + batch * momentum


def _check_channels(function, input, running_mean, running_var, weight, bias) -> None:
    need_floating(function, input=input)
    if input.ndim < 2:
        raise ShapeError(explain(function, "input must be (N, C, ...)", {"input": input}))
    if (running_mean is None) != (running_var is None):
        raise ValueError(f"{function}: running_mean and running_var must be given both, or neither")
    need_parameters(function, input, input.shape[1:2], running_mean=running_mean,
                    running_var=running_var, weight=weight, bias=bias)


def _check_last(function, input, normalized_shape, **parameters) -> tuple[int, ...]:
    need_floating(function, input=input)
    if not isinstance(normalized_shape, tuple | list):
        raise TypeError(f"{function}: normalized_shape must be a tuple or list of sizes; "
                        f"got {normalized_shape!r}")
    shape = tuple(normalized_shape)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(explain(function, "the input's last dimensions must be normalized_shape",
                                 {"input": input, "normalized_shape": shape}))
    need_parameters(function, input, shape, **parameters)
    return shape
