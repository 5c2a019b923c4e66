"""Clipping and the moving average of weights do what torch's do."""

import numpy as np
import pytest
import torch
from against_torch import close, host
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import minilearn as ml
from minilearn import optim, xp


def with_gradients(seed, dtype=np.float64, scale=1.0, shapes=((3, 2), (4,), ())):
    rng = np.random.default_rng(seed)
    sides = [], []
    for shape in shapes:
        g = (rng.standard_normal(shape) * scale).astype(dtype)
        for params, library in zip(sides, (ml, torch), strict=True):
            p = library.tensor(np.zeros(shape, dtype), requires_grad=True)
            p.grad = library.tensor(g)
            params.append(p)
    sides[0].append(ml.tensor(np.zeros(2), requires_grad=True))  # one without a gradient
    return sides


@settings(max_examples=40)
@given(st.integers(0, 99), st.sampled_from([np.float32, np.float64]), st.floats(0.1, 20),
       st.sampled_from([1, 2, 3.5, 0.5, float("inf"), float("-inf"), 0]))
def test_norm_is_torchs(seed, dtype, max_norm, norm_type):
    mine, its = with_gradients(seed, dtype)
    rtol = 1e-10 if dtype == np.float64 else 1e-5
    got = optim.clip_grad_norm_(mine, max_norm, norm_type)
    close(got, clip_grad_norm_(its, max_norm, norm_type), rtol)
    for a, b in zip(mine, its, strict=False):
        close(a.grad, b.grad, rtol)


@settings(max_examples=20)
@given(st.integers(0, 99), st.floats(0, 2))
def test_value_is_torchs(seed, clip_value):
    mine, its = with_gradients(seed)
    optim.clip_grad_value_(mine, clip_value)
    clip_grad_value_(its, clip_value)
    for a, b in zip(mine, its, strict=False):
        close(a.grad, b.grad)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_is_not_finite(value):
    mine, its = with_gradients(0)
    for params, library in ((mine, ml), (its, torch)):
        params[1].grad = library.tensor(np.array([1.0, value, 2.0, 3.0]))
    with pytest.raises(RuntimeError, match="norm of order 2.0"):
        optim.clip_grad_norm_(mine, 1.0, error_if_nonfinite=True)
    close(optim.clip_grad_norm_(mine, 1.0), clip_grad_norm_(its, 1.0))
    for a, b in zip(mine, its, strict=False):
        close(a.grad, b.grad)


def test_one_tensor_mixed_dtypes_and_none():
    x = ml.tensor([3.0, 4.0], requires_grad=True)
    x.grad = ml.tensor([3.0, 4.0])
    array = x.grad.data
    assert optim.clip_grad_norm_(x, 1.0).item() == 5.0
    assert np.array_equal(array, [3, 4]), "the gradient's array was changed in place"
    y = ml.tensor(np.ones(2), requires_grad=True)
    y.grad = ml.tensor(np.ones(2))
    assert host(optim.clip_grad_norm_([x, y], 9.0)).dtype == np.float64
    assert host(x.grad).dtype == np.float32
    close(optim.clip_grad_norm_([], 1.0), clip_grad_norm_([], 1.0))
    with pytest.warns(UserWarning, match="used up"):
        optim.clip_grad_norm_((p for p in []), 1.0)


@settings(max_examples=15)
@given(st.floats(0, 1), st.integers(0, 99))
def test_ema_is_torchs(decay, seed):
    rng = np.random.default_rng(seed)
    net = torch.nn.Linear(3, 2).double()
    params = [ml.tensor(host(p), requires_grad=True) for p in net.parameters()]
    theirs = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(decay))
    mine = optim.EMA(params, decay)
    for i in range(6):
        for p, q in zip(params, net.parameters(), strict=True):
            new = rng.standard_normal(p.shape)
            p.data, q.data = ml.tensor(new).data, torch.tensor(new)
        if i == 3:
            state, mine = mine.state_dict(), optim.EMA(params, 0.5)
            mine.load_state_dict(state)
        mine.update()
        theirs.update_parameters(net)
    mine.copy_to()
    for p, q in zip(params, theirs.module.parameters(), strict=True):
        close(p, q)


def test_ema_keeps_its_own_copies():
    w = ml.tensor([1.0, 2.0])
    ema, other = optim.EMA([w], 0.9), ml.tensor([0.0, 0.0])
    ema.update()
    w.data[0] = 7
    ema.copy_to([other])
    assert np.array_equal(host(other), [1, 2])
    assert np.array_equal(host(w), [7, 2])


@pytest.mark.parametrize("library", ["array_api_strict", "torch:cpu"])
def test_other_array_libraries(library):
    before = xp.library()
    try:
        xp.use(library)
        w = ml.tensor(np.array([1.0, -2.0, 3.0]), requires_grad=True)
        w.grad = ml.tensor(np.array([3.0, 0.5, -4.0]))
        ema = optim.EMA([w], 0.5)
        ema.update()
        optim.clip_grad_value_([w], 1.0)
        optim.SGD([w], lr=1.0).step()
        ema.update()
        ema.load_state_dict(ema.state_dict())
        ema.copy_to()
        assert host(w).tolist() == [0.5, -2.25, 3.5]
    finally:
        xp.use(before)


def test_ema_refuses():
    w = ml.tensor([1.0, 2.0])
    ema = optim.EMA([w])
    with pytest.raises(TypeError, match="must be a Tensor; got float"):
        optim.EMA([1.0])
    with pytest.raises(ValueError, match="decay"):
        optim.EMA([w], 1.5)
    with pytest.raises(ml.errors.ShapeError, match="shapes"):
        ema.copy_to([ml.tensor([1.0])])
    with pytest.raises(ml.errors.ShapeError, match="shapes"):
        optim.EMA([ml.tensor([1.0])]).load_state_dict(ema.state_dict())
