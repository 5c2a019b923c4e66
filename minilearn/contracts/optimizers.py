"""Lesson 2, the steps: gradient descent with momentum, clipping, and Adam.

The referees are torch's optimizers as functions: to make one as an object imports torch's compiler,
which takes longer than all the checks together.
"""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from .contract import ARGUMENTS_ONLY, exercise
from .strategies import noise, scattered, seeds, shapes, signed, sizes

LESSON = "02_training"

# ---------------------------------------------------------------- sgd_step

sgd_step = exercise(
    LESSON, "sgd_step", "Gradient descent with momentum", minutes=12, difficulty=2,
    keywords=("lr", "momentum", "weight_decay", "nesterov"),
    hints=("Three lines, in the order of the three formulas; each uses what the one before gave.",
           "The decay belongs to the gradient, so it goes into v as well. The learning rate does "
           "not go into v: it multiplies the whole step at the end.",
           "g = g + weight_decay * p; v = momentum * v + g; then p - lr * v, or with nesterov "
           "p - lr * (g + momentum * v). Not +=, which would change the caller's arrays."))

halves = st.sampled_from([0.5, 0.25])  # with these, whole numbers stay exact for some steps
SGD_PATH = """
def drive(module, sgd_step, p, grads, **options):
    v, path = np.zeros_like(p), []
    for g in grads:
        p, v = sgd_step(p.copy(), g.copy(), v.copy(), **options)
        path.append(p)
    return np.stack(path), v
"""


@st.composite
def one_step(draw, buffer=False, **options):
    shape = draw(shapes(1, 2, 3))
    g = scattered(draw(seeds), shape)
    v = signed(shape, 5) if buffer else np.zeros(shape)
    return dict(p=signed(shape), g=g, v=v) | {k: draw(v) for k, v in options.items()}


@st.composite
def paths(draw, fill=scattered, least=1, **options):
    shape, steps = draw(shapes(1, 2, 3)), draw(sizes(least, 4))
    grads = fill(draw(seeds), (steps, *shape))
    return dict(p=signed(shape), grads=grads) | {k: draw(v) for k, v in options.items()}


def sgd_path(p, grads, lr, momentum, weight_decay=0.0, nesterov=False):
    p, buffers, path = torch.from_numpy(p), [None], []
    for g in torch.from_numpy(grads):
        sgd([p], [g], buffers, foreach=False, lr=lr, momentum=momentum, weight_decay=weight_decay,
            dampening=0.0, nesterov=nesterov, maximize=False)
        path.append(p.clone())
    return torch.stack(path), buffers[0]


@sgd_step.property("steps against the gradient", 1, one_step(lr=halves), exact=True)
def _(p, g, v, lr):
    return sgd_path(p, g[None], lr, 0.5)[0][0], g


sgd_step.property("gathers momentum over several steps", 2, paths(lr=halves, momentum=halves),
                  exact=True, driver=SGD_PATH)(sgd_path)
sgd_step.property("decays the weights, and looks ahead with nesterov", 2,
                  paths(lr=halves, momentum=halves, weight_decay=st.sampled_from([0.0, 0.5]),
                        nesterov=st.booleans()), exact=True, driver=SGD_PATH)(sgd_path)


@sgd_step.property("leaves p, g and v as they are", 1,
                   one_step(buffer=True, lr=halves, momentum=halves, weight_decay=halves),
                   exact=True, driver=ARGUMENTS_ONLY)
def _(p, g, v, **options):
    return p, g, v


sgd_step.mistake("the step goes **up the hill**: subtract it from p",
                 ("p - lr * direction", "p + lr * direction"))
sgd_step.mistake("the **momentum is not used**: p moves along g alone; move it along v",
                 ("if nesterov else v", "if nesterov else g"))
sgd_step.mistake("the gradient is **damped by 1 - momentum** in v, as in an average; here it is "
                 "added in full", ("momentum * v + g\n", "momentum * v + (1 - momentum) * g\n"))
sgd_step.mistake("the **learning rate is inside v**: the buffer gathers gradients only; multiply "
                 "by lr when p is changed",
                 ("momentum * v + g\n", "momentum * v + lr * g\n"),
                 ("p - lr * direction", "p - direction"),
                 ("g + momentum * v if", "lr * g + momentum * v if"))
sgd_step.mistake("p moves along **the old v**: renew v first, then use the new one",
                 ("    v = momentum * v + g\n", "    old, v = v, momentum * v + g\n"),
                 ("if nesterov else v", "if nesterov else old"))
sgd_step.mistake("the **new v is not returned**, so the momentum never builds up",
                 ("    v = momentum * v + g\n", "    old, v = v, momentum * v + g\n"),
                 ("direction, v", "direction, old"))
sgd_step.mistake("**weight_decay is ignored**", ("g + weight_decay * p", "g"))
sgd_step.mistake("the **decay works on p directly**, as in AdamW; here it is part of the gradient, "
                 "and of v", ("    g = g + weight_decay * p\n", ""),
                 ("return p - lr", "return p * (1 - lr * weight_decay) - lr"))
sgd_step.mistake("the decay has the **wrong sign**: the weights grow; it is added to the gradient, "
                 "which is then subtracted", ("g + weight_decay * p", "g - weight_decay * p"))
sgd_step.mistake("**nesterov changes nothing** (with the old v, g + momentum v is the new v "
                 "itself): take g + momentum v with the new v",
                 ("g + momentum * v if nesterov else v", "v"))
sgd_step.mistake("with nesterov **g itself is missing**: the step is g + momentum v",
                 ("g + momentum * v if", "momentum * v if"))
sgd_step.mistake("the caller's **p is changed**: -= writes into its array; return a new one",
                 ("    return p - lr * direction, v", "    p -= lr * direction\n    return p, v"))
sgd_step.mistake("the caller's **v is changed**: *= and += write into its array; return a new one",
                 ("    v = momentum * v + g\n", "    v *= momentum\n    v += g\n"))

# ---------------------------------------------------------------- clip_grad_norm

clip_grad_norm = exercise(
    LESSON, "clip_grad_norm", "One bad batch must not ruin everything", minutes=10, difficulty=2,
    hints=("All gradients keep their common direction, so all get the same factor. First find the "
           "length of all of them together.",
           "Square every number, add up within each array and over the arrays; the root of that is "
           "the norm. min(..., 1.0) keeps short gradients as they are.",
           "norm = math.sqrt(sum((g**2).sum() for g in grads)); then [g * scale for g in grads]."))


@st.composite
def gradients(draw, limits):
    shape = draw(st.lists(shapes(1, 2, 3), min_size=1, max_size=3))
    grads = [scattered(draw(seeds), s) for s in shape]
    return dict(grads=grads, max_norm=draw(st.sampled_from(limits)))


def clipped(grads, max_norm):
    params = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads]
    for p, g in zip(params, grads, strict=True):
        p.grad = torch.from_numpy(g.copy())
    norm = torch.nn.utils.clip_grad_norm_(params, max_norm)
    return [p.grad for p in params], norm


clip_grad_norm.property(
    "leaves short gradients alone", 1, gradients([100.0, 1000.0]),
    examples=(dict(grads=[np.zeros(2)], max_norm=1.0),))(clipped)
clip_grad_norm.property(
    "shortens gradients that are too long together", 2, gradients([1.0, 0.5, 0.25]),
    examples=(dict(grads=[np.array([3.0]), np.array([4.0])], max_norm=1.0),))(clipped)


@clip_grad_norm.property("leaves its arguments as they are", 1, gradients([1.0]), exact=True,
                         driver=ARGUMENTS_ONLY)
def _(grads, max_norm):
    return grads, max_norm


clip_grad_norm.mistake("**each gradient is clipped alone**: the norm is that of all together, or "
                       "their common direction is lost",
                       ("return [g * scale for g in grads], norm",
                        "norms = [math.sqrt((g**2).sum()) for g in grads]\n"
                        "    return [g * min(max_norm / (n + 1e-6), 1.0)\n"
                        "            for g, n in zip(grads, norms)], norm"))
clip_grad_norm.mistake("the **lengths of the arrays are added up**: add their squares, then take "
                       "the root", ("math.sqrt(sum((g**2).sum() for g in grads))",
                                    "sum(math.sqrt((g**2).sum()) for g in grads)"))
clip_grad_norm.mistake("**each number is cut off** at max_norm; multiply all of them by one factor",
                       ("g * scale", "np.clip(g, -max_norm, max_norm)"))
clip_grad_norm.mistake("short gradients are **made longer**: the factor must not exceed 1",
                       ("min(max_norm / (norm + 1e-6), 1.0)", "max_norm / (norm + 1e-6)"))
clip_grad_norm.mistake("the **root is missing**: the norm is not the sum of squares",
                       ("math.sqrt(sum((g**2).sum() for g in grads))",
                        "float(sum((g**2).sum() for g in grads))"))
clip_grad_norm.mistake("the squares are **averaged** instead of summed",
                       ("sum((g**2).sum() for g in grads)",
                        "sum((g**2).sum() for g in grads) / sum(g.size for g in grads)"))
clip_grad_norm.mistake("**absolute values** are added up instead of squares",
                       ("math.sqrt(sum((g**2).sum() for g in grads))",
                        "float(sum(abs(g).sum() for g in grads))"))
clip_grad_norm.mistake("the norm **after clipping** is returned: return that before, which tells "
                       "how bad the batch was", ("for g in grads], norm",
                                                 "for g in grads], norm * scale"))
clip_grad_norm.mistake("the **1e-6 is missing**: gradients of zero are then divided by zero",
                       ("min(max_norm / (norm + 1e-6), 1.0)", "min(max_norm / norm, 1.0)"))
clip_grad_norm.mistake("the caller's **gradients are changed**, by *= or by writing into its list; "
                       "make new ones",
                       ("    return [g * scale for g in grads], norm",
                        "    for g in grads:\n        g *= scale\n    return list(grads), norm"))

# ---------------------------------------------------------------- adamw_step

adamw_step = exercise(
    LESSON, "adamw_step", "Adam with decoupled weight decay", minutes=20, difficulty=3,
    keywords=("lr", "betas", "eps", "weight_decay"),
    hints=("One line for each formula, in their order. Keep m and v, which are returned, apart "
           "from m' and v', which only this step needs.",
           "1 - b1**t is what the weights of the average sum to after t steps; dividing by it "
           "makes up for the start at 0. eps is added after the root is taken.",
           "p - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps), with p already "
           "multiplied by 1 - lr * weight_decay."))

ADAM_PATH = """
def drive(module, adamw_step, p, grads, **options):
    m, v, path = np.zeros_like(p), np.zeros_like(p), []
    for t, g in enumerate(grads, 1):
        p, m, v = adamw_step(p.copy(), g.copy(), m.copy(), v.copy(), t, **options)
        path.append(p)
    return np.stack(path), m, v
"""
adam = dict(lr=st.sampled_from([0.1, 1.0]), eps=st.sampled_from([1e-8, 0.5]),
            betas=st.sampled_from([(0.9, 0.999), (0.8, 0.9), (0.5, 0.9)]))
decays, none = st.sampled_from([0.5, 0.1]), st.just(0.0)


def adamw_path(p, grads, lr, betas, eps, weight_decay):
    p, step, path = torch.from_numpy(p), torch.zeros(()), []
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    for g in torch.from_numpy(grads):
        adamw([p], [g], [m], [v], [], [step], foreach=False, lr=lr, beta1=betas[0], beta2=betas[1],
              eps=eps, weight_decay=weight_decay, amsgrad=False, maximize=False)
        path.append(p.clone())
    return torch.stack(path), m, v


@st.composite
def adam_step(draw, fresh, **options):
    case = draw(one_step())
    g, t = case["g"], 1 if fresh else draw(sizes(2, 5))
    m, v = (g * 0, g * 0) if fresh else (signed(g.shape), signed(g.shape) ** 2)
    return dict(p=case["p"], g=g, m=m, v=v, t=t) | {k: draw(s) for k, s in options.items()}


@adamw_step.property("takes its first step against the sign of the gradient", 1,
                     adam_step(True, **adam, weight_decay=none))
def _(p, g, m, v, t, **options):
    path, m, v = adamw_path(p, g[None], **options)
    return path[0], m, v


adamw_step.property("follows AdamW's path over several steps", 3,
                    paths(noise, least=2, **adam, weight_decay=none), driver=ADAM_PATH)(adamw_path)
adamw_step.property("decays the weights apart from the gradient", 2,
                    paths(noise, **adam, weight_decay=decays), driver=ADAM_PATH)(adamw_path)


@adamw_step.property("leaves p, g, m and v as they are", 1,
                     adam_step(False, **adam, weight_decay=decays), exact=True,
                     driver=ARGUMENTS_ONLY)
def _(p, g, m, v, t, **options):
    return p, g, m, v, t


adamw_step.mistake("the **bias correction is missing**: m and v start at 0 and are too small at "
                   "first; divide by 1 - b1^t and 1 - b2^t",
                   ("m / (1 - b1**t), v / (1 - b2**t)", "m, v"))
adamw_step.mistake("**only m is corrected**: v starts at 0 as well; divide it by 1 - b2^t",
                   ("v / (1 - b2**t)\n", "v\n"))
adamw_step.mistake("**t is counted from 0**: it is 1 in the first step, so use it as it is",
                   ("(1 - b1**t), v / (1 - b2**t)", "(1 - b1 ** (t + 1)), v / (1 - b2 ** (t + 1))"))
adamw_step.mistake("the correction divides by **1 - b, without t**: it must fade as steps go by",
                   ("(1 - b1**t), v / (1 - b2**t)", "(1 - b1), v / (1 - b2)"))
adamw_step.mistake("the **corrected averages are kept**: return m and v, not m' and v', or they "
                   "are corrected again in the next step", ("+ eps), m, v", "+ eps), mean, square"))
adamw_step.mistake("**eps is inside the root**; add it after the root is taken",
                   ("np.sqrt(square) + eps", "np.sqrt(square + eps)"))
adamw_step.mistake("the **root is missing**: the step is divided by v' itself",
                   ("np.sqrt(square)", "square"))
adamw_step.mistake("v averages **the gradient instead of its square**",
                   ("(1 - b2) * g**2", "(1 - b2) * g"))
adamw_step.mistake("**b1 and b2 are exchanged**: betas is (b1 for m, b2 for v)",
                   ("b1, b2 = betas", "b2, b1 = betas"))
adamw_step.mistake("the averages keep **b of the new and 1 - b of the old**: it is the other way "
                   "round", ("b1 * m + (1 - b1) * g", "(1 - b1) * m + b1 * g"),
                   ("b2 * v + (1 - b2) * g**2", "(1 - b2) * v + b2 * g**2"))
adamw_step.mistake("the decay is **coupled**: it is added to the gradient (that is Adam with L2), "
                   "and so divided by the root of v'; take it from p",
                   ("    p = p * (1 - lr * weight_decay)\n", "    g = g + weight_decay * p\n"))
adamw_step.mistake("the decay **lacks the learning rate**: p shrinks by the share lr * "
                   "weight_decay", ("1 - lr * weight_decay", "1 - weight_decay"))
adamw_step.mistake("the decay is applied **after the step**, and so to the step as well; it "
                   "comes first", ("    p = p * (1 - lr * weight_decay)\n", ""),
                   ("return p - lr * mean / (np.sqrt(square) + eps), m",
                    "p = p - lr * mean / (np.sqrt(square) + eps)\n"
                    "    return p * (1 - lr * weight_decay), m"))
adamw_step.mistake("**weight_decay is ignored**", ("1 - lr * weight_decay", "1"))
adamw_step.mistake("the caller's **m and v are changed**: *= and += write into its arrays",
                   ("    m = b1 * m + (1 - b1) * g\n", "    m *= b1\n    m += (1 - b1) * g\n"),
                   ("    v = b2 * v + (1 - b2) * g**2\n",
                    "    v *= b2\n    v += (1 - b2) * g**2\n"))
