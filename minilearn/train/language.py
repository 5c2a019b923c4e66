"""What a language model needs of the training loop: losses over time, and callbacks."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .. import xp
from ..nn import Module
from ..slots import Slot
from ..tensor import Tensor
from .callbacks import Callback
from .parallel import count, own_rows, rows_of_all


def token_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Return the cross entropy over every place of a text, or over the last one of each row.

    output: scores (N, T, V) or (N, V); target: token numbers (N, T) or (N,).
    """
    return F.cross_entropy(output.reshape(-1, output.shape[-1]), target.reshape(-1))


class KeepState(Callback):
    """Keep a language model's state in the checkpoint, so that a resumed run reads on.

    forget: the chance that the state is forgotten before a batch, so that the model learns to
    begin in the middle of a text too. At 0 it is never forgotten, as in the lesson's notebook, not
    even where the text begins anew.
    """

    def __init__(self, model: Module, forget: float = 0.0) -> None:
        self.model, self.forget = model, forget

    def before_batch(self, learn: Any) -> None:
        if self.forget and xp.generator().random() < self.forget:
            self.model.reset()

    def after_batch(self, learn: Any) -> None:
        self.rows = count(learn.batch)

    def state_dict(self) -> dict[str, Any]:
        parts = enumerate(self.model.state)
        state = tuple(rows_of_all(part, _rows_at(i), self.rows) for i, part in parts)
        return {"state": state, "training": self.model.training}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.model.train(state["training"])  # first: a model may begin anew in another mode
        parts = enumerate(state["state"])
        self.model.state = tuple(own_rows(part, _rows_at(i)) for i, part in parts)


def _rows_at(part: int) -> int:
    """Which dimension of a part of the state has the rows: the first part is (..., N, H)."""
    return 0 if part else -2


class ActivationRegularizer(Callback):
    """Add two penalties on what a recurrent layer puts out, h (N, T, H), to the training loss.

    alpha times the mean of h^2 keeps activations small (AR); beta times the mean of
    (h_t - h_{t-1})^2 keeps them slow (TAR). The loss that is recorded is the one without them.
    layer: the module whose (first) output is h, with time in the second dimension.
    Source: Merity, McCann and Socher 2017, "Revisiting activation regularization".
    """

    def __init__(self, layer: Module, alpha: float = 0.0, beta: float = 0.0) -> None:
        if alpha < 0 or beta < 0:
            raise ValueError(f"ActivationRegularizer: alpha and beta must not be negative, got "
                             f"alpha={alpha}, beta={beta}")
        self.layer, self.alpha, self.beta = layer, alpha, beta

    def before_fit(self, learn: Any) -> None:
        self.handle = self.layer.register_forward_hook(self._look)

    def _look(self, layer: Any, inputs: Any, output: Any) -> None:
        self.h = output[0] if isinstance(output, tuple) else output

    def after_loss(self, learn: Any) -> None:
        self.plain = learn.loss
        learn.loss = learn.loss + activation_penalty(self.h, self.alpha, self.beta)

    def after_backward(self, learn: Any) -> None:
        learn.loss = self.plain

    def after_fit(self, learn: Any) -> None:
        self.handle.remove()


@Slot
def activation_penalty(h: Tensor, alpha: float, beta: float) -> Tensor:
    """Return alpha mean(h^2) + beta mean((h_t - h_{t-1})^2) of h (N, T, H)."""
    penalty = alpha * h.square().mean()
    if beta and h.shape[1] > 1:
        penalty = penalty + beta * (h[:, 1:] - h[:, :-1]).square().mean()
    return penalty
