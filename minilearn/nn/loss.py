"""Losses as modules; the formulas are in `functional`. reduction: "mean", "sum" or "none"."""

from __future__ import annotations

from .. import functional as F
from ..errors import explain
from ..tensor import Tensor
from .module import Module


class _Loss(Module):
    """A loss: how to reduce, and constant weights as buffers that move with it."""

    def __init__(self, reduction: str = "mean", **weights: Tensor | None):
        super().__init__()
        self.reduction = reduction
        for name, weight in weights.items():
            self.register_buffer(name, weight)


class CrossEntropyLoss(_Loss):
    """Return -log of the probability that softmax(input) gives to the target class.

    weight (C,) weighs the classes; targets equal to `ignore_index` do not count;
    `label_smoothing` mixes the target with the uniform distribution (Szegedy et al. 2016).
    """

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(reduction, weight=weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (N, C, *) of scores, target (N, *) of classes or (N, C, *) of probabilities."""
        return F.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
            label_smoothing=self.label_smoothing)


class NLLLoss(_Loss):
    """Return minus the element of `input`, log-probabilities, at the target class."""

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
    ):
        super().__init__(reduction, weight=weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (N, C, *) of log-probabilities, target (N, *) of classes."""
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index,
                          reduction=self.reduction)


class MSELoss(_Loss):
    """Return the squared differences."""

    def __init__(self, *, reduction: str = "mean"):
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (*), target (*) of the same shape."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """Return the absolute differences."""

    def __init__(self, *, reduction: str = "mean"):
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (*), target (*) of the same shape."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """Return d^2 / (2 beta) for differences |d| below `beta`, else |d| - beta / 2."""

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0):
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (*), target (*) of the same shape."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """Return d^2 / 2 for differences |d| below `delta`, else delta (|d| - delta / 2)."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0):
        super().__init__(reduction)
        if not isinstance(delta, int | float):
            raise TypeError(explain("HuberLoss", "delta must be a number", {"delta": delta}))
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (*), target (*) of the same shape."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(_Loss):
    """Return the binary cross-entropy of probabilities in [0, 1]."""

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean"):
        super().__init__(reduction, weight=weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (*) of probabilities, target (*) in [0, 1] of the same shape."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Return the binary cross-entropy of sigmoid(input); pos_weight weighs the positive targets."""

    def __init__(
        self, weight: Tensor | None = None, *, reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ):
        super().__init__(reduction, weight=weight, pos_weight=pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (*) of scores, target (*) in [0, 1] of the same shape."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight)


class KLDivLoss(_Loss):
    """Return target (log target - input), where `input` holds log-probabilities.

    reduction may also be "batchmean", the mathematical definition. log_target: whether the targets
    are log-probabilities too.
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False):
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (*) of log-probabilities, target (*) of the same shape."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class CosineSimilarity(Module):
    """Return the cosine of the angle between two tensors along `dim`, in [-1, 1]."""

    def __init__(self, dim: int = 1, eps: float = 1e-8):
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """x1, x2 of shapes that broadcast -> the same without `dim`."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
