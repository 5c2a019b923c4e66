"""Style transfer: a net that paints any picture in the style of one (Johnson et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import data, nn, processes, viz, xp
from ..models import style_net
from ..optim import Adam
from ..tensor import Tensor
from ..train import Callback, Learner, OneCycle, read_checkpoint
from .features import Features, load_features
from .folder import RunError, RunFolder
from .run import QUICK, carry_out, given
from .strips import Strips

#                                  size, epochs, batch size, largest learning rate
NUMBERS: tuple[int, int, int, float] = (128, 8, 4, 3e-3)
FEW = 32  # pictures, with --quick
WIDTHS, BLOCKS = (16, 32, 64), 3  # half of the paper's width: for two cores
NEAR = data.Augment(max_rotate=0, max_warp=0, max_lighting=0, max_zoom=2)


@dataclass
class StyleSettings:
    """What can be chosen; what is left None is filled in.

    style: the picture whose style is wanted. style_weight: against the content, by default what
    suits the net that looks. upsample: see `models.style_net`.
    """

    style: str = ""
    task: str = "style"
    data: str = "auto"
    size: int | None = None
    style_weight: float | None = None
    upsample: str = "nearest"
    epochs: int | None = None
    lr: float | None = None
    bs: int | None = None
    seed: int = 1
    device: str = "numpy"
    quick: bool = False
    mine: list[str] = field(default_factory=list)  # the learner's functions that take part

    def filled(self) -> StyleSettings:
        """Return the settings with the recipe's numbers where none were given."""
        size, epochs, bs, lr = NUMBERS
        epochs = max(epochs // QUICK, 1) if self.quick else epochs
        filled = replace(self, size=given(self.size, size), epochs=given(self.epochs, epochs),
                         lr=given(self.lr, lr), bs=given(self.bs, bs))
        if filled.size < 64 or filled.epochs < 1 or filled.bs < 1 or not filled.lr > 0:
            raise RunError(f"size must be at least 64, epochs and bs 1 and lr above 0; got size "
                           f"{filled.size}, epochs {filled.epochs}, bs {filled.bs}, lr {filled.lr}")
        return filled


def train_style(
    settings: StyleSettings,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] = print,
) -> tuple[RunFolder, dict[str, Any]]:
    """Train a net to paint in the style of a picture and write the run folder.

    After each epoch figures/epoch-NN.png shows pictures, and the same painted. Arguments, and what
    is returned and raised, as in `train_resnet`.
    """
    xp.use(settings.device)
    settings = settings.filled()
    style = style_image(settings)
    with processes.in_turn():
        sets = [readable(pictures, FEW if settings.quick else None, say)
                for pictures in data.load_pictures(settings.data, say=say)]
        features = load_features(say=say)
    folder = RunFolder(out) if out else RunFolder.fresh(f"style-{Path(settings.style).stem}")
    view = data.Views(settings.size)

    def build(own: list[Callback]) -> Learner:
        learn = make_learner(settings, sets, features, style, own)
        titles = ("Picture", "Painted", "Style")
        learn.callbacks.append(Strips(folder.figures, Styled(sets[1], style), view, titles=titles))
        return learn

    result = carry_out(folder, settings, resume, build, draw, [OneCycle(settings.lr), *callbacks],
                       say, lambda learn: {"features": features.about})
    return folder, result


class Styled(data.Pairs):
    """Pictures, and beside each the picture of the style, to be looked at."""

    def __init__(self, pictures: data.Pictures, style: np.ndarray) -> None:
        super().__init__(pictures, data.Pictures.of([data.to_picture(style)] * len(pictures)))

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        return tuple(column[index] for column in self.columns)


def style_image(settings: StyleSettings) -> np.ndarray:
    """Return the picture of the style as an image (3, H, W), its shorter side that of the images.

    Raises RunError where none was named, DataError where it cannot be read.
    """
    if not settings.style:
        raise RunError("whose style? Name a picture with --style")
    return data.to_image(data.resize_picture(data.read_picture(settings.style), settings.size))


def readable(
    pictures: data.Pictures, count: int | None, say: Callable[[str], None]
) -> data.Pictures:
    """Return the first so many pictures, without those that turn out to be broken."""
    good = []
    for place in range(len(pictures))[:count]:
        try:
            pictures[place]
            good.append(place)
        except data.DataError as error:
            say(f"Left out: {error}")
    return pictures.select(good)


def make_model(settings: StyleSettings) -> nn.Module:
    """Build the net, half as wide as the paper's."""
    return style_net(WIDTHS, BLOCKS, upsample=settings.upsample)


def make_learner(
    settings: StyleSettings, sets: Sequence[data.Pictures], features: Features, style: np.ndarray,
    callbacks: Sequence[Callback],
) -> Learner:
    """Build the loaders, the model and the learner; all chance follows from the seed."""
    xp.manual_seed(settings.seed)
    pairs = [data.Pairs(pictures, pictures) for pictures in sets]  # the target is the content
    if len(pairs[0]) < settings.bs or not len(pairs[1]):
        raise RunError(f"{len(pairs[0])} pictures to train on and {len(pairs[1])} to validate: too "
                       f"few for --bs {settings.bs}; give a smaller one, or more pictures")
    train, valid = data.pair_loaders(pairs[0], pairs[1], settings.size, settings.bs, augment=NEAR)
    changes = {} if settings.style_weight is None else {"style_weight": settings.style_weight}
    loss = features.style_loss(Tensor(xp.array(style[None])), **changes)
    return Learner(make_model(settings), train, valid, loss=loss, optimizer=Adam, metrics=(),
                   callbacks=callbacks)


def draw(learn: Learner) -> dict[str, Any]:
    """Return the run's figures by name; the strips of each epoch are there already."""
    return {"losses": viz.losses(learn), "metrics": viz.metrics(learn)}


def load_style(path: str | Path) -> tuple[nn.Module, StyleSettings]:
    """Return the model of a run as of its last checkpoint, and its settings; RunError."""
    folder = RunFolder(path)
    found = folder.settings()
    if not folder.checkpoint.exists():
        raise RunError(f"{folder.path} has no checkpoint yet; train it first with --resume")
    settings = StyleSettings(**{name: found[name] for name in StyleSettings.__dataclass_fields__})
    model = make_model(settings)
    model.load_state_dict(read_checkpoint(folder.checkpoint)["model"])
    return model.eval(), settings
