"""Models 0 to 3 of the lesson: a recurrent network whose every step is written out."""

from __future__ import annotations

from ... import nn, xp
from ...errors import ShapeError
from ...functional import relu
from ...ops import pieces
from ...tensor import Tensor
from .base import HIDDEN, LanguageModel


class _ByHand(LanguageModel):
    """Models 0 to 3: the state goes through one linear layer and a ReLU at every step."""

    def __init__(self, vocabulary: int, hidden: int = HIDDEN):
        super().__init__(vocabulary, hidden)
        self.hidden = nn.Linear(hidden, hidden)
        self.norm = nn.BatchNorm1d(hidden)

    def zeros(self, x: Tensor) -> Tensor:
        """Return a state (N, H) of zeros."""
        weight = self.hidden.weight
        return Tensor(xp.zeros((x.shape[0], weight.shape[1]), weight.data.dtype))


class Model0(_ByHand):
    """Three tokens, written out by hand (with fewer, it stops sooner)."""

    context = 3

    def forward(self, x: Tensor) -> Tensor:
        """x (N, 3) -> scores of the fourth token (N, V)."""
        if x.ndim != 2 or not 1 <= x.shape[1] <= 3:
            raise ShapeError(f"Model0: only three steps are written out, so x must be (N, 3), got "
                             f"{x.shape}; Model1 takes any length")
        h = self.norm(relu(self.hidden(self.embedding(x[:, 0]))))
        if x.shape[1] > 1:
            h = self.norm(relu(self.hidden(h + self.embedding(x[:, 1]))))
        if x.shape[1] > 2:
            h = self.norm(relu(self.hidden(h + self.embedding(x[:, 2]))))
        return self.output(h)


class Model1(_ByHand):
    """The same as a loop, which is all that "recurrent" means."""

    context = 3

    def forward(self, x: Tensor) -> Tensor:
        """x (N, T) -> scores of the token after the last (N, V)."""
        h = self.zeros(x)
        for token in pieces.unbind(x, 1):
            h = self.norm(relu(self.hidden(h + self.embedding(token))))
        return self.output(h)


class Model2(_ByHand):
    """Predict after every token, not only after the last; normalise only on the way out."""

    def forward(self, x: Tensor) -> Tensor:
        """x (N, T) -> scores (N, T, V)."""
        h, states = self.zeros(x), []
        for token in pieces.unbind(x, 1):
            h = relu(self.hidden(h + self.embedding(token)))
            states.append(self.norm(h))
        return self.output(pieces.stack(states, 1))


class Model3(_ByHand):
    """Keep the state from batch to batch: a token may now depend on all that was read before."""

    stateful = True

    def forward(self, x: Tensor) -> Tensor:
        """x (N, T) -> scores (N, T, V)."""
        h, states = self.first_state(x.shape[0], self.hidden.in_features), []
        for token in pieces.unbind(x, 1):
            h = relu(self.hidden(h + self.embedding(token)))
            states.append(self.norm(h))
        self.keep(h)
        return self.output(pieces.stack(states, 1))
