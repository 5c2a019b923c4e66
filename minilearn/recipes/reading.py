"""Using a trained language model: writing on from a prompt, and looking at how it reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import data, viz
from ..models import LanguageModel
from ..train import Learner, Reading, gate_openings, generate, hidden_states
from .folder import RunError

SHOWN = 48  # tokens in the pictures of the state


def write_on(
    model: LanguageModel, vocabulary: data.Vocabulary, prompt: str, tokens: int, **how: Any
) -> list[str]:
    """Return the tokens with which a model goes on from a prompt; how: `generate`'s options.

    An empty prompt is the beginning of a text. Raises RunError for words that are not known.
    """
    words = data.tokenize(prompt, begin=not prompt.strip())
    if unknown := sorted({word for word in words if word not in vocabulary}):
        known = ", ".join(vocabulary.itos[8:14])
        raise RunError(f"the run has never read {', '.join(map(repr, unknown))}; its vocabulary "
                       f"has {len(vocabulary) - 8} words and signs, such as {known}")
    ids = generate(model, vocabulary.numericalize(words).tolist(), tokens, **how)
    return vocabulary.tokens(ids)


def read_valid(model: Any, corpus: data.Corpus, bs: int, bptt: int) -> Reading:
    """Let a model read the validation text with the true token put in at every place."""
    return Reading.of(model, data.LanguageLoader(corpus.valid, bs, bptt))


def draw(learn: Learner, corpus: data.Corpus) -> dict[str, Any]:
    """Return the figures of a training by name."""
    seen = read_valid(learn.model, corpus, learn.valid.batch_size, learn.valid.bptt)
    return {"losses": viz.losses(learn), "metrics": viz.metrics(learn),
            "schedule": viz.schedules(learn), **draw_reading(learn.model, seen, corpus)}


def draw_reading(model: Any, seen: Reading, corpus: data.Corpus) -> dict[str, Any]:
    """Return the figures of a reading by name: where it errs, its state and its gates."""
    itos = corpus.vocabulary.itos
    by_token = {itos[token]: counts for token, counts in seen.accuracy_by_token().items()}
    figures = {"wrong_places": viz.wrong_places(seen.wrong),
               "token_accuracy": viz.token_accuracy(by_token)}
    if seen.judged.all():
        figures["loss_by_position"] = viz.loss_by_position(seen.loss_by_position())
    text = corpus.valid[:SHOWN]
    words = corpus.vocabulary.tokens(text)
    if model.stateful:
        figures["states"] = viz.states_over_time(hidden_states(model, text), words)
    if hasattr(model, "rnn") and model.rnn.gates == 3:
        figures["gates"] = viz.gates_over_time(*gate_openings(model, text), words)
    return figures


def mistakes(seen: Reading, vocabulary: data.Vocabulary, count: int, before: int = 8) -> list[str]:
    """Describe the first mistakes in words: what was read, what came, what was guessed instead."""
    lines = []
    for row, place in np.argwhere(seen.wrong)[:count]:
        read = vocabulary.textify(seen.inputs[row, max(place + 1 - before, 0) : place + 1])
        came, guess = vocabulary.tokens([seen.targets[row, place], seen.guesses[row, place]])
        lines.append(f"row {row}, place {place}: ... {read} [{came}]  not {guess}")
    return lines
