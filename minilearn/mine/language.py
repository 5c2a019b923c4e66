"""The lesson on language: text as numbers, recurrent steps, writing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import functional
from ..data import text
from ..data.text import language, spelling, tokens
from ..op import OPS
from ..tensor import Tensor
from ..train.generate import draw, next_token_probabilities
from ..train.language import activation_penalty
from .table import Functions, Swap, adapter, primitive

SPELT = range(1, 1_000_000)
SIMPLE = re.compile(r"[A-Za-z0-9 ,.\n]*")  # texts that the lesson's tokenizer cuts like ours


# ---------------------------------------------------------------- text

@adapter("spell")
def _spell(mine: Functions) -> list[Swap]:
    own = spelling.spell.function

    def spell(number: int) -> str:
        return mine["spell"](number) if number in SPELT else own(number)

    return [(spelling.spell, {"function": spell})]


@adapter("tokenize")
def _tokenize(mine: Functions) -> list[Swap]:
    own = tokens.tokenize.function

    def tokenize(text: str, *, begin: bool = True) -> list[str]:
        repeated = any(p.search(text) for p in (tokens.REPEATED_CHARACTER, tokens.REPEATED_WORD))
        if repeated or not SIMPLE.fullmatch(text):
            return own(text, begin=begin)
        return mine["tokenize"](text)[0 if begin else 1 :]

    return [(tokens.tokenize, {"function": tokenize})]


@adapter("vocabulary")
def _vocabulary(mine: Functions) -> list[Swap]:
    def of(cls: Any, tokens: Iterable[str], *, max_size: int = 60_000, min_freq: int = 2) -> Any:
        return cls(mine["vocabulary"](list(tokens), max_size, min_freq))

    return [(text.Vocabulary, {"of": classmethod(of)})]


@adapter("numericalize")
def _numericalize(mine: Functions) -> list[Swap]:
    def numericalize(self: text.Vocabulary, tokens: Iterable[str]) -> np.ndarray:
        return mine["numericalize"](list(tokens), self.itos)

    return [(text.Vocabulary, {"numericalize": numericalize})]


@adapter("textify")
def _textify(mine: Functions) -> list[Swap]:
    def textify(self: text.Vocabulary, ids: Iterable[int]) -> str:
        try:
            return mine["textify"](np.array([int(i) for i in ids], np.int64), self.itos)
        except ValueError as error:
            raise IndexError(str(error)) from None

    return [(text.Vocabulary, {"textify": textify})]


@adapter("language_batches")
def _language_batches(mine: Functions) -> list[Swap]:
    epoch: list[Any] = [None, iter(())]  # the text, and what is left of its batches

    def language_batch(stream: np.ndarray, batch_size: int, bptt: int, number: int) -> Any:
        if epoch[0] is not stream or number == 0:
            epoch[:] = stream, iter(mine["language_batches"](stream, batch_size, bptt))
            for _ in range(number):
                next(epoch[1])
        return next(epoch[1])

    return [(language.language_batch, {"function": language_batch})]


# ---------------------------------------------------------------- layers

@adapter("embedding_grad")
def _embedding_grad(mine: Functions) -> list[Swap]:
    own = functional.embedding.function

    def forward(input: Any, weight: Any, *, padding_idx: int | None) -> Any:
        return weight[input]

    def joint(g: Any, y: Any, input: Any, weight: Any, *, needs: Any, padding_idx: Any) -> Any:
        return None, mine["embedding_grad"](g, input, len(weight), padding_idx)

    op = primitive(forward, own, joint)

    def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
        own(input, weight.detach(), padding_idx)  # refuses what it must
        return op(input, weight, padding_idx=padding_idx)

    return [(functional.embedding, {"function": embedding})]


def nothing_added(gates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight and the bias that leave inputs as they are: the gates are known already."""
    size = gates.shape[-1]
    return np.eye(size, dtype=gates.dtype), np.zeros(size, gates.dtype)


@adapter("rnn_cell")
def _rnn_cell(mine: Functions) -> list[Swap]:
    own = OPS["rnn"].forward

    def rnn(gates: Any, h0: Any, weight: Any, *, nonlinearity: str) -> Any:
        if nonlinearity != "tanh":
            return own(gates, h0, weight, nonlinearity=nonlinearity)
        (eye, zero), h, y = nothing_added(gates), h0, np.empty_like(gates)
        for t, x in enumerate(gates):
            y[t] = h = mine["rnn_cell"](x, h, eye, weight, zero, zero)
        return y

    return [(OPS["rnn"], {"forward": rnn})]


@adapter("rnn")
def _rnn(mine: Functions) -> list[Swap]:
    own = OPS["rnn"].forward

    def rnn(gates: Any, h0: Any, weight: Any, *, nonlinearity: str) -> Any:
        if nonlinearity != "tanh":
            return own(gates, h0, weight, nonlinearity=nonlinearity)
        eye, zero = nothing_added(gates)
        return mine["rnn"](gates.swapaxes(0, 1), h0, eye, weight, zero, zero)[0].swapaxes(0, 1)

    return [(OPS["rnn"], {"forward": rnn})]


@adapter("rnn_grad")
def _rnn_grad(mine: Functions) -> list[Swap]:
    own = OPS["rnn"].joint

    def joint(g: Any, y: Any, gates: Any, h0: Any, weight: Any, *, needs: Any,
              nonlinearity: str) -> Any:
        if nonlinearity != "tanh":
            return own(g, y, gates, h0, weight, needs=needs, nonlinearity=nonlinearity)
        eye, zero = nothing_added(gates)
        dx, dh, _, dweight, _ = mine["rnn_grad"](
            g.swapaxes(0, 1), gates.swapaxes(0, 1), h0, eye, weight, zero, zero)
        return dx.swapaxes(0, 1), dh, dweight

    return [(OPS["rnn"], {"joint": joint})]


@adapter("gru_cell")
def _gru_cell(mine: Functions) -> list[Swap]:
    def gru(gates: Any, h0: Any, weight: Any, bias: Any) -> Any:
        (eye, zero), h = nothing_added(gates), h0
        y = np.empty((len(gates), *h0.shape), h0.dtype)
        for t, x in enumerate(gates):
            y[t] = h = mine["gru_cell"](x, h, eye, weight, zero, bias)
        return y

    return [(OPS["gru"], {"forward": gru})]


@adapter("gru")
def _gru(mine: Functions) -> list[Swap]:
    def gru(gates: Any, h0: Any, weight: Any, bias: Any) -> Any:
        eye, zero = nothing_added(gates)
        y, _ = mine["gru"](gates.swapaxes(0, 1), h0[None], [(eye, weight, zero, bias)])
        return y.swapaxes(0, 1)

    return [(OPS["gru"], {"forward": gru})]


@adapter("lstm_cell")
def _lstm_cell(mine: Functions) -> list[Swap]:
    own = OPS["lstm"].forward

    def lstm(gates: Any, h0: Any, c0: Any, weight: Any, *projection: Any) -> Any:
        if projection:
            return own(gates, h0, c0, weight, *projection)
        (eye, zero), state, steps = nothing_added(gates), (h0, c0), []
        for x in gates:
            state = mine["lstm_cell"](x, *state, eye, weight, zero, zero)
            steps.append(np.concatenate(state, axis=-1))
        return np.stack(steps)

    return [(OPS["lstm"], {"forward": lstm})]


@adapter("activation_regularisation")
def _activation_regularisation(mine: Functions) -> list[Swap]:
    own = activation_penalty.function

    def forward(h: Any, *, alpha: float, beta: float) -> Any:
        return np.asarray(mine["activation_regularisation"](h, h, alpha, beta), h.dtype)

    op = primitive(forward, own)
    return [(activation_penalty, {
        "function": lambda h, alpha, beta: op(h, alpha=alpha, beta=beta)})]


# ---------------------------------------------------------------- writing

@adapter("token_probabilities")
def _token_probabilities(mine: Functions) -> list[Swap]:
    own = next_token_probabilities.function

    def chances(scores: np.ndarray, temperature: float = 1.0, top_k: int | None = None) -> Any:
        if temperature == 0 or len(np.unique(scores)) < len(scores):
            return own(scores, temperature, top_k)
        return mine["token_probabilities"](scores, temperature, top_k and min(top_k, len(scores)))

    return [(next_token_probabilities, {"function": chances})]


@adapter("sample")
def _sample(mine: Functions) -> list[Swap]:
    return [(draw, {"function": lambda chances, u: mine["sample"](chances, u)})]
