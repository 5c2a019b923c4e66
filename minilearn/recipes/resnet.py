"""The lesson's first notebook: a ResNet from scratch on handwritten digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from .. import data, nn, processes, viz, xp
from ..models import MODELS
from ..train import (
    Callback,
    Interpretation,
    Learner,
    LRFinder,
    OneCycle,
    lr_find,
    read_checkpoint,
)
from .folder import RunError, RunFolder
from .run import QUICK, adam, carry_out, given

#          epochs, batch size, largest learning rate: the lesson's own on MNIST
LESSON = {"basic": (3, 128, 0.1), "refactor": (10, 128, 0.1), "resnet": (12, 128, 0.05)}
DIGITS = {"basic": (30, 32, 0.05), "refactor": (30, 32, 0.05), "resnet": (40, 32, 0.02)}


@dataclass
class ResnetSettings:
    """What can be chosen; what is left None is filled in for the data and the model."""

    data: str = "auto"
    model: str = "resnet"
    epochs: int | None = None
    lr: float | None = None
    bs: int | None = None
    seed: int = 1
    device: str = "numpy"
    quick: bool = False
    mine: list[str] = field(default_factory=list)  # the learner's functions that take part

    def filled(self, dataset: str) -> ResnetSettings:
        """Return the settings with the recipe's numbers where none were given."""
        if self.model not in MODELS:
            raise RunError(f"unknown model {self.model!r}; there are {', '.join(MODELS)}")
        epochs, bs, lr = (LESSON if dataset == "mnist" else DIGITS)[self.model]
        epochs = max(epochs // QUICK, 1) if self.quick else epochs
        filled = ResnetSettings(
            dataset, self.model, given(self.epochs, epochs), given(self.lr, lr),
            given(self.bs, bs), self.seed, self.device, self.quick, self.mine)
        if filled.epochs < 1 or filled.bs < 2 or not filled.lr > 0:
            raise RunError(f"epochs must be at least 1, bs at least 2 and lr above 0; got epochs "
                           f"{filled.epochs}, bs {filled.bs}, lr {filled.lr}")
        return filled


def make_learner(
    settings: ResnetSettings, sets: tuple[data.Images, ...], callbacks: Sequence[Callback] = ()
) -> tuple[Learner, data.Normalize]:
    """Build the loaders, the model and the learner; all chance follows from the seed."""
    xp.manual_seed(settings.seed)
    pad_crop = data.RandomPadCrop(padding=3, size=28)
    images, held_out = sets
    train, valid, normalize = data.image_loaders(images, held_out, settings.bs, augment=[pad_crop])
    model = MODELS[settings.model]()
    return Learner(model, train, valid, optimizer=adam, callbacks=callbacks), normalize


def train_resnet(
    settings: ResnetSettings,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] = print,
) -> tuple[RunFolder, dict[str, Any]]:
    """Train one of the lesson's three nets and write the run folder.

    out: the folder, by default a new one under runs/. resume: go on with the run there.
    callbacks: further ones, such as a progress bar. say: called with each line worth telling.
    Returns the folder and the content of its result.json. Raises RunError, DataError or Diverged.
    """
    xp.use(settings.device)
    with processes.in_turn():  # the first may download
        sets = data.load(settings.data, say=say)
    settings = settings.filled(sets[0].name)
    folder = RunFolder(out) if out else RunFolder.fresh(f"{settings.model}-{settings.data}")

    def build(own: list[Callback]) -> Learner:
        learn, normalize = make_learner(settings, sets, own)
        folder.remember("normalize", {"mean": normalize.mean, "std": normalize.std})
        return learn

    result = carry_out(folder, settings, resume, build, partial(draw, sets=sets, folder=folder),
                       [OneCycle(settings.lr), *callbacks], say)
    return folder, result


def draw(learn: Learner, sets: Any, folder: RunFolder) -> dict[str, Any]:
    """Return the run's figures by name."""
    found = Interpretation.of(learn)
    train, normalize = sets[0], data.Normalize(**folder.settings()["normalize"])
    images, labels = next(iter(learn.train))
    return {
        "augmentations": viz.augmentations(train[0][0], data.RandomPadCrop(padding=3, size=28)),
        "batch": viz.labelled_batch(images, labels, train.classes, normalize=normalize),
        "losses": viz.losses(learn),
        "metrics": viz.metrics(learn),
        "schedule": viz.schedules(learn),
        "confusion": viz.confusion_matrix(found),
        "top_losses": viz.top_losses(found),
    }


def find_lr_resnet(settings: ResnetSettings, end: float = 100.0, steps: int = 100) -> LRFinder:
    """Run the learning-rate finder for one of the nets (the lesson's ends at 100)."""
    xp.use(settings.device)
    sets = data.load(settings.data)
    learn, _ = make_learner(settings.filled(sets[0].name), sets)
    with threadpool_limits(1):
        return lr_find(learn, end=end, steps=steps)


def load_run(path: str | Path) -> tuple[nn.Module, data.Normalize, dict[str, Any]]:
    """Return the model of a run as of its last checkpoint, its normalisation and its settings."""
    folder = RunFolder(path)
    settings = folder.settings()
    if not folder.checkpoint.exists():
        raise RunError(f"{folder.path} has no checkpoint yet; train it first with --resume")
    model = MODELS[settings["model"]]()
    kept = read_checkpoint(folder.checkpoint)
    model.load_state_dict(kept["model"])
    return model.eval(), data.Normalize(**settings["normalize"]), settings
