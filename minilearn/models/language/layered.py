"""Models 4 and 5 of the lesson: the loop over time is a layer of the framework."""

from __future__ import annotations

from ... import nn
from ...tensor import Tensor
from .base import HIDDEN, LanguageModel


class _Layered(LanguageModel):
    """Embedding, recurrent layers, normalisation, scores. tied: one matrix reads and writes."""

    stateful = True
    rnn: nn.RNN | nn.GRU

    def __init__(self, vocabulary: int, hidden: int = HIDDEN, tied: bool = False):
        super().__init__(vocabulary, hidden)
        self.norm = nn.BatchNorm1dFlat(hidden)
        if tied:
            self.output.weight = self.embedding.weight

    def forward(self, x: Tensor) -> Tensor:
        """x (N, T) -> scores (N, T, V)."""
        state = self.first_state(self.rnn.num_layers, x.shape[0], self.rnn.hidden_size)
        states, last = self.rnn(self.embedding(x), state)
        self.keep(last)
        return self.output(self.norm(states))


class Model4(_Layered):
    """`nn.RNN` in place of the loop."""

    def __init__(self, vocabulary: int, hidden: int = HIDDEN, tied: bool = False):
        super().__init__(vocabulary, hidden, tied)
        self.rnn = nn.RNN(hidden, hidden, batch_first=True)


class Model5(_Layered):
    """Two layers of gated units."""

    def __init__(self, vocabulary: int, hidden: int = HIDDEN, tied: bool = False):
        super().__init__(vocabulary, hidden, tied)
        self.rnn = nn.GRU(hidden, hidden, 2, batch_first=True)
