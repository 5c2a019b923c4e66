"""Lesson 6, the training: an epoch with a state, what keeps it calm, and where it goes wrong."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from .contract import exercise
from .language_cells import quarters
from .language_text import LESSON
from .strategies import noise, scattered, seeds, sizes

# ---------------------------------------------------------------- train_epoch

train_epoch = exercise(
    LESSON, "train_epoch", "A state without its past", minutes=12, difficulty=2,
    hints=("Four calls for each batch. What the model returns beside the scores is what it gets "
           "with the next batch.",
           "Cut the history when the weights have moved: after update, and before the next batch.",
           "scores, state = model(x, state); update(loss(scores, y)); state = state.detach()"))

# The model reads numbers: state' = weight * state + x. A number carries its derivative with
# respect to the weight along; `detach` sets this to 0.
EPOCH = """
class State:
    def __init__(self, number, slope):
        self.number, self.slope = number, slope

    def detach(self):
        return State(self.number, 0)

def drive(module, function, batches, weight, start):
    log = {"states the model begins with": [], "losses": [], "gradients": []}

    def model(x, state):
        log["states the model begins with"].append(state.number)
        for number in x:
            state = State(weight * state.number + number, state.number + weight * state.slope)
        return state, state

    def loss(scores, y):
        return State(scores.number * y, scores.slope * y)

    def update(loss):
        nonlocal weight
        log["losses"].append(loss.number)
        log["gradients"].append(loss.slope)
        weight -= loss.slope % 3 - 1

    end = function(batches, model, loss, update, State(start, 0))
    if not isinstance(end, State):
        raise TypeError(f"the state is to be returned, not {type(end).__name__}")
    return log | {"state returned": end.number, "derivative of the state returned": end.slope}
"""
FROM_ITERATOR = EPOCH.replace("function(batches,", "function(iter(batches),")


@st.composite
def epochs(draw, least=0, most=4):
    batch = st.tuples(st.lists(sizes(-3, 3), min_size=1, max_size=3), sizes(1, 3))
    batches = draw(st.lists(batch, min_size=least, max_size=most))
    return dict(batches=batches, weight=draw(sizes(1, 3)), start=draw(sizes(-3, 3)))


def by_torch(batches, weight, start):
    log = {"states the model begins with": [], "losses": [], "gradients": []}
    state = torch.tensor(start, dtype=torch.float64)
    for x, y in batches:
        w = torch.tensor(weight, dtype=torch.float64, requires_grad=True)
        log["states the model begins with"].append(int(state))
        for number in x:
            state = w * state + number
        gradient = int(torch.autograd.grad(state * y, w)[0])
        log["losses"].append(int(state) * y)
        log["gradients"].append(gradient)
        weight -= gradient % 3 - 1
        state = state.detach()
    return log | {"state returned": int(state), "derivative of the state returned": 0}


train_epoch.property("trains on one batch, here with state' = weight * state + x", 1,
                     epochs(1, 1), driver=EPOCH)(by_torch)
train_epoch.property("carries the state on, and differentiates no further back", 3, epochs(2),
                     driver=EPOCH)(by_torch)
train_epoch.property("goes over an iterator once, and over no batches", 1, epochs(),
                     driver=FROM_ITERATOR)(by_torch)

MODEL, UPDATE = "scores, state = model(x, state)", "update(loss(scores, y))"
DETACH = "        state = state.detach()\n"
train_epoch.mistake("the state is **not carried over**: each batch begins with the state given; "
                    "assign the new one to `state`", (MODEL, "scores, new = model(x, state)"))
train_epoch.mistake("the state is **not detached**, or what detach() returns is not assigned: each "
                    "loss is differentiated back to the first batch", (DETACH, ""))
train_epoch.mistake("the state is detached **only at the end** of the epoch; it must be after "
                    "every batch", (DETACH, ""), ("return state", "return state.detach()"))
train_epoch.mistake("the state returned **has its history**: detach it too, for the next epoch",
                    (DETACH, ""), (MODEL, "scores, state = model(x, state.detach())"))
train_epoch.mistake("the **scores are detached** as well: then the gradient of the loss is 0",
                    (UPDATE, "update(loss(scores.detach(), y))"))
train_epoch.mistake("the state **begins anew with each batch**: set it once, before the loop",
                    ("    for x, y in batches:\n",
                     "    first = state\n    for x, y in batches:\n        state = first\n"))
train_epoch.mistake("the weights move **once, at the end**; they move after every batch",
                    ("    for x, y", "    found = []\n    for x, y"),
                    (UPDATE, "found.append(loss(scores, y))"),
                    ("    return state", "    for one in found:\n        update(one)\n"
                     "    return state"))
train_epoch.mistake("**update is not called**: nothing is learnt", (UPDATE, "loss(scores, y)"))
train_epoch.mistake("the **model is called twice** for each batch, the second time with the new "
                    "state: it reads the text twice",
                    (UPDATE, f"{UPDATE}\n        state = model(x, state)[1]"))

# ---------------------------------------------------------------- activation_regularisation

activation_regularisation = exercise(
    LESSON, "activation_regularisation", "States that stay calm", minutes=8, difficulty=2,
    keywords=("alpha", "beta"),
    hints=("Two means of squares: of the states, and of the differences between neighbours in "
           "time.",
           "Time is axis 1: raw[:, 1:] - raw[:, :-1]. With one step this is empty, and the mean of "
           "nothing is nan.",
           "alpha * (dropped**2).mean(), plus beta * (steps**2).mean() if steps.size else 0"))


@st.composite
def outputs(draw, fill=quarters, least=2, most=4, **options):
    shape = draw(sizes(1, 3)), draw(sizes(least, most)), draw(sizes(1, 3))
    seed = draw(seeds)
    case = dict(dropped=fill(seed, shape), raw=fill(seed + 1, shape))
    return case | {name: draw(strategy) for name, strategy in options.items()}


def by_mse(dropped, raw, alpha=2.0, beta=1.0):
    dropped, raw = torch.from_numpy(dropped), torch.from_numpy(raw)
    total = alpha * torch.nn.functional.mse_loss(dropped, torch.zeros_like(dropped))
    if raw.shape[1] > 1:
        total = total + beta * raw.diff(dim=1).square().mean()
    return total


factors = st.sampled_from([0.0, 0.5, 3.0])
activation_regularisation.property("adds both parts, at alpha 2 and beta 1", 2, outputs(),
                                   unchanged=True)(by_mse)
activation_regularisation.property("obeys alpha and beta", 1,
                                   outputs(noise, alpha=factors, beta=factors))(by_mse)
activation_regularisation.property("has no second part after one step", 1,
                                   outputs(least=1, most=1, alpha=factors))(by_mse)

AR, TAR = "alpha * (dropped**2).mean()", "beta * (steps**2).mean() if steps.size else 0.0"
DIFF = "steps = raw[:, 1:] - raw[:, :-1]"
activation_regularisation.mistake("both parts are made of the states **after dropout**; the "
                                  "differences are those before it",
                                  (DIFF, DIFF.replace("raw", "dropped")))
activation_regularisation.mistake("both parts are made of the states **before dropout**; the "
                                  "squares are those after it", (AR, AR.replace("dropped", "raw")))
activation_regularisation.mistake("**dropped and raw are exchanged**",
                                  (DIFF, DIFF.replace("raw", "dropped")),
                                  (AR, AR.replace("dropped", "raw")))
activation_regularisation.mistake("the differences are those between **rows of the batch**; time "
                                  "is axis 1", (DIFF, "steps = raw[1:] - raw[:-1]"))
activation_regularisation.mistake("the squares are **summed**; the mean does not depend on the "
                                  "sizes", (AR, "alpha * (dropped**2).sum()"),
                                  (TAR, "beta * (steps**2).sum()"))
activation_regularisation.mistake("the sum over the differences is divided by the **number of all "
                                  "states**; there is one difference less than steps",
                                  (TAR, "beta * (steps**2).sum() / raw.size"))
activation_regularisation.mistake("the second part is **nan after one step**: the mean of nothing",
                                  (TAR, "beta * (steps**2).mean()"))
activation_regularisation.mistake("**absolute values** are taken instead of squares",
                                  (AR, "alpha * abs(dropped).mean()"),
                                  (TAR, "beta * abs(steps).mean() if steps.size else 0.0"))
activation_regularisation.mistake("**alpha and beta are exchanged**",
                                  (AR, "beta * (dropped**2).mean()"),
                                  (TAR, "alpha * (steps**2).mean() if steps.size else 0.0"))
activation_regularisation.mistake("**alpha and beta are ignored**: they are 2 and 1 only where "
                                  "nothing else is said", (AR, "2 * (dropped**2).mean()"),
                                  (TAR, "(steps**2).mean() if steps.size else 0.0"))
activation_regularisation.mistake("the **mean is squared**; it is the mean of the squares",
                                  (AR, "alpha * dropped.mean()**2"),
                                  (TAR, "beta * steps.mean()**2 if steps.size else 0.0"))

# ---------------------------------------------------------------- accuracy_by_position

accuracy_by_position = exercise(
    LESSON, "accuracy_by_position", "Where in the row is it wrong?", minutes=5, difficulty=1,
    hints=("Three axes: rows, steps, tokens. The tokens go when the best is chosen, the rows when "
           "the mean is taken; the steps stay.",
           "scores.argmax(axis=2) == target is an array (N, T) of True and False.",
           "return (scores.argmax(axis=2) == target).mean(axis=0)"))


@st.composite
def scored(draw, most=3, factor=1.0):
    """Scores of which no two are equal in a place, both signs, and targets of which some fit."""
    N, T, V = draw(sizes(1, 4)), draw(sizes(1, most)), draw(sizes(1, most))
    seed = draw(seeds)
    order = noise(seed, (N, T, V)).argsort(axis=2).argsort(axis=2)
    target = scattered(seed + 1, (N, T), 0, V - 1, int)
    return dict(scores=factor * (order - draw(sizes(0, most))), target=target)


def shares(scores, target):
    right = torch.from_numpy(scores).argmax(2) == torch.from_numpy(target)
    return right.double().mean(0)


accuracy_by_position.property("returns the share of right tokens at each step", 3, scored())(shares)
accuracy_by_position.property("is right for many steps and scores of any size", 1,
                              scored(7, 1000.0), unchanged=True)(shares)


RIGHT = "(scores.argmax(axis=2) == target)"
accuracy_by_position.mistake("the share is that of each **row**; that of each step is due: the "
                             "mean over axis 0", (".mean(axis=0)", ".mean(axis=1)"))
accuracy_by_position.mistake("**one share of all** is returned; there is one for each step",
                             (".mean(axis=0)", ".mean()"))
accuracy_by_position.mistake("the right tokens are **counted**; a share is from 0 to 1",
                             (".mean(axis=0)", ".sum(axis=0)"))
accuracy_by_position.mistake("the **lowest** score is taken for the best", ("argmax", "argmin"))
accuracy_by_position.mistake("the share of the **wrong** tokens is returned", (" == ", " != "))
accuracy_by_position.mistake("only the **first row** is looked at; the mean is over all of them",
                             (".mean(axis=0)", "[0] * 1.0"))
accuracy_by_position.mistake("the best is looked for along the **steps**; the tokens are axis 2",
                             (RIGHT, "(scores.argmax(axis=1)[:, :1] == target)"))
