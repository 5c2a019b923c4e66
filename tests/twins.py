"""A layer and torch's layer with the same weights, compared as functions of input and parameters.

    twins("Conv2d", 3, 4, 2, stride=2).agree(x)
"""

from __future__ import annotations

import against_torch
import numpy as np
import torch
from against_torch import agree, both_raise, close

from minilearn import nn


class Twins:
    """Two modules built alike; `theirs` hands its random weights to `ours`."""

    def __init__(self, name, *args, dtype="float64", **kwargs):
        self.ours = getattr(nn, name)(*_constants(args, 0), **_constants(kwargs, 0))
        self.theirs = getattr(torch.nn, name)(*_constants(args, 1), **_constants(kwargs, 1))
        self.name, self.dtype = name, dtype
        self.take_weights()

    def take_weights(self):
        """Draw torch's weights anew, check that names and shapes agree, and copy them over."""
        self.ours.to(self.dtype)
        self.theirs.to(dtype=getattr(torch, self.dtype), device=against_torch.TORCH_DEVICE)
        rng = np.random.default_rng(7)
        for p in self.theirs.parameters():
            p.data += torch.tensor(rng.standard_normal(tuple(p.shape)) * 0.3).to(p)
        mine, its = self.ours.state_dict(), self.theirs.state_dict()
        assert list(mine) == list(its), f"{self.name}: {list(mine)} against {list(its)}"
        for key in its:
            assert mine[key].shape == tuple(its[key].shape), key
            assert str(mine[key].dtype) == str(its[key].dtype).removeprefix("torch."), key
        report = self.ours.load_state_dict(its)
        assert not report.missing_keys and not report.unexpected_keys
        return self

    def train(self, mode=True):
        self.ours.train(mode)
        self.theirs.train(mode)
        return self

    def agree(self, *inputs, order=2, **options):
        """Compare outputs, all gradients and second derivatives, and the buffers left behind."""
        parameters = {k: v.detach().cpu().numpy() for k, v in self.theirs.named_parameters()}
        self.before = {k: b.data for k, b in self.ours.named_buffers()}
        with torch.backends.cudnn.flags(enabled=False):  # it cannot differentiate twice
            agree(self._ours, self._theirs, parameters, *inputs, order=order, **options)
        self.buffers_agree()

    def buffers_agree(self):
        theirs = dict(self.theirs.named_buffers())
        for name, buffer in self.ours.named_buffers():
            close(buffer, theirs[name], what=name)

    def refuse(self, *inputs, match=None):
        """Assert that both refuse these inputs."""
        return both_raise(self.ours, self.theirs, *inputs, match=match)

    def _ours(self, parameters, *inputs, **options):
        for name, buffer in self.ours.named_buffers():
            buffer.data = self.before[name]  # `agree` calls several times: always the first batch
        for name, value in parameters.items():
            path, _, leaf = name.rpartition(".")
            self.ours.get_submodule(path)._parameters[leaf] = value
        return self.ours(*inputs, **options)

    def _theirs(self, parameters, *inputs, **options):
        return torch.func.functional_call(self.theirs, parameters, inputs, options)


def twins(name, *args, **kwargs):
    """Build a layer here and in torch, with the same weights."""
    return Twins(name, *args, **kwargs)


def built_alike(name, *args, **kwargs):
    """Assert that both layers print the same, and return the pair."""
    pair = Twins(name, *args, **kwargs)
    assert repr(pair.ours) == repr(pair.theirs)
    return pair


def both_refuse(name, *args, match=None, **kwargs):
    """Assert that neither layer can be built from these arguments."""
    return both_raise(getattr(nn, name), getattr(torch.nn, name), *args, match=match, **kwargs)


def _constants(value, side):
    """Turn NumPy arrays among the arguments into constant tensors of one side."""
    if isinstance(value, np.ndarray):
        return (against_torch.ours, against_torch.theirs)[side](value)
    if isinstance(value, dict):
        return {k: _constants(v, side) for k, v in value.items()}
    return tuple(_constants(v, side) for v in value) if isinstance(value, tuple) else value
