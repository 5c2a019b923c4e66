"""Lesson 7's restorations: super-resolution and colour, by a U-Net that undoes what was done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from .. import data, nn, processes, viz, xp
from .. import functional as F
from ..data import Degrade
from ..data.pictures.sources import reasons
from ..models import unet
from ..train import Callback, Learner, Stage, Stages, on_pixels, psnr, read_checkpoint, ssim
from .features import Features, load_features
from .folder import RunError, RunFolder
from .measure import compare
from .run import QUICK, carry_out, given
from .strips import Strips
from .unets import Encoder, Looks, lesson_stages, make_encoder, optimizer, start_from

TASKS, LOSSES = ("superres", "colorize"), ("pixel", "feature")
#             size, epochs, batch size, largest learning rate: the lesson's own for a ResNet
LESSON, SMALL = (256, 40, 32, 1e-2), (128, 24, 8, 3e-3)
NORMALIZE, HOW = data.IMAGENET, "bicubic"  # what the net is given is bicubic interpolation
FEW = 32  # pictures, with --quick
VALID = 32  # pictures that each epoch is validated on, at most; the result is of all
Counting = Callable[[], AbstractContextManager[Any]]
# On two cores there is no time to learn from turned, warped and dimmed pictures too.
NEAR = data.Augment(max_rotate=0, max_warp=0, max_lighting=0, min_zoom=2, max_zoom=3)


@dataclass
class RestorationSettings:
    """What can be chosen; what is left None is filled in for the encoder.

    task: "superres" or "colorize". loss: "pixel" (squared error) or "feature". size: of the images,
    in pixels. small, quality, number: the damage of superres: shorter side, JPEG, a white number.
    start: a run whose weights to begin with.
    """

    task: str = "superres"
    loss: str = "pixel"
    data: str = "auto"
    size: int | None = None
    small: int = 96
    quality: int = 60
    number: bool = False
    encoder: str = "small"
    start: str | None = None
    epochs: int | None = None
    lr: float | None = None
    bs: int | None = None
    seed: int = 1
    device: str = "numpy"
    quick: bool = False
    mine: list[str] = field(default_factory=list)  # the learner's functions that take part

    def filled(self) -> RestorationSettings:
        """Return the settings with the recipe's numbers where none were given."""
        if self.task not in TASKS or self.loss not in LOSSES:
            raise RunError(f"task must be one of {', '.join(TASKS)} and loss one of "
                           f"{', '.join(LOSSES)}; got {self.task!r} and {self.loss!r}")
        size, epochs, bs, lr = SMALL if self.encoder == "small" else LESSON
        epochs = max(epochs // QUICK // 2, 1) if self.quick else epochs
        filled = replace(self, size=given(self.size, size), epochs=given(self.epochs, epochs),
                         lr=given(self.lr, lr), bs=given(self.bs, bs))
        if filled.size < 32 or filled.epochs < 1 or filled.bs < 2 or not filled.lr > 0:
            raise RunError(f"size must be at least 32, epochs 1, bs 2 and lr above 0; got size "
                           f"{filled.size}, epochs {filled.epochs}, bs {filled.bs}, lr {filled.lr}")
        return filled

    def damage(self) -> Degrade:
        """Return what is done to the pictures, for the net to undo."""
        if self.task == "colorize":
            return data.degradation(size=None, quality=None, grey=True)
        return data.degradation(size=self.small, quality=self.quality, number=self.number)


def train_restoration(
    settings: RestorationSettings,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] = print,
    counting: Counting = nullcontext,
) -> tuple[RunFolder, dict[str, Any]]:
    """Train a U-Net to restore pictures and write the run folder.

    After each epoch figures/epoch-NN.png shows input, prediction and target. The result compares
    with bicubic interpolation. counting: makes a context that yields `progress` for `data.prepare`,
    or None. Other arguments, and what is returned and raised, as in `train_resnet`.
    """
    xp.use(settings.device)
    settings = settings.filled()
    with processes.in_turn():
        pairs = damaged_pairs(settings, say, counting)
        features = load_features(say=say) if settings.loss == "feature" else None
        encoder = make_encoder(settings.encoder, say)
    plan = stages(settings, encoder.pretrained or settings.start is not None)
    settings.epochs = sum(stage.epochs for stage in plan)
    folder = RunFolder(out) if out else RunFolder.fresh(f"{settings.task}-{settings.loss}")
    view = data.Views(settings.size, normalize=NORMALIZE, how=HOW)
    measure = partial(measured, pairs=pairs[1], view=view, features=features)

    def build(own: list[Callback]) -> Learner:
        learn = make_learner(settings, pairs, plan, features, own, encoder)
        learn.callbacks += [Stages(plan, learn.train, folder.path),
                            Strips(folder.figures, pairs[1], view, NORMALIZE)]
        return learn

    result = carry_out(folder, settings, resume, build, draw, callbacks, say, measure)
    return folder, result


def damaged_pairs(
    settings: RestorationSettings, say: Callable[[str], None], counting: Counting = nullcontext
) -> list[data.Prepared]:
    """Return (training, validation) pairs of damaged and original pictures; few if quick."""
    found = []
    for pictures in data.load_pictures(settings.data, say=say):
        chosen = pictures.select(range(len(pictures))[: FEW if settings.quick else None])
        with counting() as progress:
            found.append(data.prepare(chosen, settings.damage(), progress=progress))
        for line in reasons(found[-1].skipped):
            say(f"Left out: {line}")
    if len(found[0]) < settings.bs:
        raise RunError(f"--bs {settings.bs} is more than the {len(found[0])} pictures to train on; "
                       "give a smaller one")
    return found


def stages(settings: RestorationSettings, pretrained: bool) -> list[Stage]:
    """Return the parts of the training: the lesson's for a ResNet, one for the small encoder.

    The small encoder learns on pieces, at the resolution at which the whole pictures are validated.
    """
    def look(size: int, augment: data.Augment | None = None) -> data.Views:
        return data.Views(size, augment, NORMALIZE, how=HOW)

    size = settings.size
    if settings.encoder == "small":
        looks, pretrained = [Looks(look(size // 2, NEAR), look(size))], False
    else:
        zoomed = data.Augment(max_zoom=2.0)
        looks = [Looks(look(side, zoomed), look(side)) for side in (size // 2, size)]
    return lesson_stages(settings.epochs, settings.lr, settings.bs, looks, pretrained)


def make_model(settings: RestorationSettings, encoder: Encoder) -> nn.Module:
    """Build the U-Net: the small one learns what to change, the lesson's the whole picture."""
    if settings.encoder == "small":
        return unet(encoder.net, 3, residual=True)
    return unet(encoder.net, 3, norm="weight", blur=True)


def make_learner(
    settings: RestorationSettings, pairs: Sequence[data.Pairs], plan: Sequence[Stage],
    features: Features | None, callbacks: Sequence[Callback], encoder: Encoder | None = None,
) -> Learner:
    """Build the loaders, the model and the learner; all chance follows from the seed."""
    xp.manual_seed(settings.seed)
    if encoder is None or not encoder.pretrained:
        encoder = make_encoder(settings.encoder, lambda line: None)
    train = data.DataLoader(pairs[0], plan[0].batch_size, shuffle=True, drop_last=True,
                            batch_transform=plan[0].train)
    some = pairs[1].select(range(0, len(pairs[1]), -(-len(pairs[1]) // VALID)))
    valid = data.DataLoader(some, 8, seed=0, batch_transform=plan[0].valid)
    model = make_model(settings, encoder)
    if settings.start:
        start_from(model, settings.start)
    metrics = [on_pixels(metric, NORMALIZE) for metric in (psnr, ssim)]
    return Learner(model, train, valid, loss=features.loss() if features else F.mse_loss,
                   optimizer=optimizer, metrics=metrics, callbacks=callbacks)


def draw(learn: Learner) -> dict[str, Any]:
    """Return the run's figures by name; the strips of each epoch are there already."""
    return {"losses": viz.losses(learn), "metrics": viz.metrics(learn),
            "schedule": viz.schedules(learn)}


def measured(
    learn: Learner, pairs: data.Prepared, view: data.Views, features: Features | None
) -> dict[str, Any]:
    """Return what the result says beside the metrics."""
    about = {"features": features.about} if features else {}
    return about | compare(learn.model, pairs, view, features)


def load_restoration(path: str | Path) -> tuple[nn.Module, RestorationSettings]:
    """Return the model of a run as of its last checkpoint, and its settings.

    Raises RunError where there is none, or the run is of another kind.
    """
    folder = RunFolder(path)
    found = folder.settings()
    if found.get("task") not in TASKS:
        raise RunError(f"{folder.path} is no run that restores pictures; `train superres` or "
                       "`train colorize` makes one")
    if not folder.checkpoint.exists():
        raise RunError(f"{folder.path} has no checkpoint yet; train it first with --resume")
    settings = RestorationSettings(
        **{name: found[name] for name in RestorationSettings.__dataclass_fields__})
    with nn.init.skipped():
        model = make_model(settings, make_encoder(settings.encoder, lambda line: None))
    model.load_state_dict(read_checkpoint(folder.checkpoint)["model"])
    return model.eval(), settings
