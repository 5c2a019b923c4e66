"""Hooks that keep what modules return, and the sizes read with them."""

import numpy as np
import pytest
from against_torch import host

import minilearn as ml
from minilearn import nn
from minilearn.nn.capture import dummy_output


def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
                         nn.Conv2d(4, 5, 3))


def test_what_is_stored_is_the_newest_output():
    model, x = net().eval(), ml.randn(2, 3, 8, 8)
    with nn.Capture([model[2], model[0]]) as seen:
        assert seen.stored == [None, None] and len(seen) == 2
        model(x)
        y = model[0](x + 1)
    assert np.array_equal(host(seen.stored[1]), host(y))
    assert np.array_equal(host(seen.stored[0]), host(model[:3](x)))
    before = list(seen.stored)
    model(2 * x)
    assert all(a is b for a, b in zip(seen.stored, before, strict=True))  # no longer listening
    seen.clear()
    assert seen.stored == [None, None]


@pytest.mark.parametrize("detach", [True, False])
def test_gradients_flow_only_if_asked(detach):
    model = net().eval()
    with nn.Capture([model[2]], detach) as seen:
        model(ml.randn(1, 3, 8, 8))
    assert seen.stored[0].requires_grad is not detach
    if not detach:
        seen.stored[0].sum().backward()
        assert host(model[0].weight.grad).any()


def test_removing_twice_does_nothing():
    model = net()
    seen = nn.Capture(model.children())
    seen.remove()
    seen.remove()
    model(ml.randn(2, 3, 8, 8))
    assert seen.stored == [None] * 4


def test_sizes_of_children_and_nothing_is_changed():
    model = net()
    model[1].eval()
    state = {name: host(v).copy() for name, v in model.state_dict().items()}
    ml.manual_seed(0)
    assert nn.output_sizes(model, (9, 6)) == [(1, 4, 5, 3)] * 3 + [(1, 5, 3, 1)]
    after = ml.rand(1).item()
    ml.manual_seed(0)
    assert ml.rand(1).item() == after  # no random number was drawn
    assert [m.training for m in model] == [True, False, True, True]
    assert all(np.array_equal(host(v), state[name]) for name, v in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())
    assert dummy_output(net().double(), (8, 8)).dtype == "float64"


def test_channels_in_and_out():
    assert nn.in_channels(net()) == 3 and nn.num_features(net()) == 5
    assert nn.in_channels(nn.Sequential(nn.Flatten(), nn.Conv1d(7, 2, 1))) == 7
    deep = nn.Sequential(nn.Conv2d(1, 2, 65), nn.Conv2d(2, 6, 3))  # 64 pixels are too few
    assert nn.num_features(deep) == 6
    with pytest.raises(ValueError, match="Linear has no convolution"):
        nn.in_channels(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="conv2d"):
        nn.num_features(nn.Conv2d(1, 1, 1025))
