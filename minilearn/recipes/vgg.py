"""A small VGG trained from nothing, for feature losses where no weights can be had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import data, processes, viz, xp
from ..models import small_vgg
from ..train import Callback, Interpretation, Learner, OneCycle
from .folder import RunError, RunFolder
from .run import QUICK, adam, carry_out, given

SETS = ("auto", "cifar10", "photos")
#                   epochs, batch size, largest learning rate
NUMBERS = {"cifar10": (12, 64, 5e-3), "photos": (12, 64, 5e-3)}
SIDE = 32  # of an image, in pixels
PLACE, STEP = 64, 8  # of a place in a photograph, and between the crops of it


@dataclass
class VggSettings:
    """What can be chosen; what is left None is filled in for the data."""

    data: str = "auto"
    epochs: int | None = None
    lr: float | None = None
    bs: int | None = None
    seed: int = 1
    device: str = "numpy"
    quick: bool = False
    mine: list[str] = field(default_factory=list)  # the learner's functions that take part

    def filled(self, dataset: str) -> VggSettings:
        """Return the settings with the recipe's numbers where none were given."""
        epochs, bs, lr = NUMBERS[dataset]
        epochs = max(epochs // QUICK, 1) if self.quick else epochs
        filled = VggSettings(dataset, given(self.epochs, epochs), given(self.lr, lr),
                             given(self.bs, bs), self.seed, self.device, self.quick, self.mine)
        if filled.epochs < 1 or filled.bs < 2 or not filled.lr > 0:
            raise RunError(f"epochs must be at least 1, bs at least 2 and lr above 0; got epochs "
                           f"{filled.epochs}, bs {filled.bs}, lr {filled.lr}")
        return filled


def pretrain_vgg(
    settings: VggSettings,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] = print,
) -> tuple[RunFolder, dict[str, Any]]:
    """Train `models.small_vgg` to classify, and write the run folder, for `load_features`.

    On CIFAR-10 where it is; else on crops of the offline photographs: the net learns to tell from
    which place in which photograph one is (Dosovitskiy et al. 2014). Arguments and result are
    `train_resnet`'s.
    """
    xp.use(settings.device)
    with processes.in_turn():
        sets = labelled(settings.data, say)
    settings = settings.filled(sets[0].name)
    folder = RunFolder(out) if out else RunFolder.fresh(f"vgg-{settings.data}")

    def build(own: list[Callback]) -> Learner:
        xp.manual_seed(settings.seed)
        train, valid = loaders(*sets, settings.bs)
        model = small_vgg(len(sets[0].classes))
        return Learner(model, train, valid, optimizer=adam, callbacks=own)

    def draw(learn: Learner) -> dict[str, Any]:
        found = Interpretation.of(learn)
        return {"losses": viz.losses(learn), "metrics": viz.metrics(learn),
                "top_losses": viz.top_losses(found)}

    result = carry_out(folder, settings, resume, build, draw,
                       [OneCycle(settings.lr), *callbacks], say)
    return folder, result


def labelled(name: str, say: Callable[[str], None]) -> tuple[data.Images, data.Images]:
    """Return (training, validation) images of 32 pixels with classes: "cifar10" or "photos".

    "auto" takes CIFAR-10 where it is, and says which it was.
    """
    if name not in SETS:
        raise RunError(f"unknown data {name!r}; there are {', '.join(SETS)}")
    if name == "photos":
        return photo_places()
    try:
        found = data.cifar10()
    except data.MissingDataError:
        if name == "cifar10":
            raise
        say("Data: no CIFAR-10 here, so crops of the offline photographs: the net will know "
            "colours and textures, not things.")
        return photo_places()
    if name == "auto":
        say(f"Data: cifar10, found in {data.data_home() / 'cifar10'}.")
    return found


def photo_places() -> tuple[data.Images, data.Images]:
    """Return crops of the offline photographs, each labelled with the place that it is from.

    The photographs are cut into squares of 64 pixels, the classes. Training crops of 32 pixels lie
    in each at every 8th pixel, validation crops half-way between: no crop is in both, but many a
    pixel is.
    """
    tiles, _ = data.photos(PLACE)
    chosen = [tiles[i] for i, name in enumerate(tiles.names)
              if all(int(at) % PLACE == 0 for at in name.split("-")[-2:])]  # no two overlap
    pixels = np.stack(chosen).transpose(0, 3, 1, 2)
    names = [f"place {i}" for i in range(len(pixels))]
    train, valid = (crops(pixels, range(first, PLACE - SIDE + 1, STEP)) for first in (0, STEP // 2))
    return (data.Images(*train, names, name="photos"), data.Images(*valid, names, name="photos"))


def crops(pixels: np.ndarray, offsets: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Cut squares of SIDE at all pairs of offsets, and label each with the image it is from."""
    cut = [pixels[:, :, top : top + SIDE, left : left + SIDE]
           for top in offsets for left in offsets]
    return np.concatenate(cut), np.tile(np.arange(len(pixels)), len(cut))


def loaders(
    train: data.Images, valid: data.Images, bs: int
) -> tuple[data.DataLoader, data.DataLoader]:
    """Return the loaders: normalised as for torchvision's nets, so that these can take its place.

    Training images are moved by up to 4 pixels, and mirrored.
    """
    if len(train) < bs:
        raise RunError(f"--bs {bs} is more than the {len(train)} images; give a smaller one")
    augment: list[Any] = [data.RandomPadCrop(4, SIDE), data.RandomHorizontalFlip()]
    training = data.DataLoader(train, bs, shuffle=True, drop_last=True,
                               batch_transform=data.on_inputs(*augment, data.IMAGENET))
    validation = data.DataLoader(valid, 4 * bs, batch_transform=data.on_inputs(data.IMAGENET),
                                 seed=0)
    return training, validation
