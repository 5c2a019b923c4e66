"""Lesson 2, training: a linear layer, a loss, and what makes the loss fall."""

import math

import numpy as np


def linear(x, w, b=None):
    """Return the linear layer's outputs: every output is a weighted sum of the inputs, plus a bias.

    y[..., o] = sum over i of x[..., i] w[o, i], plus b[o]

    x: (..., in), any number of leading dimensions, also none. w: (out, in), one row of weights for
    each output (torch's layout). b: (out,), or None for no bias. Returns (..., out).
    Source: torch.nn.functional.linear.
    """
    y = x @ w.T
    return y if b is None else y + b


def linear_grad(g, x, w):
    """Return the gradients of a linear layer y = linear(x, w, b): the tuple (dx, dw, db).

    g: (..., out), the gradient of the loss with respect to y. x: (..., in) and w: (out, in) are
    what the layer was given. An input reaches the loss through every output; a weight and a bias
    reach it through every sample, so their gradients are sums over all leading dimensions:

    dx[..., i] = sum over o of g[..., o] w[o, i]
    dw[o, i] = sum over the samples of g[..., o] x[..., i]
    db[o] = sum over the samples of g[..., o]

    Each gradient has the shape of what it belongs to: (..., in), (out, in) and (out,).
    """
    by_sample, inputs = g.reshape(-1, g.shape[-1]), x.reshape(-1, x.shape[-1])
    return g @ w, by_sample.T @ inputs, by_sample.sum(axis=0)


def kaiming_normal(normal, a=0.0, mode="fan_in"):
    """Return first weights for a layer whose outputs go through a (leaky) ReLU.

    The weights are drawn so that activations neither grow nor fade from layer to layer: from a
    normal distribution of mean 0 and standard deviation gain / sqrt(fan), with
    gain = sqrt(2 / (1 + a^2)).

    normal: numbers of mean 0 and standard deviation 1, already drawn, in the shape of the weight:
    (out, in) for a linear layer, (out, in, KH, KW) for a convolution; any number of kernel
    dimensions. a: the slope of the leaky ReLU for negative inputs, 0 for a ReLU.
    mode: "fan_in": fan is the number of inputs that one output sums up; "fan_out": the number of
    outputs that one input goes into. Both count every pixel of the kernel.
    Returns an array of the shape and dtype of `normal`. Raises ValueError for fewer than two
    dimensions and for any other mode.
    Source: He et al. 2015; torch.nn.init.kaiming_normal_.
    """
    if normal.ndim < 2:
        raise ValueError(f"a weight has at least 2 dimensions, this one has {normal.ndim}")
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    outputs, inputs, *kernel = normal.shape
    fan = (inputs if mode == "fan_in" else outputs) * math.prod(kernel)
    return normal * math.sqrt(2 / (1 + a**2) / fan)


def log_softmax(x):
    """Return the logarithm of the softmax of x over its last axis.

    log_softmax(x)[..., c] = x[..., c] - log(sum over k of exp(x[..., k]))

    x: (..., classes), scores of any size. exp overflows above 709 (in float64) and becomes 0 below
    -745, but adding the same number to all scores of a row does not change the result: choose it
    so that the largest score of each row becomes 0. No result may be infinite or nan.
    Returns a new array of the shape and dtype of x, and leaves x as it is.
    Source: torch.nn.functional.log_softmax.
    """
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def cross_entropy(logits, target):
    """Return the cross-entropy: how surprised the scores are by the right classes, on average.

    loss = -(1 / N) times the sum over n of log_softmax(logits)[n, target[n]]

    logits: (N, C), a score for each of C classes, of any size. target: (N,), the number of the
    right class of each sample, 0 to C - 1. Returns one number, finite for any finite scores.
    You may use `log_softmax`. Source: torch.nn.functional.cross_entropy.
    """
    chosen = log_softmax(logits)[np.arange(len(target)), target]
    return -chosen.mean()


def cross_entropy_grad(logits, target):
    """Return the gradient of `cross_entropy(logits, target)` with respect to the logits.

    grad[n, c] = (p[n, c] - 1) / N  if c is the right class of sample n
    grad[n, c] = p[n, c] / N        otherwise,   with p = softmax(logits) over the classes

    logits: (N, C), of any size. target: (N,), class numbers. Returns the shape and dtype of the
    logits. You may use `log_softmax`.
    """
    grad = np.exp(log_softmax(logits))
    grad[np.arange(len(target)), target] -= 1
    return grad / len(target)


def accuracy(logits, target):
    """Return the share of samples, 0 to 1, whose highest score is that of the right class.

    logits: (..., C), a score for each of C classes. target: (...), the number of the right class
    at each place. The mean is over all places. Returns one number.
    """
    return (logits.argmax(axis=-1) == target).mean()


def batches(x, y, size, order, drop_last=False):
    """Yield the batches of one epoch: pairs (inputs, targets) with `size` samples each.

    x: (N, ...), the inputs. y: (N, ...), their targets. size: how many samples a batch has.
    order: (N,), a permutation of 0 to N - 1: the numbers of the samples in the order in which they
    are due. (Whoever calls draws it anew for each epoch. That is the shuffling.)
    If N is no multiple of size, the last batch has fewer samples; drop_last leaves it out.
    Write a generator (or return a list of pairs). Leave x, y and order as they are.
    Raises ValueError for a size below 1, and if x and y do not have the same number of samples.
    Source: torch.utils.data.DataLoader.
    """
    if size < 1:
        raise ValueError(f"a batch has at least 1 sample, got size={size}")
    if len(x) != len(y):
        raise ValueError(f"{len(x)} inputs, but {len(y)} targets")
    for start in range(0, len(order), size):
        picked = order[start : start + size]
        if len(picked) == size or not drop_last:
            yield x[picked], y[picked]


def sgd_step(p, g, v, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
    """Return (p, v), a parameter and its momentum buffer after one step of gradient descent.

    g <- g + weight_decay p
    v <- momentum v + g
    p <- p - lr v                   or with nesterov:  p <- p - lr (g + momentum v), the new v

    p: the parameter; g: its gradient; v: the buffer from the step before, zeros at first; all of
    one shape. lr: the learning rate. Returns two new arrays and leaves the arguments as they are.
    Source: torch.optim.SGD.
    """
    g = g + weight_decay * p
    v = momentum * v + g
    direction = g + momentum * v if nesterov else v
    return p - lr * direction, v


def clip_grad_norm(grads, max_norm):
    """Return (clipped, norm): the gradients, scaled down together if they are too long.

    grads: a list of arrays of any shapes. Together they are one long vector, and norm is its
    length: the root of the sum of the squares of all numbers in all arrays. Every gradient is
    multiplied by the same factor, max_norm / (norm + 1e-6), but never by more than 1: short
    gradients stay as they are.
    Returns a list of new arrays, and the norm *before* clipping, one number. Leaves the arguments
    as they are. Source: Pascanu et al. 2013; torch.nn.utils.clip_grad_norm_.
    """
    norm = math.sqrt(sum((g**2).sum() for g in grads))
    scale = min(max_norm / (norm + 1e-6), 1.0)
    return [g * scale for g in grads], norm


def adamw_step(p, g, m, v, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    """Return (p, m, v): a parameter after one step of Adam with decoupled weight decay.

    p <- p - lr weight_decay p      the decay, apart from the gradient
    m <- b1 m + (1 - b1) g          the average of the gradients
    v <- b2 v + (1 - b2) g^2        the average of their squares
    p <- p - lr m' / (sqrt(v') + eps)   with m' = m / (1 - b1^t) and v' = v / (1 - b2^t)

    p: the parameter; g: its gradient; m, v: the averages from the step before, zeros at first, all
    of one shape. They start at 0 and are too small at first, which m' and v' make good; what is
    kept for the next step is m and v. t: the number of this step, 1 for the first. betas: (b1, b2).
    Returns three new arrays and leaves the arguments as they are.
    Source: Loshchilov & Hutter 2019; torch.optim.AdamW.
    """
    b1, b2 = betas
    p = p * (1 - lr * weight_decay)
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    mean, square = m / (1 - b1**t), v / (1 - b2**t)
    return p - lr * mean / (np.sqrt(square) + eps), m, v


def one_cycle(step, total, max_lr, div=25.0, final_div=1e4, pct_start=0.3, momenta=(0.95, 0.85)):
    """Return (lr, momentum) of one batch in the one-cycle schedule.

    step: the number of the batch, 0 to total. The cycle turns at step T = int(pct_start * total),
    but not before step 1. momenta: (high, low).

    step 0:      lr = max_lr / div                  momentum = high
    step T:      lr = max_lr                        momentum = low
    step total:  lr = max_lr / (div * final_div)    momentum = high

    In between both go along half a cosine wave, slow at its ends: after the share t (0 to 1) of the
    way from `start` to `end` the value is end + (start - end) (1 + cos(pi t)) / 2.
    Raises ValueError for a step below 0 or above total.
    Source: Smith 2018; fast.ai's fit_one_cycle; torch.optim.lr_scheduler.OneCycleLR.
    """
    if not 0 <= step <= total:
        raise ValueError(f"step must be from 0 to total={total}, got {step}")

    def cosine(start, end, t):
        return end + (start - end) * (1 + math.cos(math.pi * t)) / 2

    high, low = momenta
    turn = max(1, int(pct_start * total))
    if step <= turn:
        t = step / turn
        return cosine(max_lr / div, max_lr, t), cosine(high, low, t)
    t = (step - turn) / (total - turn)
    return cosine(max_lr, max_lr / (div * final_div), t), cosine(low, high, t)


class Smoothed:
    """The smoothed loss of a progress bar: a debiased exponential average.

    Losses of single batches are noisy. A running average m forgets the old ones slowly:
    m <- beta m + (1 - beta) loss, from m = 0. Because of that 0 it is too small at first: after n
    losses their weights sum to 1 - beta^n only. Dividing by this makes it a true average: after one
    loss it is that loss, after equal losses it is that number.

    beta: 0 to below 1; the larger, the smoother. Every object keeps its own average.
    """

    def __init__(self, beta=0.98):
        """Start with no losses. Keep here, in `self`, whatever `add` must remember."""
        self.beta, self.mean, self.count = beta, 0.0, 0

    def add(self, loss):
        """Take in one more loss, and return the debiased average of all so far."""
        self.count += 1
        self.mean = self.beta * self.mean + (1 - self.beta) * loss
        return self.mean / (1 - self.beta**self.count)


def should_stop(losses, factor=4.0):
    """Say whether the learning-rate finder should stop after the newest loss: True or False.

    The finder raises the learning rate with every batch, until the loss explodes. That is so when
    the newest loss is greater than `factor` times the smallest so far, or is infinite or nan.

    losses: a list of numbers, oldest first, at least one, all above 0 (already smoothed). Only the
    newest, the last in the list, can be infinite or nan. factor: above 1.
    """
    newest = losses[-1]
    return not math.isfinite(newest) or newest > factor * min(losses)
