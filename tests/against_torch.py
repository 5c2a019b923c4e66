"""Compare a function of minilearn with torch's: values, gradients, gradients of gradients, errors.

    agree(ml.exp, torch.exp, x)                  # x: a NumPy array
    agree(F.conv2d, torch_F.conv2d, x, w, stride=2)
    both_raise(F.conv2d, torch_F.conv2d, x, bad_w)

Floating arrays are differentiated; integer and boolean ones are passed as they are. Arguments may
be lists or tuples of arrays (as for `cat`), numbers, strings or None.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import minilearn as ml
from minilearn import xp

TORCH_DEVICE = "cpu"  # conftest.py sets it from --torch-device


def agree(
    ours, theirs, *args: Any, order: int = 2, rtol=None, reduction=1, gradient=True, **kwargs
):
    """Assert that both functions give the same on the same arguments, up to derivatives of `order`.

    rtol: relative to the largest element; by default 1e-10 in float64, 8 ULP times `reduction` (how
    many terms a result adds up) in float32. Results may be tensors or (nested) tuples of them.
    """
    rng = np.random.default_rng(0)
    mine, its = _both(args, gradient), _both(kwargs, gradient)
    got, want = ours(*mine[0], **its[0]), theirs(*mine[1], **its[1])
    close(got, want, rtol, reduction, "forward")
    leaves = [leaf for side in (0, 1) for leaf in [_leaves([mine[side], its[side]])]]
    ys = [[t for t in _leaves(r, every=True) if t.requires_grad] for r in (got, want)]
    assert len(ys[0]) == len(ys[1]), "not the same outputs require a gradient"
    if order < 1 or not ys[1]:
        return
    drawn = [rng.standard_normal(tuple(y.shape)).astype(_name(y)) for y in ys[1]]
    cotangents = _both(drawn, order > 1)
    grads = [_grads(side, ys[side], leaves[side], cotangents[side], order > 1) for side in (0, 1)]
    close(grads[0], grads[1], rtol, reduction, "gradient")
    if order > 1:  # a first derivative alone may take a faster, fused path
        again = ours(*mine[0], **its[0])
        ys_again = [t for t in _leaves(again, every=True) if t.requires_grad]
        fast = _grads(0, ys_again, leaves[0], [c.detach() for c in cotangents[0]], False)
        close(fast, grads[1], rtol, reduction, "gradient alone")
    if order < 2:
        return
    scalars = []
    for side in (0, 1):
        weights = np.random.default_rng(1)
        total = 0.0
        for g, leaf in zip(grads[side], leaves[side], strict=True):
            w = weights.standard_normal(tuple(leaf.shape)).astype(_name(leaf))
            if g is not None and g.requires_grad:
                total = total + (g * _both(w, False)[side]).sum()
        scalars.append(total)
    if isinstance(scalars[1], float):  # torch sees that there is none: ours must be zero
        _all_zero(scalars[0], leaves[0] + cotangents[0])
        return
    assert not isinstance(scalars[0], float), "second order is lost"
    inputs = [leaves[side] + cotangents[side] for side in (0, 1)]
    second = [_grads(side, [scalars[side]], inputs[side], None, False) for side in (0, 1)]
    close(second[0], second[1], rtol, reduction * 4, "second order")


def _all_zero(scalar: Any, inputs: list) -> None:
    if not isinstance(scalar, float):
        for g in _grads(0, [scalar], inputs, None, False):
            assert g is None or not host(g).any(), "torch has no second order here"


def both_raise(ours, theirs, *args: Any, match: str | None = None, **kwargs) -> Exception:
    """Assert that torch refuses these arguments, and that we do too, in a sentence of our own.

    match: a text that our message must contain. Returns our error.
    """
    mine, its = _both(args, False), _both(kwargs, False)
    error = None
    try:
        theirs(*mine[1], **its[1])
    except Exception as caught:
        error = caught
    assert error is not None, "torch does not raise here"
    try:
        result = ours(*mine[0], **its[0])
    except (ValueError, TypeError, LookupError, RuntimeError) as caught:
        assert len(str(caught)) > 10, f"the message is too short: {caught!r}"
        assert match is None or match in str(caught), f"{match!r} is not in: {caught}"
        return caught
    raise AssertionError(f"torch raises {error!r}; we return {result!r}")


def close(got: Any, want: Any, rtol=None, reduction: int = 1, what: str = "") -> None:
    """Assert equal structure, shape, dtype and values (nan equals nan, inf equals inf)."""
    if isinstance(want, tuple | list):
        assert len(got) == len(want), f"{what}: {len(got)} results, torch has {len(want)}"
        for g, w in zip(got, want, strict=True):
            close(g, w, rtol, reduction, what)
        return
    if want is None or got is None:
        if want is not got:  # torch may leave out a gradient that is zero, and so may we
            other = got if want is None else want
            assert float(abs(host(other)).max(initial=0)) == 0, f"{what}: {got!r} against {want!r}"
        return
    if isinstance(want, bool | int | float | str):
        assert got == want, f"{what}: {got!r} against {want!r}"
        return
    shapes = tuple(got.shape), tuple(want.shape)
    assert shapes[0] == shapes[1], f"{what}: shape {shapes[0]} against {shapes[1]}"
    g, w = host(got), host(want)
    assert g.dtype == w.dtype, f"{what}: dtype {g.dtype} against {w.dtype}"
    if w.dtype.kind != "f":
        assert np.array_equal(g, w), f"{what}: {g} against {w}"
        return
    finite = w[np.isfinite(w)]
    scale = max(float(abs(finite).max(initial=0)), 1.0 if rtol is None else 1e-300)
    if rtol is None:
        rtol = 1e-10 if w.dtype == np.float64 else 8 * np.finfo(np.float32).eps * reduction
    same = (g == w) | (np.isnan(g) & np.isnan(w))
    with np.errstate(invalid="ignore"):
        wrong = ~(same | (abs(g - w) <= rtol * scale))
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise AssertionError(f"{what}: {wrong.sum()} of {w.size} differ, first at {at}: "
                             f"{g[at]!r} against torch's {w[at]!r}\ngot {g}\nwant {w}")


def host(tensor: Any) -> np.ndarray:
    """Return a tensor of either side as a NumPy array."""
    if isinstance(tensor, ml.Tensor):
        return xp.to_numpy(tensor.data)
    return tensor.numpy(force=True) if isinstance(tensor, torch.Tensor) else np.asarray(tensor)


def ours(array: np.ndarray, requires_grad: bool = False) -> ml.Tensor:
    """Make a minilearn tensor on the current library."""
    return ml.tensor(array, requires_grad=requires_grad)


def theirs(array: np.ndarray, requires_grad: bool = False) -> torch.Tensor:
    """Make a torch tensor on the device of the reference."""
    return torch.tensor(array, device=TORCH_DEVICE, requires_grad=requires_grad)


def _both(value: Any, gradient: bool) -> tuple[Any, Any]:
    if isinstance(value, np.ndarray):
        track = gradient and value.dtype.kind == "f"
        return ours(value, track), theirs(value, track)
    if isinstance(value, dict):
        pairs = {k: _both(v, gradient) for k, v in value.items()}
        return tuple({k: p[side] for k, p in pairs.items()} for side in (0, 1))
    nested = np.ndarray | list | tuple
    if isinstance(value, tuple | list) and any(isinstance(v, nested) for v in value):
        pairs = [_both(v, gradient) for v in value]
        return tuple(type(value)(p[side] for p in pairs) for side in (0, 1))
    if isinstance(value, tuple) and not value:
        return value, value
    return value, value


def _leaves(value: Any, every: bool = False) -> list:
    if isinstance(value, ml.Tensor | torch.Tensor):
        return [value] if every or value.requires_grad else []
    values = value.values() if isinstance(value, dict) else value
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        return []
    return [leaf for v in values for leaf in _leaves(v, every)]


def _grads(side: int, ys: list, leaves: list, cotangents: list | None, create_graph: bool) -> list:
    grad = ml.grad if side == 0 else torch.autograd.grad
    return list(grad(ys, leaves, cotangents, create_graph=create_graph, allow_unused=True))


def _name(tensor: Any) -> str:
    return str(tensor.dtype).rpartition(".")[2]
