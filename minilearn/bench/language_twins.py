"""The lesson's language models in PyTorch, with the parameter names of `minilearn.models`."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


class Twin(nn.Module):
    """What all have; `state` is a tuple as ours is."""

    def __init__(self, vocabulary: int, hidden: int = 64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.output = nn.Linear(hidden, vocabulary)
        self.state: tuple[torch.Tensor, ...] = ()

    def reset(self) -> None:
        """Forget the state."""
        self.state = ()

    def keep(self, *state: torch.Tensor) -> None:
        """Keep the state without its past."""
        self.state = tuple(part.detach() for part in state)

    def first_state(self, *shape: int) -> torch.Tensor:
        """Return the state that was kept, or zeros."""
        return self.state[0] if self.state else self.embedding.weight.new_zeros(shape)


class Loop(Twin):
    """Models 0 and 1 (the same function), 2 and 3."""

    def __init__(self, vocabulary: int, hidden: int = 64, *, every: bool, stateful: bool):
        super().__init__(vocabulary, hidden)
        self.hidden, self.norm = nn.Linear(hidden, hidden), nn.BatchNorm1d(hidden)
        self.every, self.stateful = every, stateful

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores of the next token, at every place or after the last."""
        shape = (x.shape[0], self.hidden.in_features)
        h = self.first_state(*shape) if self.stateful else self.embedding.weight.new_zeros(shape)
        scores = []
        for token in x.unbind(1):
            h = F.relu(self.hidden(h + self.embedding(token)))
            normed = self.norm(h)
            h = h if self.every else normed
            scores.append(normed)
        if self.stateful:
            self.keep(h)
        return self.output(torch.stack(scores, 1) if self.every else h)


class Layered(Twin):
    """Models 4 and 5."""

    def __init__(self, vocabulary: int, hidden: int = 64, *, gru: bool):
        super().__init__(vocabulary, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.word_dropout: nn.Module = nn.Identity()
        self.rnn = (nn.GRU(hidden, hidden, 2, batch_first=True) if gru
                    else nn.RNN(hidden, hidden, batch_first=True))

    def states(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the normalised states at every place, and the last state."""
        first = self.first_state(self.rnn.num_layers, x.shape[0], self.rnn.hidden_size)
        states, last = self.rnn(self.word_dropout(self.embedding(x)), first)
        return self.norm(states.flatten(0, 1)).unflatten(0, x.shape), last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores of the next token at every place."""
        h, last = self.states(x)
        self.keep(last)
        return self.output(h)


class Pointer(Layered):
    """Model best, whose pointer goes step by step over time."""

    def __init__(
        self, vocabulary: int, hidden: int = 64, keys: int = 32, memory: int = 40,
        word_dropout: float = 0.1,
    ):
        super().__init__(vocabulary, hidden, gru=True)
        self.word_dropout = nn.Dropout1d(word_dropout)
        self.query, self.key = nn.Linear(hidden, 3 * keys), nn.Linear(hidden, keys)
        self.sentinel = nn.Linear(hidden, 1)
        self.vocabulary, self.memory = vocabulary, memory

    def train(self, mode: bool = True) -> Pointer:
        """Set the mode, and begin anew where it is another."""
        if mode != self.training:
            self.reset()
        return super().train(mode)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return log-probabilities of the next token at every place."""
        h, last = self.states(x)
        tokens = torch.cat([*self.state[1:2], x], 1)
        keys = torch.cat([*self.state[2:], self.key(h)], 1)
        self.keep(last, tokens[:, -self.memory :], keys[:, -self.memory :])
        before = tokens.shape[1] - x.shape[1]
        steps = [self.step(h[:, t], tokens[:, : before + t + 1], keys[:, : before + t + 1])
                 for t in range(x.shape[1])]
        return torch.stack(steps, 1)

    def step(self, h: torch.Tensor, tokens: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Mix at one place, the last of those given: each offers the word before, at, after it."""
        before, at, after = ((keys @ query[..., None])[..., 0] / math.sqrt(query.shape[-1])
                             for query in self.query(h).chunk(3, 1))
        scores = torch.cat([before[:, 1:], at, after[:, :-1], self.sentinel(h)], 1)
        words = torch.cat([tokens[:, :-1], tokens, tokens[:, 1:]], 1)
        shares = torch.softmax(scores, 1)
        own = shares[:, -1:] * torch.softmax(self.output(h), 1)
        return (own.scatter_add(1, words, shares[:, :-1]) + 1e-7).log()


def twin(model: str, vocabulary: int, hidden: int = 64) -> Twin:
    """Return the twin of `LANGUAGE_MODELS[model]`, with weights of its own."""
    if model in ("4", "5"):
        return Layered(vocabulary, hidden, gru=model == "5")
    if model == "best":
        return Pointer(vocabulary, hidden)
    return Loop(vocabulary, hidden, every=model not in ("0", "1"), stateful=model == "3")
