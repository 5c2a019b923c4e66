"""What the trainings of U-Nets share: encoders with their weights, and stages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from .. import data, models, nn, weights
from ..optim import AdamW
from ..train import Stage, read_checkpoint
from .folder import RunError, RunFolder

ENCODERS = ("small", "resnet18", "resnet34")
WIDTHS = (32, 64, 128)  # of the small encoder, whose grids are a half, a quarter, an eighth
optimizer = partial(AdamW, betas=(0.9, 0.99), eps=1e-8, weight_decay=1e-3)  # as in lesson 7


class Encoder(NamedTuple):
    """An encoder, and whether it has learnt to see before."""

    net: nn.Module
    pretrained: bool


def make_encoder(
    name: str, say: Callable[[str], None] = print, stride: int = 2, widths: Any = WIDTHS
) -> Encoder:
    """Return an encoder by name; torchvision's weights are loaded where they are.

    Weights are looked for in `data.data_home()/weights`, as resnet34-....pth or .safetensors; say
    is told which they are, or that there are none. stride, widths: of the small encoder.
    Raises RunError for an unknown name.
    """
    if name not in ENCODERS:
        raise RunError(f"unknown encoder {name!r}; there are {', '.join(ENCODERS)}")
    if name == "small":
        return Encoder(models.small_encoder(widths, stride=stride), False)
    net = getattr(models, name)()
    found = weight_file(name)
    if found is None:
        say(f"Encoder: {name} from random weights; torchvision's {name}-....pth in "
            f"{data.data_home() / 'weights'} would give a better start.")
    else:
        weights.load_into(net, found)
        say(f"Encoder: {name} trained on ImageNet ({found.name}).")
    return Encoder(net, found is not None)


def weight_file(name: str) -> Path | None:
    """Return torchvision's file of a net's weights, or None."""
    home = data.data_home() / "weights"
    files = sorted(home.glob(f"{name}*")) if home.is_dir() else []
    return next((file for file in files if file.stem.partition("-")[0] == name
                 and file.suffix in (".pth", ".safetensors")), None)


def start_from(model: nn.Module, run: str | Path) -> None:
    """Load the weights of another run into a model; RunError where they do not fit."""
    folder = RunFolder(run)
    folder.settings()
    if not folder.checkpoint.exists():
        raise RunError(f"{folder.path} has no checkpoint yet; train it first with --resume")
    try:
        model.load_state_dict(read_checkpoint(folder.checkpoint)["model"])
    except RuntimeError as error:
        raise RunError(f"the weights of {folder.path} do not fit this model; start from a run with "
                       f"the same --encoder ({error})") from error


class Looks(NamedTuple):
    """The `batch_transform` of each of the two loaders."""

    train: data.Views
    valid: data.Views


def lesson_stages(
    epochs: int, lr: float, bs: int, looks: list[Looks], pretrained: bool
) -> list[Stage]:
    """Return the lesson's stages, one or two for each size of the images, small ones first.

    A pretrained encoder first stays frozen, then all learns, the encoder at smaller rates. For the
    next size batch and rates get smaller. epochs: in all, shared between the stages, each of which
    has at least one.
    """
    parts: list[Callable[[int], Stage]] = []
    for place, (train, valid) in enumerate(looks):
        rate, some = lr / 10**place, {"batch_size": max(bs // 3**place, 2), "train": train,
                                      "valid": valid}
        if pretrained:
            parts.append(partial(Stage, lr=slice(rate), frozen=True, pct_start=0.9, **some))
        all_of_it = slice(rate / 1000, rate / 10) if pretrained else rate
        parts.append(partial(Stage, lr=all_of_it, **some))
    share, rest = divmod(max(epochs, len(parts)), len(parts))
    return [part(share + (place < rest)) for place, part in enumerate(parts)]
