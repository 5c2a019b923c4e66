"""Asking a model: its outputs, its score, its predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .. import functional as F
from .. import xp
from ..errors import ShapeError
from ..nn import Module
from ..op import no_grad
from ..tensor import Tensor
from .metrics import Average

# What turns the outputs that a loss wants into probabilities; other outputs stay as they are.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "cross_entropy": lambda scores: F.softmax(scores, 1),
    "nll_loss": lambda logs: logs.exp(),
    "binary_cross_entropy_with_logits": lambda scores: scores.sigmoid(),
}
ACTIVATIONS["CrossEntropyLoss"] = ACTIVATIONS["cross_entropy"]
ACTIVATIONS["NLLLoss"] = ACTIVATIONS["nll_loss"]
ACTIVATIONS["BCEWithLogitsLoss"] = ACTIVATIONS["binary_cross_entropy_with_logits"]


class Evaluator:
    """What can be asked of a model without training it; the Learner is one.

    Needs `model`, `loss_function`, `metrics` and `valid`, the loader used where none is given.
    """

    model: Module
    loss_function: Callable[[Any, Any], Tensor]
    metrics: Sequence[Callable]
    valid: Iterable | None

    def outputs(self, data: Iterable | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the model's output and the target for each batch, in evaluation mode."""
        loader = self.valid if data is None else data
        if loader is None:
            raise ValueError("this learner has no validation data; give data=, a loader")
        self.model.eval()
        with no_grad():
            for x, y in loader:
                yield self.model(x), y

    def validate(self, data: Iterable | None = None) -> dict[str, float]:
        """Return `valid_loss` and each metric over the validation set (or `data`).

        A loss of several parts, such as `models.FeatureLoss`, has them told by name as well.
        """
        averages = {"valid_loss": Average(self.loss_function)}
        averages |= parts_of(self.loss_function)
        averages |= {metric.__name__: Average(metric) for metric in self.metrics}
        for output, y in self.outputs(data):
            for average in averages.values():
                average.add(output, y)
        return {name: average.value for name, average in averages.items()}

    def get_preds(self, data: Iterable | None = None) -> tuple[Tensor, Tensor]:
        """Return the predictions and the targets, over the validation set or `data`.

        data: a loader of (input, target) batches. Predictions are probabilities where the loss
        tells how to make them: softmax over the classes for cross entropy, sigmoid for binary cross
        entropy with logits, exp for nll; otherwise they are the model's outputs.
        Returns two tensors of equal length. Raises ValueError where there is no data.
        """
        batches = list(self.outputs(data))
        if not batches:
            raise ValueError("get_preds: the data has no batch; give a loader of at least one item")
        parts = zip(*batches, strict=True)
        outputs, targets = (Tensor(xp.concat([t.data for t in part])) for part in parts)
        return activation_of(self.loss_function)(outputs), targets

    def predict(self, images: Any) -> Tensor:
        """Return the probability of each class for images (N, C, H, W); see `predict`."""
        return predict(self.model, images)


def predict(model: Module, images: Any) -> Tensor:
    """Return the probability of each class for images, (N, classes).

    images: (N, C, H, W), a Tensor or an array, normalised as those the model was trained on. The
    model is used as for validation, and left in the mode it was in.
    Raises ShapeError for a single image.
    """
    if not isinstance(images, Tensor):
        images = Tensor(xp.array(images, "float32"))
    if images.ndim != 4:
        raise ShapeError(f"predict: images must be (N, C, H, W), got {images.shape}; "
                         "give a single image as images[None]")
    training = model.training
    try:
        with no_grad():
            return F.softmax(model.eval()(images), 1)
    finally:
        model.train(training)


def parts_of(loss: Any) -> dict[str, Average]:
    """Return an average for each part that a loss keeps of its last call, in `loss.parts`."""
    def part(name: str) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda output, target: loss.parts[name]

    return {name: Average(part(name)) for name in getattr(loss, "part_names", ())}


def activation_of(loss: Any) -> Callable[[Tensor], Tensor]:
    """Return what turns the outputs made for `loss` (a function or a module) into predictions."""
    loss = getattr(loss, "func", loss)  # partial(cross_entropy, label_smoothing=0.1)
    name = getattr(loss, "__name__", type(loss).__name__)
    return ACTIVATIONS.get(name, lambda outputs: outputs)
