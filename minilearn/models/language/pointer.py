"""Beyond the lesson: a model that can also point at what it has read, and say it again.

A recurrent network that has never seen "eight thousand" will not say it. But it can learn *where*
the right word stands: what came next, the last time I was in this situation? Which word stood
before the last "thousand"? Each place asks with its state, every earlier place answers with its
own, and the word there, or the one before or after it, is copied.
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
    many earlier places are kept from batch to batch. offsets: which words a place offers: the one
    before it, its own, the next one. dropout: on what the units put out, in
    training. word_dropout: the chance that a token is not shown to the units in training (it can
    still be pointed at), so that they learn to go by the other words.
    Source: Merity et al. 2017, "Pointer sentinel mixture models"; Grave et al. 2017, "Improving
    neural language models with a continuous cache"; word dropout: Gal and Ghahramani 2016.
    """

    stateful = True

    def __init__(
        self, vocabulary: int, hidden: int = HIDDEN, layers: int = 2, keys: int = 32,
        memory: int = 40, offsets: tuple[int, ...] = (-1, 0, 1), dropout: float = 0.0,
        word_dropout: float = 0.1,
    ):
        super().__init__(vocabulary, hidden)
        self.rnn = nn.GRU(hidden, hidden, layers, batch_first=True)
        self.norm = nn.BatchNorm1dFlat(hidden)
        self.query = nn.Linear(hidden, keys * len(offsets))
        self.key, self.sentinel = nn.Linear(hidden, keys), nn.Linear(hidden, 1)
        self.dropout, self.word_dropout = nn.Dropout(dropout), nn.Dropout1d(word_dropout)
        self.vocabulary, self.memory, self.offsets = vocabulary, memory, offsets

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
        last T are those of h. One softmax over all places, for each offset, and a last score, the
        sentinel's, whose share goes to the vocabulary.
        """
        queries = pieces.chunk(self.query(h), len(self.offsets), -1)
        found = [point(query, keys, tokens, offset)
                 for query, offset in zip(queries, self.offsets, strict=True)]
        scores, words = zip(*found, strict=True)
        shares = F.softmax(pieces.cat([*scores, self.sentinel(h)], -1), -1)
        offered = F.one_hot(pieces.cat(words, 1), self.vocabulary).to(shares.dtype)
        own = F.softmax(self.output(h), -1)
        return (shares[..., :-1] @ offered + shares[..., -1:] * own + LEAST).log()


def point(query: Tensor, keys: Tensor, tokens: Tensor, offset: int) -> tuple[Tensor, Tensor]:
    """Return how well each place matches, (N, T, P), and the word that it offers, (N, P).

    query (N, T, K) asks from the last T of the places with keys (N, S, K) and tokens (N, S); those
    whose word, `offset` places on, does not exist are left out. What is not known at the time of
    asking has the score -inf: place i at time t, where i > t or i + offset > t.
    """
    steps, places = query.shape[1], keys.shape[1]
    first, end = max(0, -offset), places - max(0, offset)
    scores = query @ keys[:, first:end].mT / math.sqrt(query.shape[-1])
    known_at = xp.arange(first, end) + max(0, offset)
    later = known_at[None, :] > xp.arange(places - steps, places)[:, None]
    return scores.masked_fill(Tensor(later), -math.inf), tokens[:, first + offset : end + offset]
