"""Compare a model with its torch twin: names, shapes, outputs, gradients, statistics."""

import against_torch
import numpy as np
import torch
from against_torch import close, host

import minilearn as ml


def same_layout(ours, twin):
    """Assert that both state dicts have the same names, in the same order, and shapes."""
    mine = {name: value.shape for name, value in ours.state_dict().items()}
    theirs = {name: tuple(value.shape) for name, value in twin.state_dict().items()}
    assert list(mine.items()) == list(theirs.items())


def handed_over(ours, twin):
    """Load the twin's weights into ours, and back into a twin that is emptied meanwhile."""
    before = {name: value.clone() for name, value in twin.state_dict().items()}
    report = ours.load_state_dict(before)
    assert not report.missing_keys and not report.unexpected_keys
    for value in twin.state_dict().values():
        value.zero_()
    state = ours.state_dict()
    twin.load_state_dict({name: torch.from_numpy(host(v).copy()) for name, v in state.items()})
    for name, value in twin.state_dict().items():
        assert torch.equal(value, before[name]), name
    twin.to(against_torch.TORCH_DEVICE)


def same_outputs(ours, twin, shape, rtol, train=False):
    """Assert equal outputs, and equal running statistics where the batch moves them."""
    x = np.random.default_rng(1).standard_normal(shape).astype("float32")
    ours.train(train)
    twin.train(train)
    with ml.no_grad(), torch.no_grad():
        close(ours(against_torch.ours(x)), twin(against_torch.theirs(x)), rtol, what="output")
    for (name, mine), its in zip(ours.named_buffers(), twin.buffers(), strict=True):
        close(mine, its, rtol, what=name)


def same_gradients(ours, twin, shape, train=True):
    """Assert equal gradients of every parameter and of the images, in float64."""
    ours.double().train(train)
    twin.double().train(train)
    rng = np.random.default_rng(2)
    image = rng.standard_normal(shape)
    x, its_x = against_torch.ours(image, True), against_torch.theirs(image, True)
    y, its_y = ours(x), twin(its_x)
    cotangent = rng.standard_normal(tuple(y.shape))
    y.backward(against_torch.ours(cotangent))
    its_y.backward(against_torch.theirs(cotangent))
    close(x.grad, its_x.grad, what="images")
    for (name, mine), its in zip(ours.named_parameters(), twin.parameters(), strict=True):
        close(mine.grad, its.grad, what=name)
