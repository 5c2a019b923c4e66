"""The optimizers' rules as pure functions: one step by hand, and nothing changed in place."""

import numpy as np
import pytest

from minilearn import Tensor, nn, optim
from minilearn.optim import lr_scheduler

P, G = np.array([1.0, -2.0]), np.array([0.5, 4.0])
BY_HAND = {
    optim.sgd_step: P - 0.1 * G,
    # m / (1 - b1) = g and v / (1 - b2) = g**2 at the first step
    optim.adam_step: P - 0.1 * G / (abs(G) + 1e-8),
    optim.rmsprop_step: P - 0.1 * G / (np.sqrt(0.01 * G * G) + 1e-8),
    optim.adagrad_step: P - 0.1 * G / (abs(G) + 1e-10),
}


@pytest.mark.parametrize("step", BY_HAND, ids=lambda step: step.__name__)
def test_first_step_by_hand(step):
    p, g, state = P.copy(), G.copy(), {}
    new, _ = step(p, g, state, lr=0.1)
    np.testing.assert_allclose(new, BY_HAND[step], rtol=1e-12, atol=1e-14)
    assert np.array_equal(p, P) and np.array_equal(g, G) and state == {}
    assert new is not p


@pytest.mark.parametrize("step", BY_HAND, ids=lambda step: step.__name__)
def test_the_class_repeats_its_step_function(step):
    classes = {"sgd_step": optim.SGD, "adam_step": optim.Adam, "rmsprop_step": optim.RMSprop,
               "adagrad_step": optim.Adagrad}
    parameter = Tensor(P.copy(), requires_grad=True)
    optimizer = classes[step.__name__]([parameter], lr=0.1)
    p, state = P, {}
    for factor in (1.0, -3.0, 0.2):
        parameter.grad = Tensor(G * factor)
        optimizer.step()
        p, state = step(p, G * factor, state, lr=0.1)
    np.testing.assert_allclose(parameter.detach().numpy(), p, rtol=1e-14)


def test_a_schedule_of_ones_own():
    class Halve(lr_scheduler.LRScheduler):
        def multiplier(self, epoch):
            return 0.5 if epoch else 1.0

    optimizer = optim.SGD([nn.Parameter(Tensor(P))], lr=0.8)
    schedule = Halve(optimizer)
    for _ in range(3):
        optimizer.step()
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)
