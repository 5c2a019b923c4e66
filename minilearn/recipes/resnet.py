"""The lesson's first notebook: a ResNet from scratch on handwritten digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from .. import data, nn, viz, xp
from ..models import MODELS
from ..optim import AdamW
from ..train import (
    Callback,
    Checkpoint,
    CSVLog,
    Interpretation,
    Learner,
    LRFinder,
    OneCycle,
    StopOnNaN,
    load_checkpoint,
    lr_find,
    read_checkpoint,
)
from .folder import RunError, RunFolder

#          epochs, batch size, largest learning rate: the lesson's own on MNIST
LESSON = {"basic": (3, 128, 0.1), "refactor": (10, 128, 0.1), "resnet": (12, 128, 0.05)}
DIGITS = {"basic": (30, 32, 0.05), "refactor": (30, 32, 0.05), "resnet": (40, 32, 0.02)}
QUICK = 4  # --quick takes so many times fewer epochs

adam = partial(AdamW, betas=(0.9, 0.99), eps=1e-8, weight_decay=1e-2)  # fast.ai's defaults


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
            dataset, self.model, _given(self.epochs, epochs), _given(self.lr, lr),
            _given(self.bs, bs), self.seed, self.device, self.quick, self.mine)
        if filled.epochs < 1 or filled.bs < 2 or not filled.lr > 0:
            raise RunError(f"epochs must be at least 1, bs at least 2 and lr above 0; got epochs "
                           f"{filled.epochs}, bs {filled.bs}, lr {filled.lr}")
        return filled


def _given(value: Any, default: Any) -> Any:
    return default if value is None else value


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
    sets = data.load(settings.data, say=say)
    settings = settings.filled(sets[0].name)
    folder = RunFolder(out) if out else RunFolder.fresh(f"{settings.model}-{settings.data}")
    resuming = folder.begin(asdict(settings), resume)
    if resuming and (result := folder.result()):
        say(f"{folder.path} is finished already; nothing is left to do.")
        return folder, result
    own = [StopOnNaN(), CSVLog(folder.history), Checkpoint(folder.checkpoint)]
    learn, normalize = make_learner(settings, sets, own)
    folder.remember("normalize", {"mean": normalize.mean, "std": normalize.std})
    if resuming:
        load_checkpoint(learn, folder.checkpoint)
        say(f"Going on after epoch {learn.epoch} of {settings.epochs}.")
    # Matrices this small gain nothing from a second BLAS thread, and lose a factor of ten to it
    # when another program uses the core; and one thread everywhere gives the same numbers.
    with threadpool_limits(1):
        learn.fit(settings.epochs, callbacks=[OneCycle(settings.lr), *callbacks])
    result = summarize(learn, settings)
    draw(learn, sets, normalize, folder.figures)
    folder.write_result(result)
    return folder, result


def summarize(learn: Learner, settings: ResnetSettings) -> dict[str, Any]:
    """Return what result.json holds: the final numbers and those of every epoch."""
    history = learn.recorder.history
    return {
        "accuracy": history[-1]["accuracy"],
        "valid_loss": history[-1]["valid_loss"],
        "train_loss": [row["train_loss"] for row in history],
        "history": history,
        "params": sum(p.numel() for p in learn.model.parameters()),
        "seconds": sum(row["seconds"] for row in history),
        **asdict(settings),
    }


def draw(learn: Learner, sets: Any, normalize: data.Normalize, folder: Path) -> None:
    """Write the run's figures."""
    found = Interpretation.of(learn)
    train = sets[0]
    images, labels = next(iter(learn.train))
    pictures = {
        "augmentations": viz.augmentations(train[0][0], data.RandomPadCrop(padding=3, size=28)),
        "batch": viz.labelled_batch(images, labels, train.classes, normalize=normalize),
        "losses": viz.losses(learn),
        "metrics": viz.metrics(learn),
        "schedule": viz.schedules(learn),
        "confusion": viz.confusion_matrix(found),
        "top_losses": viz.top_losses(found),
    }
    for name, figure in pictures.items():
        viz.save(figure, folder / f"{name}.png")


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
