"""How good a restoration is, beside bicubic interpolation of the same pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .. import data, nn
from .. import functional as F
from ..op import no_grad
from ..tensor import Tensor
from ..train import Average, on_pixels, psnr, ssim
from .features import Features

BATCH = 4  # pictures at once: more need more memory, and are no faster


@dataclass
class _Sums:
    """Squared errors inside and outside the boxes of marks."""

    sums: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, images: Tensor, target: Tensor, mask: Tensor) -> None:
        """Add the error of a batch, normalised images (N, 3, H, W), mask (N, H, W)."""
        pixels = [F.denormalize(t, data.IMAGENET.mean, data.IMAGENET.std).clamp(0, 1)
                  for t in (images, target)]
        error = ((pixels[0] - pixels[1]) ** 2).mean(1) * mask.float()
        self.sums[name] = self.sums.get(name, 0.0) + error.sum().item()


def compare(
    model: nn.Module, pairs: data.Pairs, view: data.Views, features: Features | None = None
) -> dict[str, float]:
    """Return the means over all pictures of what the net and bicubic interpolation reach.

    pairs: damaged and original pictures, from `data.prepare`. view: makes images of them,
    normalised with `data.IMAGENET`. `psnr` in dB and `ssim` are the net's, bicubic_psnr and
    bicubic_ssim those of the input enlarged; with features also feature_distance and
    bicubic_feature_distance, and, where marks were written, box_error_cut: by which share the net
    cuts the squared error inside their boxes.
    """
    metrics: dict[str, Callable] = {"psnr": on_pixels(psnr, data.IMAGENET),
                                    "ssim": on_pixels(ssim, data.IMAGENET)}
    if features is not None:
        metrics["feature_distance"] = features.distance()
    bicubic = data.Views(view.size, None, view.normalize, how="bicubic")
    marked = isinstance(pairs, data.Prepared) and any(pairs.boxes)
    items = pairs.with_boxes() if marked else pairs
    loaders = [data.DataLoader(items, BATCH, seed=0, batch_transform=v) for v in (view, bicubic)]
    means = {f"{prefix}{name}": Average(metric) for prefix in ("", "bicubic_")
             for name, metric in metrics.items()}
    boxes = _Sums()
    model.eval()
    with no_grad():
        for (x, y, *mask), (enlarged, *_) in zip(*loaders, strict=True):
            output = model(x)
            for name, mean in means.items():
                mean.add(enlarged if name.startswith("bicubic_") else output, y)
            for m in mask:
                boxes.add("input", x, y, m)
                boxes.add("output", output, y, m)
    found = {name: mean.value for name, mean in means.items()}
    if boxes.sums.get("input"):
        found["box_error_cut"] = 1 - boxes.sums["output"] / boxes.sums["input"]
    return found
