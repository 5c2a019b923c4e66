"""Beyond the lesson: a model that can also point at what it has read, and say it again.

A recurrent network that has never seen "eight thousand" will not say it. But it can learn *where*
the right word stands: the last time I was in this situation, what came next? Each place asks with
its state, every earlier place answers with its own, and the word that followed there is copied.
"""

from __future__ import annotations

import math

from ... import functional as F
from ... import nn, xp
from ...ops import pieces
from ...tensor import Tensor
from .base import HIDDEN, LanguageModel

LEAST = 1e-7  # every token keeps this probability: no logarithm of 0


class PointerModel(LanguageModel):
    """Gated units with a pointer: tokens (N, T) -> log-probabilities of the next (N, T, V).

    hidden: units of each of the layers. keys: size of the vectors that are compared. memory: how
    many earlier places are kept from batch to batch. dropout: on what the units put out, in
    training. word_dropout: the chance that a token is not shown to the units in training (it can
    still be pointed at), so that they learn to go by the other words.
    Source: Merity et al. 2017, "Pointer sentinel mixture models"; Grave et al. 2017, "Improving
    neural language models with a continuous cache"; word dropout: Gal and Ghahramani 2016.
    """

    stateful = True

    def __init__(
        self, vocabulary: int, hidden: int = HIDDEN, layers: int = 2, keys: int = 32,
        memory: int = 40, dropout: float = 0.0, word_dropout: float = 0.1,
    ):
        super().__init__(vocabulary, hidden)
        self.rnn = nn.GRU(hidden, hidden, layers, batch_first=True)
        self.norm = nn.BatchNorm1dFlat(hidden)
        self.query, self.key = nn.Linear(hidden, keys), nn.Linear(hidden, keys)
        self.sentinel = nn.Parameter(Tensor(xp.zeros((keys,))))
        self.dropout, self.word_dropout = nn.Dropout(dropout), nn.Dropout1d(word_dropout)
        self.vocabulary, self.memory = vocabulary, memory

    def train(self, mode: bool = True) -> nn.Module:
        """Set the mode; the texts of training and of validation are not the same: begin anew."""
        if mode != self.training:
            self.reset()
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, T) -> log-probabilities (N, T, V)."""
        first = self.first_state(self.rnn.num_layers, x.shape[0], self.rnn.hidden_size)
        states, last = self.rnn(self.word_dropout(self.embedding(x)), first)
        h = self.dropout(self.norm(states))
        keys = self.key(h)
        tokens = pieces.cat([*self.state[1:2], x], 1)
        keys = pieces.cat([*self.state[2:], keys], 1)
        self.keep(last, tokens[:, -self.memory :], keys[:, -self.memory :])
        return self.mix(h, tokens, keys)

    def mix(self, h: Tensor, tokens: Tensor, keys: Tensor) -> Tensor:
        """Share the probability between the places pointed at and the vocabulary.

        h (N, T, H): the states that ask; tokens (N, S) and keys (N, S, K): the places, of which the
        last T are those of h. One softmax over the earlier places and a last one, the sentinel,
        whose share goes to the vocabulary.
        """
        query = self.query(h)
        scores = query @ keys[:, :-1].mT / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(self.not_before(h.shape[1], keys.shape[1]), -math.inf)
        sentinel = (query @ self.sentinel).unsqueeze(-1)
        shares = F.softmax(pieces.cat([scores, sentinel], -1), -1)
        followed = F.one_hot(tokens[:, 1:], self.vocabulary).to(shares.dtype)  # (N, S - 1, V)
        pointed = shares[..., :-1] @ followed
        own = F.softmax(self.output(h), -1)
        return (pointed + shares[..., -1:] * own + LEAST).log()

    @staticmethod
    def not_before(steps: int, places: int) -> Tensor:
        """Mark, (T, S - 1), the places that time t may not point at.

        Place i offers the token at i + 1, which is known when i comes before t.
        """
        times = xp.arange(places - steps, places)
        return Tensor(xp.arange(places - 1)[None, :] >= times[:, None])
