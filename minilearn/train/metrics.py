"""Numbers that say how good a model is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..slots import Slot
from ..tensor import Tensor


class Average:
    """The mean of a measure over batches, each counting as often as it has items.

    measure: a function of (output, target) that returns a Tensor of one number.
    """

    def __init__(self, measure: Callable[[Any, Any], Tensor]) -> None:
        self.measure, self.total, self.items = measure, 0.0, 0

    def add(self, output: Any, target: Any) -> None:
        """Take in one more batch."""
        self.total += self.measure(output, target).item() * len(target)
        self.items += len(target)

    @property
    def value(self) -> float:
        """The mean so far; nan before the first batch."""
        return self.total / self.items if self.items else float("nan")


class Smoothed:
    """The debiased moving average m = b m + (1 - b) x, shown as m / (1 - b^n): the train loss.

    Without the division the first values would be pulled towards 0, where m starts.
    """

    def __init__(self, beta: float = 0.98) -> None:
        self.beta, self.mean, self.count = beta, 0.0, 0

    def add(self, value: float) -> float:
        """Take in one more value and return the average."""
        self.count += 1
        self.mean = self.beta * self.mean + (1 - self.beta) * value
        return self.value

    @property
    def value(self) -> float:
        """The average so far; nan before the first value."""
        return self.mean / (1 - self.beta**self.count) if self.count else float("nan")


@Slot
def accuracy(output: Tensor, target: Tensor) -> Tensor:
    """Return the share of places where the largest score is the target's.

    output (..., classes), target (...) of class numbers.
    """
    return (output.argmax(-1) == target).float().mean()


def error_rate(output: Tensor, target: Tensor) -> Tensor:
    """Return 1 - accuracy."""
    return 1 - accuracy(output, target)


@Slot
def top_k_accuracy(output: Tensor, target: Tensor, k: int = 5) -> Tensor:
    """Return the share of rows whose target is among the `k` largest scores."""
    best = output.topk(k, -1)[1]
    return (best == target.unsqueeze(-1)).any(-1).float().mean()
