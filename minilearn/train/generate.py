"""Writing with a language model: it reads a prompt, says a token, reads that, and so on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import xp
from ..op import no_grad
from ..slots import Slot
from ..tensor import Tensor


@Slot
def next_token_probabilities(
    scores: np.ndarray, temperature: float = 1.0, top_k: int | None = None
) -> np.ndarray:
    """Return the probabilities (V,) to draw the next token with, from its scores (V,).

    temperature: the scores are divided by it: below 1 the likely tokens gain, above 1 all become
    more alike; at 0 the largest score takes everything. top_k: only so many of the likeliest take
    part, all if None.

    >>> next_token_probabilities(np.array([2.0, 1.0, 2.0]), top_k=2)
    array([0.5, 0. , 0.5])
    """
    if temperature == 0:
        return np.eye(len(scores))[scores.argmax()]
    kept = np.argsort(-scores, kind="stable")[:top_k]
    shares = np.zeros(len(scores))
    shares[kept] = np.exp((scores[kept] - scores.max()) / temperature)
    return shares / shares.sum()


@Slot
def draw(probabilities: np.ndarray, u: float) -> int:
    """Return the number that `u`, from 0 to below 1, stands for where each has its share (V,).

    >>> draw(np.array([0.2, 0.8]), 0.1), draw(np.array([0.2, 0.8]), 0.2)
    (0, 1)
    """
    ends = probabilities.cumsum()
    return int(np.searchsorted(ends / ends[-1], u, side="right"))


def generate(
    model: Any, prompt: Sequence[int], tokens: int, *, temperature: float = 0.0,
    top_k: int | None = None, seed: int = 0,
) -> Iterator[int]:
    """Yield `tokens` token numbers that go on from a prompt, one by one.

    temperature, top_k: see `next_token_probabilities`; by default the likeliest token is taken.
    seed: of the draws. The model is used as for validation, with a state of its own.
    Raises ValueError for an empty prompt or settings that make no sense.

    >>> from minilearn.models import Model5
    >>> len(list(generate(Model5(38), [1, 2], 5, temperature=1, seed=1)))
    5
    """
    _check(prompt, tokens, temperature, top_k)
    return _generate(model, list(prompt), tokens, temperature, top_k, np.random.default_rng(seed))


def _generate(model, read, tokens, temperature, top_k, rng) -> Iterator[int]:
    training, state, fresh = model.training, model.state, len(read)
    model.eval().reset()
    try:
        for _ in range(tokens):
            # One that keeps its state is shown what is new; any other, all that it can use.
            shown = read[-fresh:] if model.stateful else read[-model.context :]
            scores = _last_scores(model, shown)
            chances = next_token_probabilities(scores, temperature, top_k)
            read.append(draw(chances, rng.random()))
            fresh = 1
            yield read[-1]
    finally:
        model.train(training).state = state


def _last_scores(model: Any, tokens: list[int]) -> np.ndarray:
    with no_grad():
        scores = model(Tensor(xp.array([tokens], "int64")))
    last = scores[0, -1] if scores.ndim == 3 else scores[0]
    return xp.to_numpy(last.data).astype(np.float64)


def _check(prompt, tokens, temperature, top_k) -> None:
    if not len(prompt):
        raise ValueError("generate: the prompt is empty; give at least one token")
    if tokens < 0:
        raise ValueError(f"generate: tokens must not be negative, got {tokens}")
    if not 0 <= temperature < np.inf:
        raise ValueError(f"generate: temperature must be 0 or more, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"generate: top_k must be at least 1, got {top_k}")
