"""What a language model says while it reads: its guess at every place of a text, and its loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import functional as F
from .. import xp
from ..nn import GRU
from ..op import no_grad
from ..tensor import Tensor


@dataclass(frozen=True, eq=False)
class Reading:
    """A text read row by row, the true token put in at every place ("teacher forcing").

    inputs, targets, guesses: token numbers (N, T); losses: (N, T), the negative logarithm of the
    target's probability. bptt: tokens a batch. A model that scores the last place of each batch
    only has -1 for a guess, and nan for a loss, everywhere else.
    """

    inputs: np.ndarray
    targets: np.ndarray
    guesses: np.ndarray
    losses: np.ndarray
    bptt: int

    @classmethod
    def of(cls, model: Any, batches: Iterable[tuple[Tensor, Tensor]]) -> Reading:
        """Let a language model read batches (x, y), (N, bptt) each, from the beginning.

        The model is used as for validation, with a new state; its own is put back afterwards.
        Raises ValueError where there is no batch.
        """
        training, state = model.training, model.state
        model.eval().reset()
        try:
            with no_grad():
                parts = [_read(model(x), x, y) for x, y in batches]
        finally:
            model.train(training).state = state
        if not parts:
            raise ValueError("Reading.of: there is no batch to read; give a loader of a text")
        x, y, guesses, losses = (np.concatenate(part, 1) for part in zip(*parts, strict=True))
        return cls(x, y, guesses, losses, bptt=parts[0][0].shape[1])

    @property
    def judged(self) -> np.ndarray:
        """Where there was something to guess, (N, T)."""
        return self.guesses >= 0

    @property
    def wrong(self) -> np.ndarray:
        """Where the guess was not the target, (N, T)."""
        return self.judged & (self.guesses != self.targets)

    @property
    def accuracy(self) -> float:
        """The share of guesses that were right."""
        return 1 - int(self.wrong.sum()) / int(self.judged.sum())

    def loss_by_position(self) -> np.ndarray:
        """Return the mean loss at each place of a batch, (bptt,); nan where nothing was guessed.

        A model without state knows little at the first places; one that keeps its state knows as
        much there as anywhere, but for the very first batch, which is left out.
        """
        begun = self.losses[:, self.bptt :] if self.losses.shape[1] > self.bptt else self.losses
        folded = begun.reshape(-1, self.bptt)
        counts = np.isfinite(folded).sum(0)
        return np.where(counts > 0, np.nansum(folded, 0) / np.maximum(counts, 1), np.nan)

    def confusions(self) -> list[tuple[int, int, int]]:
        """List what was taken for what: (target, guess, how often), most frequent first."""
        pairs = zip(self.targets[self.wrong].tolist(), self.guesses[self.wrong].tolist(),
                    strict=True)
        return [(target, guess, times) for (target, guess), times in Counter(pairs).most_common()]

    def accuracy_by_token(self) -> dict[int, tuple[int, int]]:
        """Return for each target how often it was guessed, and how often it was there."""
        seen, missed = self.targets[self.judged], self.targets[self.wrong]
        there, wrong = (Counter(tokens.tolist()) for tokens in (seen, missed))
        return {token: (times - wrong[token], times) for token, times in there.most_common()}


def _read(scores: Tensor, x: Tensor, y: Tensor) -> list[np.ndarray]:
    """Return inputs, targets, guesses and losses of one batch, each (N, T)."""
    every = scores.ndim == 3
    right = F.cross_entropy(scores.transpose(1, -1), y if every else y[:, -1], reduction="none")
    found = [xp.to_numpy(t.data) for t in (x, y, scores.argmax(-1), right)]
    if not every:
        guesses, losses = np.full(y.shape, -1), np.full(y.shape, np.nan)
        guesses[:, -1], losses[:, -1] = found[2:]
        found[2:] = guesses, losses
    return found


# ---------------------------------------------------------------- inside the model


def hidden_states(model: Any, tokens: np.ndarray) -> np.ndarray:
    """Return the state after each of T tokens, (T, layers, H), read from a fresh beginning.

    Raises ValueError for a model that keeps no state.
    """
    if not model.stateful:
        raise ValueError(f"hidden_states: {type(model).__name__} keeps no state between batches, "
                         "there is none to show; take one of Models 3, 4, 5 or best")
    training, state = model.training, model.state
    model.eval().reset()
    states = []
    with no_grad():
        for token in tokens:
            model(Tensor(xp.array([[int(token)]], "int64")))
            states.append(xp.to_numpy(model.state[0].data))
    model.train(training).state = state
    shape = (len(tokens), -1, states[0].shape[-1])
    return np.stack(states).reshape(shape)  # (T, layers, 1, H) or (T, 1, H) before


def gate_openings(model: Any, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far the gates r (reset) and z (update) of a GRU open, each (T, layers, H), 0 to 1.

    Where z is near 1, a unit keeps what it knows; where r is near 0, the new content is made
    without what the state says. Raises TypeError for a model whose layers have no such gates.
    """
    if not isinstance(getattr(model, "rnn", None), GRU):
        raise TypeError(f"gate_openings: {type(model).__name__} has no gates; take Model 5 or best")
    states = hidden_states(model, tokens)
    before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
    below = xp.to_numpy(model.embedding.weight.data)[np.asarray(tokens)]
    gates = []
    for layer in range(states.shape[1]):
        w_ih, w_hh, b_ih, b_hh = (
            xp.to_numpy(getattr(model.rnn, f"{name}_l{layer}").data)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        both = below @ w_ih.T + b_ih + before[:, layer] @ w_hh.T + b_hh  # n's third is not used
        gates.append(1 / (1 + np.exp(-both[:, : 2 * states.shape[-1]])))
        below = states[:, layer]
    reset, update = np.split(np.stack(gates, 1), 2, axis=-1)
    return reset, update
