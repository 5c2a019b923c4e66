"""The lesson on residual nets: blocks that keep their input, and nets written down as lists."""

from __future__ import annotations

from typing import Any

from .. import nn
from ..tensor import Tensor
from .table import Functions, Swap, adapter, primitive

Layers = list[tuple[str, dict[str, Any]]]  # pairs of a kind and its settings


@adapter("residual")
def _residual(mine: Functions) -> list[Swap]:
    def add(input: Any, orig: Any) -> Any:
        return mine["residual"](orig, lambda _: input)

    own = nn.MergeLayer.forward
    op = primitive(add, lambda input, orig: input + orig)

    def forward(self: nn.MergeLayer, input: Tensor, orig: Tensor) -> Tensor:
        return own(self, input, orig) if self.dense else op(input, orig)

    return [(nn.MergeLayer, {"forward": forward})]


@adapter("dense_block")
def _dense_block(mine: Functions) -> list[Swap]:
    def join(input: Any, orig: Any) -> Any:
        return mine["dense_block"](orig, [lambda _: input])

    own = nn.MergeLayer.forward
    op = primitive(join, lambda input, orig: own(nn.MergeLayer(dense=True), input, orig))

    def forward(self: nn.MergeLayer, input: Tensor, orig: Tensor) -> Tensor:
        return op(input, orig) if self.dense else own(self, input, orig)

    return [(nn.MergeLayer, {"forward": forward})]


# ---------------------------------------------------------------- nets as lists

@adapter("conv_layer")
def _conv_layer(mine: Functions) -> list[Swap]:
    own = nn.conv_layer.function

    def conv_layer(ni: int, nf: int, ks: int = 3, stride: int = 1, *more: Any,
                   norm: str | None = "batch", use_activ: bool = True, **options: Any) -> Any:
        if more or options or norm not in ("batch", "batch_zero", None):
            return own(ni, nf, ks, stride, *more, norm=norm, use_activ=use_activ, **options)
        return _built(mine["conv_layer"](ni, nf, ks, stride, norm, use_activ))

    return [(nn.conv_layer, {"function": conv_layer})]


@adapter("res_block")
def _res_block(mine: Functions) -> list[Swap]:
    own = nn.res_block.function

    def res_block(nf: int, dense: bool = False, norm: str | None = "batch", bottle: bool = False,
                  **options: Any) -> Any:
        if options or norm not in ("batch", "batch_zero", None):
            return own(nf, dense, norm, bottle, **options)
        kind, settings = mine["res_block"](nf, dense, bottle, norm)
        layers = settings["layers"]
        second = [kind for kind, _ in layers].index("conv", 1)
        return nn.SequentialEx(_built(layers[:second]), _built(layers[second:]),
                               nn.MergeLayer(kind == "dense"))

    return [(nn.res_block, {"function": res_block})]


@adapter("identity_init")
def _identity_init(mine: Functions) -> list[Swap]:
    own = nn.res_block.function

    def res_block(nf: int, dense: bool = False, norm: str | None = "batch", bottle: bool = False,
                  **options: Any) -> Any:
        if options or norm != "batch_zero":
            return own(nf, dense, norm, bottle, **options)
        block = own(nf, dense, "batch", bottle)
        parameters = _named(block)
        arrays = mine["identity_init"]({name: p.data for name, p in parameters.items()})
        for name, parameter in parameters.items():
            parameter.data = arrays[name]
        return block

    return [(nn.res_block, {"function": res_block})]


def _built(layers: Layers) -> nn.Sequential:
    """Make the layers that a list of pairs describes."""
    return nn.Sequential(*(BUILD[kind](**settings) for kind, settings in layers))


def _conv(ni: int, nf: int, ks: int, **settings: Any) -> nn.Module:
    return nn.init_default(nn.Conv2d(ni, nf, ks, **settings))


def _batch_norm(nf: int, weight: float) -> nn.Module:
    norm = nn.BatchNorm2d(nf)
    nn.init.constant_(norm.weight, weight)
    return norm


BUILD = {"conv": _conv, "relu": nn.ReLU, "batch_norm": _batch_norm}


def _named(block: nn.Module) -> dict[str, nn.Parameter]:
    """Name a block's parameters as the lesson does: conv1.weight, norm1.weight, norm1.bias, ..."""
    return {f"{'conv' if isinstance(layer, nn.Conv2d) else 'norm'}{number}.{name}": parameter
            for number, part in enumerate(list(block)[:2], 1)
            for layer in part for name, parameter in layer.named_parameters()}
