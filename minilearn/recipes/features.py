"""The net that a feature loss looks through: the best whose weights are here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import data, models, nn, weights
from .. import functional as F
from ..train import read_checkpoint
from .folder import RunError, RunFolder

VGGS = {"vgg16_bn": (16, True), "vgg16": (16, False), "vgg19": (19, False)}  # the best first
NORMALISED = "vgg19_normalised"
SUFFIXES = (".pth", ".safetensors")
# How the parts of a feature loss, and of a style loss, are weighed. The first is the lesson's, for
# a VGG with batch norm; a style weighs 5 in the paper, whose net is fed with 0 to 255, and far more
# where gram matrices are of numbers around 1. The activations of the normalised VGG average 1:
# there features and gram matrices weigh about the same, and both more than pixels.
LESSON: dict[str, Any] = {"weights": (5, 15, 2), "gram": 5e3}
LESSON_STYLE = {"style_weight": 1e5, "tv": 1e-8}
FOR_NORMALISED: dict[str, Any] = {"weights": (0.5, 0.5, 0.5), "gram": 100.0}
STYLE_FOR_NORMALISED = {"style_weight": 3e4, "tv": 1e-8}


@dataclass
class Features:
    """A net for `models.FeatureLoss(layers, before=before)` and the like.

    layers: by the paper's names, frozen. before: what the images of a training, normalised with
    `data.IMAGENET`, must pass first; None for nothing. about: what it was trained on, in words,
    for every result that depends on it. scales, style: further arguments of a FeatureLoss and of a
    StyleLoss through it.
    """

    layers: nn.Sequential
    before: Callable[[Any], Any] | None
    about: str
    scales: dict[str, Any] = field(default_factory=lambda: LESSON)
    style: dict[str, float] = field(default_factory=lambda: LESSON_STYLE)

    def loss(self) -> models.FeatureLoss:
        """Return the feature loss through this net."""
        return models.FeatureLoss(self.layers, before=self.before, **self.scales)

    def style_loss(self, style: Any, **changes: Any) -> models.StyleLoss:
        """Return the style loss through this net, for images in [0, 1]; style (1, 3, H, W)."""
        return models.StyleLoss(self.layers, style, before=self.of_pixels, **self.style | changes)

    def of_pixels(self, images: Any) -> Any:
        """Return what the net expects, of images (N, 3, H, W) in [0, 1]."""
        mean, std = data.IMAGENET.mean, data.IMAGENET.std
        back = [-m / s for m, s in zip(mean, std, strict=True)], [1 / s for s in std]
        images = F.denormalize(images, *back)
        return images if self.before is None else self.before(images)

    def distance(self) -> models.FeatureDistance:
        """Return the metric through this net."""
        return models.FeatureDistance(self.layers, before=self.before)


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
                        f"on ImageNet ({path.name})", FOR_NORMALISED, STYLE_FOR_NORMALISED)
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
