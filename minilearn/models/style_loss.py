"""The content of one picture in the style of another (Gatys et al. 2015, Johnson et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import functional as F
from .. import nn
from ..tensor import Tensor
from .perceptual import Perceptual
from .vgg_features import last_of_each_grid


class StyleLoss(Perceptual):
    """Return how far a picture is from the content of one and the style of another.

    content weight MSE(features) + style weight sum of MSE(gram matrices) + tv total variation.
    style: the picture (1, 3, H, W) whose style is wanted, of any size. names: the layers of the
    style, by default the last before each of the last four grid sizes; content: one of them, by
    default the third. tv: of squared differences, images counted from 0 to 255.
    before, layers: as for FeatureLoss. `parts` holds content, style_0, ..., tv. Source: Johnson et
    al. 2016 with VGG-16 (relu1_2, relu2_2, relu3_3, relu4_3; content relu3_3). Raises ValueError.
    """

    def __init__(
        self, layers: nn.Sequential, style: Tensor, names: Sequence[str] | None = None,
        content: str | None = None, *, content_weight: float = 1.0, style_weight: float = 5.0,
        tv: float = 1e-6, before: Callable[[Tensor], Tensor] | None = None,
    ):
        grids = last_of_each_grid(layers)[:4] if names is None else list(names)
        super().__init__(layers, grids, len(grids), before)
        self.content = self.names[min(2, len(grids) - 1)] if content is None else content
        if self.content not in self.names:
            raise ValueError(f"StyleLoss: content={content!r} is not among the layers that are "
                             f"looked at: {', '.join(self.names)}")
        self.content_weight, self.style_weight, self.tv = content_weight, style_weight, tv
        for i, found in enumerate(self.constant_features(style)):
            self.register_buffer(f"gram_{i}", F.gram_matrix(found), persistent=False)

    @property
    def part_names(self) -> list[str]:
        """The names of the parts, known before the first call."""
        return ["content", *(f"style_{i}" for i in range(len(self.names))), "tv"]

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """output, target (N, 3, H, W), the target being the picture with the content."""
        found, place = self.features(output), self.names.index(self.content)
        wanted = self.constant_features(target)[place]
        parts = [F.mse_loss(found[place], wanted) * self.content_weight]
        parts += [self._style(f, self.get_buffer(f"gram_{i}")) for i, f in enumerate(found)]
        # The paper's code adds the gradient of half the sum of squares, for each picture.
        roughness = F.total_variation(output * 255, 2, reduction="sum") / (2 * len(output))
        return self.total(dict(zip(self.part_names, [*parts, roughness * self.tv], strict=True)))

    def _style(self, features: Tensor, wanted: Tensor) -> Tensor:
        gram = F.gram_matrix(features)
        return F.mse_loss(gram, wanted.expand(gram.shape)) * self.style_weight
