"""Lesson 2, the loss: softmax, cross-entropy, its gradient, and the accuracy."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from .contract import ARGUMENTS_ONLY, exercise
from .strategies import noise, scattered, seeds, shapes, signed, sizes

LESSON = "02_training"


def level(seed, shape):
    """Fill with scores in the hundreds; those of each row lie around a multiple of 1000."""
    return scattered(seed, shape) * 100 + scattered(seed + 1, (*shape[:-1], 1)) * 1000


def ranked(seed, shape):
    """Fill with different whole numbers of both signs, shuffled."""
    return np.random.default_rng(seed).permutation(signed(shape).ravel()).reshape(shape)


one_to_four = shapes(1, 4, 3)
matrix = st.tuples(sizes(), sizes(1, 5))


@st.composite
def scores(draw, fill, shape=matrix, dtype=np.float64):
    return fill(draw(seeds), draw(shape)).astype(dtype)


@st.composite
def labelled(draw, fill, shape=matrix, dtype=np.float64):
    logits = draw(scores(fill, shape, dtype))
    chance = np.random.default_rng(draw(seeds))
    drawn = chance.integers(0, logits.shape[-1], logits.shape[:-1])
    right = chance.integers(0, 2, drawn.shape) == 1  # about half of the scores are good ones
    return {"logits": logits, "target": np.where(right, logits.argmax(-1), drawn)}


# ---------------------------------------------------------------- log_softmax

log_softmax = exercise(
    LESSON, "log_softmax", "Softmax that cannot overflow", minutes=15, difficulty=2,
    hints=("Subtract the largest score of each row first: the result stays the same, and exp meets "
           "nothing above 0.",
           "log(exp(s) / sum) is s - log(sum). Written like this, no probability can become 0 "
           "before its logarithm is taken.",
           "s = x - x.max(axis=-1, keepdims=True); then s minus the np.log of the sum of np.exp(s) "
           "over axis=-1, with keepdims=True again."))


def by_torch(x):
    return F.log_softmax(torch.from_numpy(x), -1)


def inputs(fill, *args):
    return scores(fill, *args).map(lambda x: {"x": x})


log_softmax.property("is right for a matrix of scores", 2, inputs(noise),
                     examples=({"x": np.array([[1.0, 2.0, 3.0]])},))(by_torch)
log_softmax.property("works along the last axis of any shape", 1, inputs(noise, one_to_four),
                     examples=({"x": noise(0, (2, 3, 4))},))(by_torch)
log_softmax.property("is right for large scores, and for rows far apart", 2, inputs(level),
                     examples=({"x": np.array([[0.0, 1000.0]])}, {"x": np.array([[-800.0] * 2])},
                               {"x": np.array([[0.0, -1.0], [-1000.0, -1001.0]])})
                     )(by_torch)


@log_softmax.property("leaves x as it is", 1, inputs(noise), exact=True,
                      driver=ARGUMENTS_ONLY)
def _(x):
    return (x,)


log_softmax.mistake("the **largest score is not subtracted**, so exp overflows",
                    ("x - x.max(axis=-1, keepdims=True)", "x"))
log_softmax.mistake("the largest score **of the whole array** is subtracted: a row that lies far "
                    "below it becomes all zeros under exp; take the maximum of each row",
                    ("x.max(axis=-1, keepdims=True)", "x.max()"))
log_softmax.mistake("the softmax is computed first **and then its logarithm**: a probability that "
                    "has become 0 gives -inf; subtract the logarithm of the sum instead",
                    ("return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
                     "e = np.exp(shifted)\n    return np.log(e / e.sum(axis=-1, keepdims=True))"))
log_softmax.mistake("a **small number is added** inside the logarithm: that hides -inf, but the "
                    "result is wrong; subtract the logarithm of the sum instead",
                    ("return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
                     "e = np.exp(shifted)\n"
                     "    return np.log(e / e.sum(axis=-1, keepdims=True) + 1e-12)"))
log_softmax.mistake("the largest score is subtracted **inside exp only**; subtract it from x in "
                    "front of the logarithm, too", ("return shifted -", "return x -"))
log_softmax.mistake("the **logarithm is missing**: this is the softmax",
                    ("return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
                     "e = np.exp(shifted)\n    return e / e.sum(axis=-1, keepdims=True)"))
log_softmax.mistake("the sum goes over the **first axis** instead of the last",
                    ("sum(axis=-1, keepdims=True)", "sum(axis=0, keepdims=True)"))
log_softmax.mistake("the sum goes over **axis 1**, the last one of a matrix only; write axis=-1",
                    ("sum(axis=-1, keepdims=True)", "sum(axis=1, keepdims=True)"))
log_softmax.mistake("the sum goes over **all numbers** instead of over each row",
                    ("sum(axis=-1, keepdims=True)", "sum()"))
log_softmax.mistake("the sum **loses its axis**, so rows and columns are mixed up when it is "
                    "subtracted; use keepdims=True",
                    ("sum(axis=-1, keepdims=True)", "sum(axis=-1)"))
log_softmax.mistake("**x itself is changed**: -= writes into the caller's array; make a new one",
                    ("shifted = x - x.max(axis=-1, keepdims=True)",
                     "shifted = x\n    shifted -= x.max(axis=-1, keepdims=True)"))

# ---------------------------------------------------------------- cross_entropy

cross_entropy = exercise(
    LESSON, "cross_entropy", "The loss of a choice among classes", minutes=12, difficulty=2,
    hints=("Take the log_softmax of each row, and from each row a single number: that of its right "
           "class.",
           "Two arrays of indices pick one number for each pair of them: row 0 with target[0], "
           "row 1 with target[1], and so on. target alone, behind a colon, picks whole columns.",
           "-log_softmax(logits)[np.arange(len(target)), target].mean()"))


def tensors(logits, target):
    return torch.from_numpy(logits), torch.from_numpy(target)


def loss_by_torch(logits, target):
    return F.cross_entropy(*tensors(logits, target))


three = {"logits": np.array([[1.0, 2.0, 4.0], [3.0, 1.0, 0.0]]), "target": np.array([2, 1])}
confident = {"logits": np.array([[1000.0, 0.0], [0.0, 1000.0]]), "target": np.array([0, 0])}

cross_entropy.property("is the mean surprise about the right classes", 3, labelled(noise),
                       examples=(three,))(loss_by_torch)
cross_entropy.property("is right for large scores", 1, labelled(level), examples=(confident,)
                       )(loss_by_torch)

cross_entropy.mistake("the losses are **summed** instead of averaged",
                      ("chosen.mean()", "chosen.sum()"))
cross_entropy.mistake("the sum is divided by **N times C**: take the mean over the samples, not "
                      "over all numbers of the matrix",
                      ("chosen.mean()", "chosen.sum() / logits.size"))
cross_entropy.mistake("the **sign** is wrong: the logarithm of a probability is negative, the loss "
                      "is its opposite", ("-chosen.mean()", "chosen.mean()"))
cross_entropy.mistake("the **logarithm is missing**: this is the mean probability of the right "
                      "classes", ("-chosen.mean()", "-np.exp(chosen).mean()"))
cross_entropy.mistake("**every row is asked for the targets of all**: [:, target] picks whole "
                      "columns; pair row n with target[n]", ("np.arange(len(target))", ":"))
cross_entropy.mistake("the **softmax is missing**: the scores are taken for log-probabilities",
                      ("= log_softmax(logits)[", "= logits["))
cross_entropy.mistake("the softmax goes **over the samples** instead of over the classes",
                      ("= log_softmax(logits)[", "= log_softmax(logits.T).T["))
cross_entropy.mistake("the **softmax is taken twice**: log_softmax wants scores, not probabilities",
                      ("= log_softmax(logits)[", "= log_softmax(np.exp(log_softmax(logits)))["))
cross_entropy.mistake("**exp overflows**: the softmax is computed without subtracting the largest "
                      "score; use log_softmax",
                      ("= log_softmax(logits)[",
                       "= np.log(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))["))
cross_entropy.mistake("the target is taken to be **the class with the highest score**: then the "
                      "loss knows nothing of what is right",
                      ("[np.arange(len(target)), target]", ".max(axis=1)"))

# ---------------------------------------------------------------- cross_entropy_grad

cross_entropy_grad = exercise(
    LESSON, "cross_entropy_grad", "Where the loss tells the scores to go", minutes=15, difficulty=2,
    hints=("The probabilities are exp(log_softmax(logits)). The right classes should have 1, all "
           "others 0: the gradient is what is too much, divided by N.",
           "Subtract 1 from one number in each row: that of its right class. As in cross_entropy, "
           "a pair of index arrays finds them.",
           "p = np.exp(log_softmax(logits)); p[np.arange(len(target)), target] -= 1; then divide "
           "by len(target)."))


def grad_by_torch(logits, target):
    logits, target = tensors(logits, target)
    return torch.autograd.grad(F.cross_entropy(logits.requires_grad_(), target), logits)[0]


cross_entropy_grad.property("is the gradient of the loss", 3, labelled(noise), examples=(three,)
                            )(grad_by_torch)
cross_entropy_grad.property("is right for large scores", 1, labelled(level), examples=(confident,)
                            )(grad_by_torch)
cross_entropy_grad.property("keeps float32", 1, labelled(noise, dtype=np.float32))(grad_by_torch)

cross_entropy_grad.mistake("the **division by N is missing**: the loss is a mean over the samples",
                           ("grad / len(target)", "grad"))
cross_entropy_grad.mistake("the gradient is divided by **N times C**: the loss is a mean over the "
                           "N samples only", ("grad / len(target)", "grad / grad.size"))
cross_entropy_grad.mistake("the **sign is reversed**: it is the probability minus 1, not 1 minus "
                           "the probability", ("return grad", "return -grad"))
cross_entropy_grad.mistake("the **1 is not subtracted** at the right classes", (" -= 1", " -= 0"))
cross_entropy_grad.mistake("the **softmax is missing**: the 1 is subtracted from the scores",
                           ("np.exp(log_softmax(logits))", "logits.copy()"))
cross_entropy_grad.mistake("1 is subtracted **in all rows at the targets of all**: [:, target] is "
                           "whole columns; pair row n with target[n]",
                           ("np.arange(len(target)),", ":,"))
cross_entropy_grad.mistake("this is the gradient **with respect to the probabilities**, -1/p; the "
                           "scores reach the loss through the softmax",
                           ("    grad[np.arange(len(target)), target] -= 1",
                            "    rows, p = np.arange(len(target)), grad\n"
                            "    grad = np.zeros_like(p)\n"
                            "    grad[rows, target] = -1 / p[rows, target]"))
cross_entropy_grad.mistake("only the **right class** gets a gradient: the other scores matter as "
                           "well, through the sum in the softmax",
                           ("    grad[np.arange(len(target)), target] -= 1",
                            "    rows, p = np.arange(len(target)), grad\n"
                            "    grad = np.zeros_like(p)\n"
                            "    grad[rows, target] = p[rows, target] - 1"))
cross_entropy_grad.mistake("the **one-hot matrix is float64** (np.eye and np.zeros are, unless you "
                           "give a dtype), and so the result is, too",
                           ("grad[np.arange(len(target)), target] -= 1",
                            "grad = grad - np.eye(logits.shape[1])[target]"))
cross_entropy_grad.mistake("**exp overflows**: the softmax is computed without subtracting the "
                           "largest score; use log_softmax",
                           ("grad = np.exp(log_softmax(logits))",
                            "grad = np.exp(logits)\n    grad /= grad.sum(axis=1, keepdims=True)"))

# ---------------------------------------------------------------- accuracy

accuracy = exercise(
    LESSON, "accuracy", "How often is the model right?", minutes=6, difficulty=1,
    hints=("The model's answer is the class with the highest score. Count how often it is the "
           "right one.",
           "np.argmax finds *where* the largest number is; the classes are the last axis.",
           "(logits.argmax(axis=-1) == target) is True where the model is right; take its mean."))


def share_by_torch(logits, target):
    logits, target = tensors(logits, target)
    return (logits.topk(1).indices.squeeze(-1) == target).double().mean()


half = {"logits": np.array([[1.0, -2.0, 3.0], [4.0, 6.0, 5.0]]), "target": np.array([2, 2])}

accuracy.property("is the share of right answers", 2, labelled(ranked), examples=(half,)
                  )(share_by_torch)
accuracy.property("counts every place of any shape", 1, labelled(ranked, one_to_four),
                  examples=({"logits": ranked(0, (2, 3, 4)), "target": np.array([[0, 1, 2]] * 2)},)
                  )(share_by_torch)

accuracy.mistake("the right answers are **counted**: divide by the number of places",
                 (".mean()", ".sum()"))
accuracy.mistake("this is the **error rate**, 1 minus the accuracy", ("== target", "!= target"))
accuracy.mistake("the result is **in percent**; a share is from 0 to 1",
                 (".mean()", ".mean() * 100"))
accuracy.mistake("the **largest score itself** is compared with the target; argmax says which "
                 "class it belongs to", ("logits.argmax(axis=-1)", "logits.max(axis=-1)"))
accuracy.mistake("argmax goes along the **first axis** instead of over the classes, the last",
                 ("argmax(axis=-1)", "argmax(axis=0)"))
accuracy.mistake("argmax looks at the **whole array** at once; give axis=-1",
                 ("argmax(axis=-1)", "argmax()"))
accuracy.mistake("argmax goes along **axis 1**, the last one of a matrix only; write axis=-1",
                 ("argmax(axis=-1)", "argmax(axis=1)"))
accuracy.mistake("the number of right answers is divided by **the number of all scores**: there is "
                 "one answer for each place, not for each class",
                 (".mean()", ".sum() / logits.size"))
accuracy.mistake("the count is divided by **the size of the first dimension**; divide by the "
                 "number of all places, target.size",
                 (".mean()", ".sum() / len(target)"))
