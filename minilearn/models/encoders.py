"""Encoders: the part of a classifier that looks, without the part that decides."""

from __future__ import annotations

from .. import nn

HEADS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveConcatPool2d, nn.PoolFlatten,
         nn.Linear)


def encoder_of(model: nn.Module, cut: int | None = None) -> nn.Sequential:
    """Return the children of a classifier up to its head, sharing their weights.

    cut: how many children to keep; by default all before the first that pools to a fixed size. A
    model whose scores are only flattened loses the layer of scores too.
    Raises ValueError where nothing is left.

    >>> from minilearn import models
    >>> len(encoder_of(models.resnet18(init_weights=False))), len(encoder_of(models.resnet()))
    (8, 8)
    """
    features = dict(model.named_children()).get("features")
    if cut is None and isinstance(features, nn.Sequential):  # VGG
        return features
    kept = list(model.children())[: _head(model) if cut is None else cut]
    if not kept:
        raise ValueError(f"encoder_of: nothing is left of {type(model).__name__} with cut={cut}; "
                         "give the number of children to keep, or a Sequential of the layers")
    return nn.Sequential(*kept)


def _head(model: nn.Module) -> int | None:
    for i, layer in enumerate(model.children()):
        if isinstance(layer, HEADS):
            return i
        if isinstance(layer, nn.Flatten):
            return max(i - 1, 0)
    return None


def small_encoder(
    widths: tuple[int, ...] = (16, 32, 64, 128), channels: int = 3, blocks: int = 1,
    stride: int = 1,
) -> nn.Sequential:
    """Return a residual encoder for two cores: one stage for each width, each half as large.

    stride: of the first stage; 1 keeps the size of the image, 2 is a good deal faster. A stage is
    a `conv_layer` and `blocks` blocks that start as the identity.
    (N, channels, H, W) -> (N, widths[-1], H / (stride 2^(stages - 1)), ...).
    """
    layers: list[nn.Module] = []
    ni = channels
    for i, nf in enumerate(widths):
        layers.append(nn.conv_layer(ni, nf, stride=stride if i == 0 else 2))
        layers += [nn.res_block(nf, norm="batch_zero") for _ in range(blocks)]
        ni = nf
    return nn.Sequential(*layers)
