"""Where a classifier goes wrong: confusion matrix, the pairs it mixes up, its worst mistakes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .. import xp
from ..errors import ShapeError
from ..op import no_grad
from ..tensor import Tensor
from .evaluate import activation_of


@dataclass(frozen=True, eq=False)
class Interpretation:
    """What a classifier says about each of N items, beside what is right.

    outputs, probabilities: (N, classes). targets: (N,) class numbers. losses: (N,), one an item.
    classes: their names. dataset: `dataset[i][0]` is the input of item i; None if not known.
    Raises ShapeError or ValueError where these do not fit together.

    >>> scores = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    >>> seen = Interpretation(scores, scores, np.array([0, 1, 1]), np.array([0.1, 0.3, 3.0]), "ab")
    >>> seen.confusion_matrix()
    array([[1, 0],
           [1, 1]])
    >>> seen.most_confused()
    [('b', 'a', 1)]
    """

    outputs: np.ndarray
    probabilities: np.ndarray
    targets: np.ndarray
    losses: np.ndarray
    classes: Sequence[str]
    dataset: Any = None

    def __post_init__(self) -> None:
        count, classes = self.targets.shape, len(self.classes)
        if self.outputs.shape != (*count, classes) or self.losses.shape != count or len(count) != 1:
            raise ShapeError(
                f"Interpretation: outputs {self.outputs.shape}, targets {count}, losses "
                f"{self.losses.shape} and {classes} classes; a classifier's are (N, classes), "
                "(N,), (N,) and a name for each class"
            )
        if not np.isin(self.targets, range(classes)).all() or self.targets.dtype.kind not in "iu":
            raise ValueError(
                f"Interpretation: the targets must be whole numbers from 0 to {classes - 1}"
            )

    @classmethod
    def of(
        cls, learn: Any, data: Iterable | None = None, *, classes: Sequence[str] | None = None
    ) -> Interpretation:
        """Ask a learner's model about its validation set, or about `data`, a loader.

        classes: names; by default those of the loader's dataset, else the numbers.
        Raises ValueError for a loader that is empty, or that shuffles (nobody could say which item
        is which).
        """
        loader = learn.valid if data is None else data
        if getattr(loader, "shuffle", False):
            raise ValueError("Interpretation.of: the loader shuffles, so that nobody could say "
                             "which item is which; give one with shuffle=False")
        parts = [_ask(learn.loss_function, *batch) for batch in learn.outputs(loader)]
        if not parts:
            raise ValueError("Interpretation.of: the data is empty; give a loader with an item")
        outputs, probabilities, targets, losses = map(np.concatenate, zip(*parts, strict=True))
        dataset = getattr(loader, "dataset", None)
        if classes is None:
            numbers = [str(number) for number in range(outputs.shape[-1])]
            classes = getattr(dataset, "classes", numbers)
        return cls(outputs, probabilities, targets, losses, tuple(classes), dataset)

    def __len__(self) -> int:
        return len(self.targets)

    @cached_property
    def predictions(self) -> np.ndarray:
        """The class with the largest score for each item, (N,)."""
        return self.outputs.argmax(1)

    def confusion_matrix(self) -> np.ndarray:
        """Count how often each class was taken for each: row = actual, column = predicted."""
        counts = np.zeros((len(self.classes),) * 2, dtype=np.int64)
        np.add.at(counts, (self.targets, self.predictions), 1)
        return counts

    def most_confused(self, min_count: int = 1) -> list[tuple[str, str, int]]:
        """List what is mistaken for what, `min_count` times or more: (actual, predicted, count)."""
        if min_count < 1:
            raise ValueError(f"most_confused: min_count must be 1 or more, got {min_count}")
        wrong = self.confusion_matrix()
        np.fill_diagonal(wrong, 0)
        pairs = [(int(a), int(p)) for a, p in np.argwhere(wrong >= min_count)]
        pairs.sort(key=lambda pair: -wrong[pair])
        return [(self.classes[a], self.classes[p], int(wrong[a, p])) for a, p in pairs]

    def top_losses(
        self, k: int | None = None, *, largest: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the `k` largest losses (all by default) and their items' places, worst first.

        largest: False for the smallest losses. A loss that is nan counts as the largest of all.
        Raises ValueError for more than there are.
        """
        k = len(self) if k is None else k
        if not 0 <= k <= len(self):
            raise ValueError(f"top_losses: k={k}, but there are {len(self)} items; "
                             f"ask for 0 to {len(self)}")
        ranked = np.where(np.isnan(self.losses), np.inf, self.losses)
        order = np.argsort(-ranked if largest else ranked, kind="stable")[:k]
        return self.losses[order], order

    def class_accuracy(self) -> dict[str, float]:
        """Return the share of each class that was recognised; nan for a class without items."""
        counts = self.confusion_matrix()
        with np.errstate(invalid="ignore"):
            shares = np.diagonal(counts) / counts.sum(1)
        return dict(zip(self.classes, shares.tolist(), strict=True))

    def inputs(self, places: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the inputs of the items at the given places, stacked: (k, C, H, W) for images.

        They come from the dataset itself, before any normalisation of the loader.
        """
        if self.dataset is None:
            raise ValueError("inputs: it is not known where the items come from; give "
                             "Interpretation.of a DataLoader")
        found = [self.dataset[int(place)][0] for place in places]
        return np.stack([xp.to_numpy(x.data) if isinstance(x, Tensor) else x for x in found])


def _ask(loss: Any, output: Tensor, target: Tensor) -> list[np.ndarray]:
    """Turn one batch into arrays: outputs, probabilities, targets, and a loss for each item."""
    with no_grad():
        tensors = output, activation_of(loss)(output), target, losses_of(loss, output, target)
    return [xp.to_numpy(tensor.data) for tensor in tensors]


def losses_of(loss: Any, output: Tensor, target: Tensor) -> Tensor:
    """Return the loss of each item of a batch, (N,), for a loss that averages over the batch."""
    if not hasattr(loss, "forward") and "reduction" in inspect.signature(loss).parameters:
        return loss(output, target, reduction="none")
    # A loss that cannot be asked to leave the average out is asked about one item at a time.
    items = zip(output.split(1), target.split(1), strict=True)
    alone = [loss(one, right).item() for one, right in items]
    return Tensor(xp.array(alone, output.data.dtype))
