"""The net that a feature loss looks through: the best whose weights are here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import data, models, nn, weights
from ..train import read_checkpoint
from .folder import RunError, RunFolder

VGGS = {"vgg16_bn": (16, True), "vgg16": (16, False), "vgg19": (19, False)}  # the best first
NORMALISED = "vgg19_normalised"
SUFFIXES = (".pth", ".safetensors")


@dataclass
class Features:
    """A net for `models.FeatureLoss(layers, before=before)` and the like.

    layers: by the paper's names, frozen. before: what the images of a training, normalised with
    `data.IMAGENET`, must pass first; None for nothing. about: what it was trained on, in words,
    for every result that depends on it.
    """

    layers: nn.Sequential
    before: Callable[[Any], Any] | None
    about: str


def load_features(
    source: str | Path = "auto", *, runs: str | Path = "runs", say: Callable[[str], None] = print
) -> Features:
    """Return the net for feature losses, and say which it is.

    source: a file of weights (torchvision's VGG-16 with or without batch norm or VGG-19, or the
    normalised VGG-19), the folder of a run of `pretrain vgg`, or "auto": the first of these in
    `data.data_home()/weights`, then the newest finished run in `runs`. What a file holds is told
    by its name. Raises RunError where there is none, and that of `weights.load_into` for weights
    of another net.
    """
    place = _found(Path(runs)) if source == "auto" else Path(source)
    if place is None:
        raise RunError("a feature loss needs a net that has learnt to see, and none is here: train "
                       "a small one with `minilearn pretrain vgg`, or put torchvision's "
                       f"vgg16_bn-....pth into {data.data_home() / 'weights'}")
    features = _from_run(place) if place.is_dir() else _from_file(place)
    features.layers.requires_grad_(False)
    features.layers.eval()
    say(f"Features: {features.about}.")
    return features


def _found(runs: Path) -> Path | None:
    home = data.data_home() / "weights"
    for name in (*VGGS, NORMALISED):
        for path in sorted(home.glob(f"{name}*")) if home.is_dir() else ():
            if kind_of(path) == name:
                return path
    finished = [path.parent for path in runs.glob("vgg-*/result.json")]
    return max(finished, key=lambda path: (path / "result.json").stat().st_mtime, default=None)


def kind_of(path: Path) -> str | None:
    """Return which net a file of weights is for, by its name: torchvision adds a checksum to it.

    >>> kind_of(Path("vgg16_bn-6c64b313.pth")), kind_of(Path("notes.txt"))
    ('vgg16_bn', None)
    """
    if path.name.startswith(NORMALISED) and path.suffix == ".npz":
        return NORMALISED
    name = path.stem.partition("-")[0]
    return name if name in VGGS and path.suffix in SUFFIXES else None


def _from_file(path: Path) -> Features:
    kind = kind_of(path)
    if kind is None:
        raise RunError(f"{path}: the name does not say which net it is for; expected a run's "
                       f"folder, {NORMALISED}....npz, or one of {', '.join(VGGS)} with the ending "
                       f"{' or '.join(SUFFIXES)}")
    if kind == NORMALISED:
        layers = models.vgg19_normalised(weights.load(path))
        return Features(layers, models.before_net(data.IMAGENET),
                        f"VGG-19 up to {models.last_of_each_grid(layers)[-1]}, normalised, trained "
                        f"on ImageNet ({path.name})")
    with nn.init.skipped():
        stack = models.vgg.feature_stack(*VGGS[kind])
    weights.load_into(stack, path, prefix="features.")
    return Features(models.named_layers(stack), None,
                    f"{kind} trained on ImageNet ({path.name})")


def _from_run(path: Path) -> Features:
    folder = RunFolder(path)
    settings, result = folder.settings(), folder.result()
    if not folder.checkpoint.exists():
        raise RunError(f"{path} has no checkpoint yet; run `minilearn pretrain vgg --resume` on it")
    with nn.init.skipped():
        stack = models.small_vgg().features
    weights.load_into(stack, read_checkpoint(folder.checkpoint)["model"], prefix="features.")
    seen = {"cifar10": "CIFAR-10", "photos": "crops of three photographs"}
    learnt = f", accuracy {result['accuracy']:.3f}" if result else ", not finished"
    return Features(models.named_layers(stack), None,
                    f"a small VGG trained on {seen.get(settings['data'], settings['data'])} only"
                    f"{learnt} ({path})")
