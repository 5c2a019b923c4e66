"""The lesson's sixth notebook: language models on human numbers, or on a text of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from .. import data, processes, xp
from ..models import LANGUAGE_MODELS, LanguageModel
from ..train import (
    ActivationRegularizer,
    Callback,
    KeepState,
    Learner,
    OneCycle,
    read_checkpoint,
    token_cross_entropy,
)
from .folder import RunError, RunFolder
from .reading import draw
from .run import QUICK, adam, carry_out, given

LAST_ONLY = ("0", "1")  # these predict the token after the last one only


class Recipe(NamedTuple):
    """The lesson's numbers for a model; forget: see `KeepState`."""

    bptt: int
    epochs: int
    lr: float
    pct_start: float = 0.3
    forget: float = 0.0


RECIPES = {
    "0": Recipe(3, 6, 1e-4), "1": Recipe(3, 6, 1e-4), "2": Recipe(20, 10, 1e-4, 0.1),
    "3": Recipe(20, 20, 3e-3), "4": Recipe(20, 20, 3e-3), "5": Recipe(20, 10, 1e-2),
    "best": Recipe(20, 10, 1e-2, forget=0.1),  # not the lesson's
}


@dataclass
class LanguageSettings:
    """What can be chosen; what is left None is filled in for the model.

    data: "numbers", or the path of a text. bs: rows read side by side; bptt: tokens of each a
    batch. hidden: units. alpha, beta: the penalties of `ActivationRegularizer`. tied: one matrix
    reads and writes tokens (Models 4 and 5).
    """

    data: str = "numbers"
    model: str = "5"
    epochs: int | None = None
    lr: float | None = None
    bs: int = 64
    bptt: int | None = None
    hidden: int = 64
    alpha: float = 0.0
    beta: float = 0.0
    tied: bool = False
    seed: int = 1
    device: str = "numpy"
    quick: bool = False
    mine: list[str] = field(default_factory=list)  # the learner's functions that take part

    def filled(self) -> LanguageSettings:
        """Return the settings with the recipe's numbers where none were given."""
        if self.model not in RECIPES:
            raise RunError(f"unknown model {self.model!r}; there are {', '.join(RECIPES)}")
        recipe = RECIPES[self.model]
        epochs = max(recipe.epochs // QUICK, 1) if self.quick else recipe.epochs
        filled = replace(self, epochs=given(self.epochs, epochs), lr=given(self.lr, recipe.lr),
                         bptt=given(self.bptt, recipe.bptt))
        filled.check()
        return filled

    def check(self) -> None:
        """Raise RunError for settings that make no sense."""
        least = {"epochs": 1, "bs": 2, "bptt": 1, "hidden": 1, "alpha": 0, "beta": 0}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise RunError(f"{name} must be at least {smallest}, got {getattr(self, name)}")
        if not self.lr > 0:
            raise RunError(f"lr must be above 0, got {self.lr}")
        if self.tied and self.model not in ("4", "5"):
            raise RunError(f"tied weights are for Models 4 and 5, not for {self.model}")
        if (self.alpha or self.beta) and self.model not in ("4", "5", "best"):
            raise RunError("alpha and beta regularise a recurrent layer, which Models 4, 5 and "
                           f"best have, not {self.model}")
        if self.model == "0" and self.bptt > 3:
            raise RunError("Model 0 reads three tokens, so bptt must be 3 or less, got "
                           f"{self.bptt}")


def load_corpus(name: str) -> data.Corpus:
    """Return human numbers for "numbers", else the text at that path."""
    return data.numbers_corpus() if name == "numbers" else data.text_corpus(name)


def make_model(settings: LanguageSettings, vocabulary: data.Vocabulary) -> LanguageModel:
    """Build the model that the settings name."""
    options = {"tied": True} if settings.tied else {}
    return LANGUAGE_MODELS[settings.model](len(vocabulary), settings.hidden, **options)


def make_learner(
    settings: LanguageSettings, corpus: data.Corpus, callbacks: Sequence[Callback] = ()
) -> Learner:
    """Build the loaders, the model and the learner; all chance follows from the seed."""
    xp.manual_seed(settings.seed)
    model = make_model(settings, corpus.vocabulary)
    last = settings.model in LAST_ONLY
    loaders: Any = [data.LanguageLoader(part, settings.bs, settings.bptt, last=last)
                    for part in (corpus.train, corpus.valid)]
    own: list[Callback] = [KeepState(model, RECIPES[settings.model].forget)]
    if settings.alpha or settings.beta:
        own.append(ActivationRegularizer(model.rnn, settings.alpha, settings.beta))
    return Learner(model, *loaders, loss=token_cross_entropy, optimizer=adam,
                   callbacks=[*callbacks, *own])


def train_language(
    settings: LanguageSettings,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] = print,
) -> tuple[RunFolder, dict[str, Any]]:
    """Train a language model and write the run folder, with the vocabulary in vocabulary.txt.

    The arguments are those of `train_resnet`. Returns the folder and the content of result.json.
    Raises RunError, DataError or Diverged.
    """
    xp.use(settings.device)
    settings = settings.filled()
    corpus = load_corpus(settings.data)
    say(f"Data: {corpus.name}, {len(corpus.train):,} tokens to train on, {len(corpus.valid):,} to "
        f"validate, a vocabulary of {len(corpus.vocabulary):,}.")
    folder = RunFolder(out) if out else RunFolder.fresh(f"{corpus.name}-{settings.model}")

    def build(own: list[Callback]) -> Learner:
        learn = make_learner(settings, corpus, own)
        with processes.in_turn():
            keep_vocabulary(folder, corpus.vocabulary)
        return learn

    schedule = OneCycle(settings.lr, pct_start=RECIPES[settings.model].pct_start)
    result = carry_out(folder, settings, resume, build, partial(draw, corpus=corpus),
                       [schedule, *callbacks], say)
    return folder, result


def keep_vocabulary(folder: RunFolder, vocabulary: data.Vocabulary) -> None:
    """Write the vocabulary of a run; RunError where the text of a resumed run has changed."""
    path = folder.path / "vocabulary.txt"
    if not path.exists():
        vocabulary.save(path)
    elif data.Vocabulary.load(path) != vocabulary:
        raise RunError(f"the text has changed since {folder.path} was begun: its vocabulary is "
                       "another; begin another run with --out")


def load_language_run(
    path: str | Path
) -> tuple[LanguageModel, data.Vocabulary, LanguageSettings]:
    """Return the model of a run as of its last checkpoint, its vocabulary and its settings."""
    folder = RunFolder(path)
    settings = folder.settings()
    known = LanguageSettings.__dataclass_fields__
    if "bptt" not in settings:
        raise RunError(f"{folder.path} is no run of a language model; "
                       "`train numbers` makes one")
    if not folder.checkpoint.exists():
        raise RunError(f"{folder.path} has no checkpoint yet; train it first with --resume")
    chosen = LanguageSettings(**{name: settings[name] for name in known})
    vocabulary = data.Vocabulary.load(folder.path / "vocabulary.txt")
    model = make_model(chosen, vocabulary)
    model.load_state_dict(read_checkpoint(folder.checkpoint)["model"])
    model.eval()
    return model, vocabulary, chosen
