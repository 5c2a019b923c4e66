"""Segmentation with a U-Net: which class each pixel is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import data, viz, xp
from ..functional.pictures import overlaps
from ..models import unet
from ..train import Callback, Learner, Stage, Stages, dice, iou, pixel_accuracy
from ..train.pictures import labels_of
from .folder import RunError, RunFolder
from .run import QUICK, carry_out, given
from .strips import Strips
from .unets import Encoder, Looks, lesson_stages, make_encoder, optimizer

#                                      size, epochs, batch size, largest learning rate
NUMBERS = {"small": (64, 24, 8, 5e-3), "resnet": (128, 20, 16, 3e-3)}
WIDTHS = (8, 16, 32)  # of the small encoder
SHAPES = 400  # generated pictures


@dataclass
class SegmentSettings:
    """What can be chosen; what is left None is filled in for the encoder.

    data: "auto" and "shapes" are generated pictures; "pets"; or a folder that holds `images` and
    `masks` of the same names. skips: False leaves out what the encoder hands across.
    """

    data: str = "auto"
    size: int | None = None
    encoder: str = "small"
    skips: bool = True
    epochs: int | None = None
    lr: float | None = None
    bs: int | None = None
    seed: int = 1
    device: str = "numpy"
    quick: bool = False
    mine: list[str] = field(default_factory=list)  # the learner's functions that take part

    def filled(self) -> SegmentSettings:
        """Return the settings with the recipe's numbers where none were given."""
        size, epochs, bs, lr = NUMBERS["small" if self.encoder == "small" else "resnet"]
        epochs = max(epochs // QUICK, 1) if self.quick else epochs
        filled = replace(self, size=given(self.size, size), epochs=given(self.epochs, epochs),
                         lr=given(self.lr, lr), bs=given(self.bs, bs))
        if filled.size < 32 or filled.epochs < 1 or filled.bs < 2 or not filled.lr > 0:
            raise RunError(f"size must be at least 32, epochs 1, bs 2 and lr above 0; got size "
                           f"{filled.size}, epochs {filled.epochs}, bs {filled.bs}, lr {filled.lr}")
        return filled


def train_segment(
    settings: SegmentSettings,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] = print,
) -> tuple[RunFolder, dict[str, Any]]:
    """Train a U-Net to name the class of each pixel and write the run folder.

    Arguments, and what is returned and raised, as in `train_resnet`.
    """
    xp.use(settings.device)
    settings = settings.filled()
    pairs, classes = masked_pictures(settings, say)
    encoder = make_encoder(settings.encoder, say, widths=WIDTHS)
    views = [data.Views(settings.size, augment, data.IMAGENET)
             for augment in (data.Augment(), None)]
    plan = lesson_stages(settings.epochs, settings.lr, settings.bs, [Looks(*views)],
                         encoder.pretrained)
    settings.epochs = sum(stage.epochs for stage in plan)
    folder = RunFolder(out) if out else RunFolder.fresh("segment" if settings.skips else
                                                        "segment-without-skips")

    def build(own: list[Callback]) -> Learner:
        learn = make_learner(settings, pairs, classes, plan, own, encoder)
        learn.callbacks += [Stages(plan, learn.train, folder.path),
                            Strips(folder.figures, pairs[1], views[1], data.IMAGENET, shown)]
        return learn

    result = carry_out(folder, settings, resume, build, draw, callbacks, say,
                       lambda learn: class_ious(learn, classes))
    return folder, result


def masked_pictures(
    settings: SegmentSettings, say: Callable[[str], None]
) -> tuple[list[data.Pairs], list[str]]:
    """Return (training, validation) pictures with masks, and the names of the classes."""
    if settings.data in ("auto", "shapes"):
        say("Data: shapes on textured ground, generated.")
        count = SHAPES // QUICK if settings.quick else SHAPES
        pairs, classes = data.shapes(count), list(data.SHAPE_CLASSES)
    elif settings.data == "pets":
        pairs, classes = data.pets_masks(), ["pet", "background", "border"]
    else:
        folder = Path(settings.data)
        pairs = data.Pairs.by_name(data.Pictures(folder / "images"), data.Masks(folder / "masks"))
        highest = max(int(mask.max()) for _, mask in pairs)
        classes = [f"class {number}" for number in range(highest + 1)]
    train, valid = data.split_pictures(pairs)
    if len(train) < settings.bs:
        raise RunError(f"--bs {settings.bs} is more than the {len(train)} pictures to train on; "
                       "give a smaller one")
    return [train, valid], classes


def make_learner(
    settings: SegmentSettings, pairs: Sequence[data.Pairs], classes: Sequence[str],
    plan: Sequence[Stage], callbacks: Sequence[Callback], encoder: Encoder,
) -> Learner:
    """Build the loaders, the model and the learner; all chance follows from the seed."""
    xp.manual_seed(settings.seed)
    if not encoder.pretrained:
        encoder = make_encoder(settings.encoder, lambda line: None, widths=WIDTHS)
    train = data.DataLoader(pairs[0], plan[0].batch_size, shuffle=True, drop_last=True,
                            batch_transform=plan[0].train)
    valid = data.DataLoader(pairs[1], 16, seed=0, batch_transform=plan[0].valid)
    model = unet(encoder.net, len(classes), skips=settings.skips)
    return Learner(model, train, valid, optimizer=optimizer, callbacks=callbacks,
                   metrics=[pixel_accuracy, iou, dice])


def class_ious(learn: Learner, classes: Sequence[str]) -> dict[str, Any]:
    """Return the IoU of each class over all validation pixels together, and their mean.

    It is what segmentation is usually judged by. The metric `iou` is a mean over images, in which
    one stray pixel of a class that is not there costs as much as a class that was missed.
    """
    counts = [overlaps(labels_of(output)[0], target, len(classes))
              for output, target in learn.outputs()]
    both, sizes = (np.sum([xp.to_numpy(count[i].data).sum(0) for count in counts], axis=0)
                   for i in (0, 1))
    shares = {name: float(part / (size - part)) for name, part, size
              in zip(classes, both, sizes, strict=True) if size}
    return {"classes": list(classes), "class_iou": shares,
            "mean_iou": sum(shares.values()) / len(shares)}


def shown(masks: Any) -> np.ndarray:
    """Return images of masks (N, H, W), or of scores (N, classes, H, W)."""
    if masks.ndim == 4:
        masks = xp.to_numpy(labels_of(masks)[0].data)
    return viz.coloured(masks)



def draw(learn: Learner) -> dict[str, Any]:
    """Return the run's figures by name; the strips of each epoch are there already."""
    return {"losses": viz.losses(learn), "metrics": viz.metrics(learn)}
