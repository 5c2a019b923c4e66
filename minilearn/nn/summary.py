"""The table of a model's layers: what comes out of each, and how much there is to learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import xp
from ..op import no_grad
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter
from .tree import Tree


class LayerRow(NamedTuple):
    """One call of a layer: name in the model, class, shape of the output without the batch."""

    name: str
    kind: str
    output_shape: Any
    params: int
    trainable: bool


@dataclass
class Summary:
    """The rows of a summary and its totals; printing it shows the table."""

    rows: list[LayerRow]
    total_params: int
    trainable_params: int

    def __str__(self) -> str:
        cells = [("Layer", "Class", "Output shape", "Params", "Trainable")]
        cells += [(r.name, r.kind, _written(r.output_shape), f"{r.params:,}",
                   "" if not r.params else "yes" if r.trainable else "no") for r in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(text.rjust(w) if i == 3 else text.ljust(w)
                           for i, (text, w) in enumerate(zip(line, widths, strict=True))).rstrip()
                 for line in cells]
        rule = "-" * max(map(len, lines))
        frozen = self.total_params - self.trainable_params
        return "\n".join([lines[0], rule, *lines[1:], rule,
                          f"Total params: {self.total_params:,}",
                          f"Trainable params: {self.trainable_params:,}",
                          f"Non-trainable params: {frozen:,}"])

    __repr__ = __str__


def _written(shape: Any) -> str:
    return " ".join(map(_written, shape)) if isinstance(shape, list) else str(list(shape))


def summary(module: Module, input_shape: Any, *, dtype: Any = None) -> Summary:
    """Run a batch of one zero example through a module, and list its layers.

    input_shape: of one example, without the batch; a list of shapes for several inputs. dtype: of
    the inputs, by default that of the parameters; "int64" for an embedding. Nothing is changed.

    >>> from minilearn import nn
    >>> table = nn.summary(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (4,))
    >>> table.total_params, table.rows[1].output_shape
    (15, (3,))
    """
    shapes = input_shape if isinstance(input_shape, list) else [input_shape]
    kind = dtype or next((p.data.dtype for p in module.parameters()), "float32")
    inputs = [Tensor(xp.zeros((1, *size), kind)) for size in shapes]
    calls = _calls(module, inputs)
    called = {id(layer) for layer, _ in calls}
    names = {id(layer): name for name, layer in module.named_modules()}
    rows: list[LayerRow] = []
    counted: set[int] = set()
    for layer, shape in calls:
        own = _own_parameters(layer, called)
        if own or not any(id(below) in called for below in layer.modules() if below is not layer):
            new = {id(p): p.numel() for p in own if id(p) not in counted}
            counted |= new.keys()
            trainable = any(p.requires_grad for p in own)
            rows.append(LayerRow(names[id(layer)], type(layer).__name__, shape, sum(new.values()),
                                 trainable))
    sizes = [(p.numel(), p.requires_grad) for p in module.parameters()]
    return Summary(rows, sum(n for n, _ in sizes), sum(n for n, learnt in sizes if learnt))


def _calls(module: Module, inputs: list[Tensor]) -> list[tuple[Module, Any]]:
    """List each call of a layer with the shape of its output, in order of completion."""
    found: list[tuple[Module, Any]] = []
    layers = [layer for name, layer in module.named_modules()
              if "parametrizations" not in name.split(".")]  # these compute weights, not outputs
    handles = [layer.register_forward_hook(lambda m, _, y: found.append((m, _shape(y))))
               for layer in layers]
    modes = [(layer, layer.training) for layer in module.modules()]
    try:
        with no_grad():
            module.eval()(*inputs)
    finally:
        for layer, mode in modes:
            layer.training = mode
        for handle in handles:
            handle.remove()
    return found


def _shape(output: Any) -> Any:
    """Return the shape of one example, or a list of them for several outputs."""
    if isinstance(output, Tensor):
        return output.shape[1:]
    parts = output.values() if isinstance(output, dict) else output
    return [_shape(part) for part in parts if isinstance(part, Tensor | tuple | list | dict)]


def _own_parameters(layer: Tree, called: set[int]) -> list[Parameter]:
    """List the parameters of a layer and of those below it that are never called themselves."""
    own = list(layer.parameters(recurse=False))
    for child in layer.children():
        if id(child) not in called:
            own += _own_parameters(child, called)
    return own
