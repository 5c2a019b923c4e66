"""The lessons on convolution and normalisation: convolutions, pools, norms, dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import functional, xp
from ..functional import norm
from ..op import OPS
from ..slots import Slot
from ..tensor import Tensor
from .table import Functions, Swap, adapter, primitive

Pair = tuple[int, int]


def square(stride: Pair, padding: Pair) -> bool:
    """Say whether rows and columns are treated alike: the lesson's functions take one number."""
    return stride[0] == stride[1] and padding[0] == padding[1]


def pair(size: Any) -> Pair:
    """Return a size for rows and one for columns."""
    return (size, size) if isinstance(size, int) else tuple(size)


# ---------------------------------------------------------------- convolution

@adapter("conv2d_general")
def _general(mine: Functions) -> list[Swap]:
    def conv2d(input: Any, weight: Any, *, stride: Pair = (1, 1), padding: Pair = (0, 0),
               dilation: Pair = (1, 1), groups: int = 1) -> Any:
        no_bias = np.zeros(len(weight), input.dtype)
        return mine["conv2d_general"](input, weight, no_bias, stride, padding, dilation, groups)

    return [(OPS["conv2d"], {"forward": conv2d})]


@adapter("conv2d_dilated")
def _dilated(mine: Functions) -> list[Swap]:
    own = OPS["conv2d"].forward

    def conv2d(input: Any, weight: Any, *, stride: Pair = (1, 1), padding: Pair = (0, 0),
               dilation: Pair = (1, 1), groups: int = 1) -> Any:
        if groups != 1:
            return own(input, weight, stride=stride, padding=padding, dilation=dilation,
                       groups=groups)
        no_bias = np.zeros(len(weight), input.dtype)
        return mine["conv2d_dilated"](input, weight, no_bias, stride, padding, dilation)

    return [(OPS["conv2d"], {"forward": conv2d})]


@adapter("conv2d")
def _conv2d(mine: Functions) -> list[Swap]:
    own = OPS["conv2d"].forward

    def conv2d(input: Any, weight: Any, *, stride: Pair = (1, 1), padding: Pair = (0, 0),
               dilation: Pair = (1, 1), groups: int = 1) -> Any:
        if groups != 1 or dilation != (1, 1) or not square(stride, padding):
            return own(input, weight, stride=stride, padding=padding, dilation=dilation,
                       groups=groups)
        return mine["conv2d"](input, weight, np.zeros(len(weight), input.dtype), stride[0],
                              padding[0])

    return [(OPS["conv2d"], {"forward": conv2d})]


@adapter("conv2d_grad_weight")
def _grad_weight(mine: Functions) -> list[Swap]:
    own = OPS["conv2d_weight"].forward

    def conv2d_weight(input: Any, grad: Any, *, kernel: Pair, stride: Pair = (1, 1),
                      padding: Pair = (0, 0), dilation: Pair = (1, 1), groups: int = 1) -> Any:
        if groups != 1 or dilation != (1, 1) or not square(stride, padding):
            return own(input, grad, kernel=kernel, stride=stride, padding=padding,
                       dilation=dilation, groups=groups)
        return mine["conv2d_grad_weight"](grad, input, kernel, stride[0], padding[0])

    # Without its joint rule the convolution asks the two gradient functions, one by one.
    return [(OPS["conv2d_weight"], {"forward": conv2d_weight}), (OPS["conv2d"], {"joint": None})]


@adapter("conv2d_grad_input")
def _grad_input(mine: Functions) -> list[Swap]:
    own = OPS["conv2d_input"].forward

    def conv2d_input(grad: Any, weight: Any, *, size: Pair, stride: Pair = (1, 1),
                     padding: Pair = (0, 0), dilation: Pair = (1, 1), groups: int = 1) -> Any:
        if groups != 1 or dilation != (1, 1) or not square(stride, padding):
            return own(grad, weight, size=size, stride=stride, padding=padding,
                       dilation=dilation, groups=groups)
        return mine["conv2d_grad_input"](grad, weight, size, stride[0], padding[0])

    return [(OPS["conv2d_input"], {"forward": conv2d_input}), (OPS["conv2d"], {"joint": None})]


@adapter("conv_transpose2d")
def _transposed(mine: Functions) -> list[Swap]:
    slot = functional.conv_transpose2d

    def forward(input: Any, weight: Any, bias: Any, *, stride: int, padding: int,
                output_padding: int) -> Any:
        return mine["conv_transpose2d"](input, weight, bias, stride, padding, output_padding)

    own = slot.function
    op = primitive(forward, own)

    def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1,
                         padding: Any = 0, output_padding: Any = 0, groups: int = 1,
                         dilation: Any = 1) -> Tensor:
        sizes = [pair(v) for v in (stride, padding, output_padding)]
        if bias is None or groups != 1 or pair(dilation) != (1, 1) or input.ndim != 4 or any(
                a != b for a, b in sizes):
            return own(input, weight, bias, stride, padding, output_padding, groups, dilation)
        return op(input, weight, bias, stride=sizes[0][0], padding=sizes[1][0],
                  output_padding=sizes[2][0])

    return [(slot, {"function": conv_transpose2d})]


@adapter("unfold")
def _unfold(mine: Functions) -> list[Swap]:
    slot = functional.unfold
    own = slot.function

    def forward(input: Any, *, kernel_size: Pair, dilation: int, padding: int, stride: int) -> Any:
        return mine["unfold"](input, kernel_size, stride, padding)

    op = primitive(forward, own)

    def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
               stride: Any = 1) -> Tensor:
        covered = input.ndim == 4 and pair(dilation) == (1, 1) and square(pair(stride),
                                                                         pair(padding))
        if not covered:
            return own(input, kernel_size, dilation, padding, stride)
        return op(input, kernel_size=pair(kernel_size), dilation=1, padding=pair(padding)[0],
                  stride=pair(stride)[0])

    return [(slot, {"function": unfold})]


# ---------------------------------------------------------------- pooling

@adapter("max_pool2d")
def _max_pool(mine: Functions) -> list[Swap]:
    def forward(input: Any, *, kernel_size: Pair, stride: Pair, padding: Pair) -> Any:
        return mine["max_pool2d"](input, kernel_size, stride, padding)

    def joint(g: Any, y: Any, input: Any, *, needs: Any, kernel_size: Pair, stride: Pair,
              padding: Pair) -> Any:
        return (mine["max_pool2d_grad"](g, input, kernel_size, stride, padding),)

    slot = functional.max_pool2d
    own = slot.function
    op = primitive(forward, own, joint if "max_pool2d_grad" in mine else None)

    def max_pool2d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
                   dilation: Any = 1, ceil_mode: bool = False,
                   return_indices: bool = False) -> Any:
        if input.ndim != 4 or pair(dilation) != (1, 1) or ceil_mode or return_indices:
            return own(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)
        step = kernel_size if stride is None else stride
        return op(input, kernel_size=pair(kernel_size), stride=pair(step), padding=pair(padding))

    return [(slot, {"function": max_pool2d})]


@adapter("avg_pool2d")
def _avg_pool(mine: Functions) -> list[Swap]:
    def forward(input: Any, *, kernel_size: Pair, stride: Pair, padding: Pair,
                count_include_pad: bool) -> Any:
        return mine["avg_pool2d"](input, kernel_size, stride, padding, count_include_pad)

    def joint(g: Any, y: Any, input: Any, *, needs: Any, kernel_size: Pair, stride: Pair,
              padding: Pair, count_include_pad: bool) -> Any:
        return (mine["avg_pool2d_grad"](g, input.shape[2:], kernel_size, stride, padding),)

    slot = functional.avg_pool2d
    own = slot.function
    counting = primitive(forward, own, joint if "avg_pool2d_grad" in mine else None)
    other = primitive(forward, own)  # the lesson's rule is for padding that counts

    def avg_pool2d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0,
                   ceil_mode: bool = False, count_include_pad: bool = True,
                   divisor_override: int | None = None) -> Tensor:
        if input.ndim != 4 or ceil_mode or divisor_override is not None \
                or not xp.is_floating(input.data):
            return own(input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                       divisor_override)
        step = kernel_size if stride is None else stride
        op = counting if count_include_pad else other
        return op(input, kernel_size=pair(kernel_size), stride=pair(step), padding=pair(padding),
                  count_include_pad=count_include_pad)

    return [(slot, {"function": avg_pool2d})]


@adapter("adaptive_avg_pool2d")
def _adaptive(mine: Functions) -> list[Swap]:
    slot = functional.adaptive_avg_pool2d
    own = slot.function

    def forward(input: Any, *, output_size: Pair) -> Any:
        return mine["adaptive_avg_pool2d"](input, output_size)

    op = primitive(forward, own)

    def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
        size = (output_size,) * 2 if isinstance(output_size, int) else tuple(output_size)
        covered = input.ndim == 4 and len(size) == 2 and None not in size
        return op(input, output_size=size) if covered else own(input, output_size)

    return [(slot, {"function": adaptive_avg_pool2d})]


# ---------------------------------------------------------------- normalisation

@adapter("batch_norm")
def _batch_norm(mine: Functions) -> list[Swap]:
    own = OPS["batch_norm"].forward

    def batch_norm(input: Any, weight: Any, bias: Any, *, mean: Any, var: Any, eps: float) -> Any:
        if input.ndim != 4:
            return own(input, weight, bias, mean=mean, var=var, eps=eps)
        return mine["batch_norm"](input, weight, bias, eps)

    return [(OPS["batch_norm"], {"forward": batch_norm})]


@adapter("batch_norm_grad")
def _batch_norm_grad(mine: Functions) -> list[Swap]:
    own = OPS["batch_norm"].joint

    def joint(g: Any, y: Any, input: Any, weight: Any, bias: Any, *, needs: Any, mean: Any,
              var: Any, eps: float) -> Any:
        if input.ndim != 4:
            return own(g, y, input, weight, bias, needs=needs, mean=mean, var=var, eps=eps)
        return mine["batch_norm_grad"](g, input, weight, eps)

    return [(OPS["batch_norm"], {"joint": joint})]


@adapter("running_statistics")
def _running_statistics(mine: Functions) -> list[Swap]:
    own = norm.track.function

    def track(running_mean: Any, running_var: Any, input: Tensor, mean: Any, var: Any,
              momentum: float) -> None:
        if running_mean is None or input.ndim != 4:
            return own(running_mean, running_var, input, mean, var, momentum)
        running_mean.data, running_var.data = mine["running_statistics"](
            running_mean.data, running_var.data, input.data, momentum)
        return None

    return [(norm.track, {"function": track})]


@adapter("batch_norm_eval")
def _batch_norm_eval(mine: Functions) -> list[Swap]:
    def forward(input: Any, mean: Any, var: Any, weight: Any, bias: Any, *, eps: float) -> Any:
        return mine["batch_norm_eval"](input, mean, var, weight, bias, eps)

    own = norm.fixed.function
    op = primitive(forward, own)

    def fixed(input: Tensor, mean: Tensor, var: Tensor, weight: Any, bias: Any,
              eps: float) -> Tensor:
        covered = input.ndim == 4 and weight is not None and bias is not None
        return (op if covered else own)(input, mean, var, weight, bias, eps=eps)

    return [(norm.fixed, {"function": fixed})]


def affine(name: str, slot: Slot, covers: Callable[..., bool]) -> None:
    """Let a learner's norm with weight and bias stand in where its arguments are covered."""

    @adapter(name)
    def build(mine: Functions) -> list[Swap]:
        def forward(input: Any, weight: Any, bias: Any, *, size: Any, eps: float) -> Any:
            extra = (size,) if name == "group_norm" else ()
            return mine[name](input, *extra, weight, bias, eps)

        own = slot.function
        op = primitive(forward, lambda x, weight, bias, *, size, eps: own(x, size, weight, bias,
                                                                         eps))

        def normed(input: Tensor, size: Any, weight: Any = None, bias: Any = None,
                   eps: float = 1e-5) -> Tensor:
            if weight is None or bias is None or not covers(input):
                return own(input, size, weight, bias, eps)
            return op(input, weight, bias, size=size, eps=eps)

        return [(slot, {"function": normed})]


affine("layer_norm", functional.layer_norm, lambda x: True)
affine("group_norm", functional.group_norm, lambda x: x.ndim == 4)


@adapter("instance_norm")
def _instance_norm(mine: Functions) -> list[Swap]:
    def forward(input: Any, weight: Any, bias: Any, *, eps: float) -> Any:
        return mine["instance_norm"](input, weight, bias, eps)

    slot = functional.instance_norm
    own = slot.function
    op = primitive(forward, lambda x, weight, bias, *, eps: own(x, None, None, weight, bias,
                                                               eps=eps))

    def instance_norm(input: Tensor, running_mean: Any = None, running_var: Any = None,
                      weight: Any = None, bias: Any = None, use_input_stats: bool = True,
                      momentum: float = 0.1, eps: float = 1e-5) -> Tensor:
        if input.ndim != 4 or weight is None or bias is None or running_mean is not None:
            return own(input, running_mean, running_var, weight, bias, use_input_stats, momentum,
                       eps)
        return op(input, weight, bias, eps=eps)

    return [(slot, {"function": instance_norm})]


@adapter("dropout")
def _dropout(mine: Functions) -> list[Swap]:
    own = functional.dropout.function

    def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
        if not training or p == 0 or not xp.is_floating(input.data):
            return own(input, p, training)
        u = xp.generator().random(input.shape, dtype="float32")
        ones = np.ones(input.shape, input.data.dtype)
        return input * Tensor(mine["dropout"](ones, u, p, True))

    return [(functional.dropout, {"function": dropout})]
