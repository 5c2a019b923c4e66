"""Lesson 5, at last: how good the net is, and what its loss looks like from where it stands."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st

from .contract import Raises, exercise
from .resnet import LESSON
from .strategies import noise, scattered, seeds, shapes, signed, sizes

# ---------------------------------------------------------------- confusion_matrix

confusion_matrix = exercise(
    LESSON, "confusion_matrix", "What is taken for what?", minutes=10, difficulty=2,
    hints=("The prediction is scores.argmax(axis=1); then count pairs (label, prediction).",
           "counts[labels, predicted] += 1 counts a pair that occurs twice only once.",
           "np.add.at(counts, (labels, predicted), 1), or np.bincount of labels * K + predicted."))


@st.composite
def judged(draw):
    """Draw scores without ties."""
    n, k = draw(sizes(1, 9)), draw(sizes(2, 4))
    chance = np.random.default_rng(draw(seeds))
    scores = chance.permuted(np.tile(np.arange(k) - 1.5, (n, 1)), axis=1)
    return dict(scores=scores, labels=chance.integers(0, k, n))


@confusion_matrix.property("counts classes against predictions", 3, judged(), examples=(dict(
    scores=np.array([[-1.0, -2.0], [-1.0, -2.0]]), labels=np.array([1, 1])),))
def _(scores, labels):
    k = scores.shape[1]
    pairs = torch.from_numpy(labels) * k + torch.from_numpy(scores).argmax(1)
    return torch.bincount(pairs, minlength=k * k).reshape(k, k)


ADDED = "np.add.at(counts, (labels, predicted), 1)"
confusion_matrix.mistake(
    "rows and columns are **swapped**: rows are true classes, columns predictions",
    ("(labels, predicted)", "(predicted, labels)"))
confusion_matrix.mistake(
    "a pair that occurs **twice is counted once**: `counts[i, j] += 1` with arrays does not add "
    "up; use np.add.at",
    (ADDED, "counts[labels, predicted] += 1"))
confusion_matrix.mistake(
    "the prediction is the class with the **smallest** score",
    ("argmax", "argmin"))
confusion_matrix.mistake(
    "the prediction is taken **over the examples** (axis 0), not over the classes",
    ("argmax(axis=1)", "argmax(axis=0)"))
confusion_matrix.mistake(
    "there are only **as many classes as occur** in labels; scores has K columns",
    ("K = scores.shape[1]", "K = labels.max() + 1"))
confusion_matrix.mistake("only the **right predictions** are counted",
                         (ADDED, "np.add.at(counts, (labels, labels), labels == predicted)"))
confusion_matrix.mistake("the counts are **divided by the row's sum**; counts are due",
                         ("return counts", "return counts / counts.sum(axis=1, keepdims=True)"))

# ---------------------------------------------------------------- top_k_accuracy

top_k_accuracy = exercise(
    LESSON, "top_k_accuracy", "Right among the best k", minutes=10, difficulty=2, keywords=("k",),
    hints=("np.argsort sorts from the smallest to the largest: the best are at the end, or sort "
           "-scores.",
           "Compare the best k classes (N, k) with labels[:, None]: one hit per example is enough.",
           "(best == labels[:, None]).any(axis=1).mean()"))


@st.composite
def judged_by_k(draw):
    case = draw(judged())
    return case | dict(k=draw(sizes(1, case["scores"].shape[1])))


@top_k_accuracy.property("is the share of labels among the best k", 3, judged_by_k())
def _(scores, labels, k):
    best = torch.from_numpy(scores).topk(k, dim=1).indices
    return (best == torch.from_numpy(labels)[:, None]).any(1).double().mean()


@top_k_accuracy.property("refuses a k that is no number of classes", 1, st.builds(
    lambda case, k: case | dict(k=k), judged(), st.sampled_from((0, -1, 5, 9))))
def _(scores, labels, k):
    return Raises("ValueError")


HITS = "(best == labels[:, None]).any(axis=1).mean()"
top_k_accuracy.mistake("the **k worst** classes are taken: argsort starts with the smallest",
                       ("argsort(-scores", "argsort(scores"))
top_k_accuracy.mistake("**k is ignored**: only the best class counts", ("[:, :k]", "[:, :1]"))
top_k_accuracy.mistake("only the **k-th best** class counts, not all up to it",
                       ("[:, :k]", "[:, k - 1 : k]"))
top_k_accuracy.mistake("the hits are **counted**; their share of the examples is due",
                       (".any(axis=1).mean()", ".any(axis=1).sum()"))
top_k_accuracy.mistake("the hits are divided by **N * k** (a mean over all comparisons), not by N",
                       (".any(axis=1).mean()", ".mean()"))
top_k_accuracy.mistake("the share of the **wrong** ones is returned", (HITS, f"1 - {HITS}"))
top_k_accuracy.mistake("the scores are sorted **over the examples** (axis 0), not over the classes",
                       ("axis=1)[:, :k]", "axis=0)[:, :k]"))
top_k_accuracy.mistake(
    "a **k outside 1 to K** is not refused",
    ("if not 1 <= k <= scores.shape[1]:", "if False:"))

# ---------------------------------------------------------------- filter_normalised

filter_normalised = exercise(
    LESSON, "filter_normalised", "Directions as long as the weights", minutes=15, difficulty=2,
    hints=("One length per index of axis 0, over all the other axes.",
           "np.sqrt((w ** 2).sum(axis=(1, 2, 3), keepdims=True)) has the shape (F, 1, 1, 1); for "
           "any number of axes, the others are tuple(range(1, w.ndim)).",
           "direction * length of weight / (length of direction + 1e-10); zeros if ndim < 2."))


@st.composite
def filters(draw, least=2, fill=None):
    shape, seed = draw(shapes(least, max(least, 4) if least > 1 else 1, 3)), draw(seeds)
    direction = noise(seed, shape) if fill == noise else signed(shape, 2)
    direction[len(direction) - draw(st.integers(0, 1)):] = 0  # one filter of zeros, or none
    weight = scattered(seed, shape, -5, 5) if fill else signed(shape)
    return dict(direction=direction, weight=weight)


def by_filters(direction, weight):
    d, w = (torch.from_numpy(a).flatten(1) for a in (direction, weight))
    lengths = torch.linalg.vector_norm(w, dim=1) / (torch.linalg.vector_norm(d, dim=1) + 1e-10)
    return (torch.diag(lengths) @ d).reshape(direction.shape)


filter_normalised.property("gives each filter the length of the weight's", 3,
                           filters())(by_filters)
filter_normalised.property("is zero for biases and batch norms", 1, filters(1))(
    lambda direction, weight: torch.zeros(weight.shape).double())


@filter_normalised.property("is right for any numbers, and leaves its arguments as they are", 1,
                            filters(fill=noise), unchanged=True)
def _(direction, weight):
    return by_filters(direction, weight)


@filter_normalised.property("refuses different shapes", 1, st.builds(
    lambda f, d, more: dict(direction=signed((1, d)), weight=signed((f + more, d))),
    sizes(), sizes(), sizes()))
def _(direction, weight):
    return Raises("ValueError")


SCALED = "direction * wanted / (length + 1e-10)"
filter_normalised.mistake("there is **one length for the whole array**: each filter has its own",
                          ("tuple(range(1, weight.ndim))", "tuple(range(weight.ndim))"))
filter_normalised.mistake("the filters are taken along **axis 1**; they are counted by axis 0",
                          ("tuple(range(1, weight.ndim))", "(0, *range(2, weight.ndim))"))
filter_normalised.mistake("biases and batch norms **keep their direction**: it must be zeros",
                          ("return np.zeros_like(weight)", "return direction"))
filter_normalised.mistake("the filters get the **length 1**; they get that of the weight's filters",
                          ("* wanted ", ""))
filter_normalised.mistake("the ratio of the lengths is **upside down**",
                          (SCALED, "direction * length / (wanted + 1e-10)"))
filter_normalised.mistake("the **root is missing**: lengths are squared",
                          ("np.sqrt((weight**2).sum(axis=others, keepdims=True))",
                           "(weight**2).sum(axis=others, keepdims=True)"),
                          ("np.sqrt((direction**2).sum(axis=others, keepdims=True))",
                           "(direction**2).sum(axis=others, keepdims=True)"))
filter_normalised.mistake(
    "the direction is **multiplied by the weight**, number by number; only the lengths are "
    "compared",
    (SCALED, "direction * np.abs(weight)"))
filter_normalised.mistake("the direction is **not divided by its own length**",
                          (SCALED, "direction * wanted"))
filter_normalised.mistake(
    "**1e-10 is missing**: a filter of zeros becomes nan",
    ("(length + 1e-10)", "length"))
filter_normalised.mistake("**different shapes are not refused**: NumPy may broadcast them",
                          ("if direction.shape != weight.shape:", "if False:"))

# ---------------------------------------------------------------- loss_surface

SURFACE = """
def drive(module, function, inputs, targets, parameters, d1, d2, alphas, betas):
    calls = []
    def loss(parameters):
        calls.append(1)
        w, b = parameters
        return ((inputs @ w + b - targets) ** 2).sum()
    surface = function(loss, parameters, d1, d2, alphas, betas)
    return {"surface": surface, "calls of loss": len(calls), "parameters afterwards": parameters,
            "directions afterwards": [d1, d2]}
"""
loss_surface = exercise(
    LESSON, "loss_surface", "A loss, seen from above", minutes=15, difficulty=2, driver=SURFACE,
    hints=("Two loops, over alphas and over betas; each element is one call of loss.",
           "Start from the parameters every time, and make new arrays: p + a * u + b * v.",
           "[p + a * u + b * v for p, u, v in zip(parameters, d1, d2)]"))


@st.composite
def planes(draw, fill=None):
    n, d, k, rows, columns = (draw(sizes(1, most)) for most in (2, 3, 2, 3, 4))
    seed = draw(seeds)
    fill = fill or scattered
    made = [[fill(seed + i, (d, k)), fill(seed + i + 7, k)] for i in range(3)]
    inputs, targets = scattered(seed + 20, (n, d), -3, 3), fill(seed + 21, (n, k))
    alphas, betas = signed(rows, 0), signed(columns, 1)
    return dict(inputs=inputs, targets=targets, parameters=made[0], d1=made[1], d2=made[2],
                alphas=alphas, betas=betas)


def all_at_once(inputs, targets, parameters, d1, d2, alphas, betas):
    a, b = torch.from_numpy(alphas)[:, None, None, None], torch.from_numpy(betas)[:, None, None]
    w, c = (torch.from_numpy(p) + a * torch.from_numpy(u) + b * torch.from_numpy(v)
            for p, u, v in zip(parameters, d1, d2, strict=True))
    errors = torch.from_numpy(inputs) @ w + c - torch.from_numpy(targets)
    return {"surface": errors.square().sum((2, 3)), "calls of loss": len(alphas) * len(betas),
            "parameters afterwards": parameters, "directions afterwards": [d1, d2]}


loss_surface.property("is the loss at every place, here |inputs @ w + b - targets|²", 3, planes(),
                      exact=True)(all_at_once)
loss_surface.property("is right for any numbers", 1, planes(noise))(all_at_once)

MOVED = "[p + a * u + b * v for p, u, v in zip(parameters, d1, d2, strict=True)]"
loss_surface.mistake("the surface is **transposed**: rows belong to alphas, columns to betas",
                     ("return surface", "return surface.T"))
loss_surface.mistake("the **directions are swapped**: alphas go with d1, betas with d2",
                     ("a * u + b * v", "a * v + b * u"))
loss_surface.mistake("the **second direction is left out**", (" + b * v", ""))
loss_surface.mistake("**both numbers go with d1**", ("b * v", "b * u"))
loss_surface.mistake("only the **first array** of the parameters is moved",
                     (MOVED, "[parameters[0] + a * d1[0] + b * d2[0], *parameters[1:]]"))
loss_surface.mistake(
    "the **parameters are moved in place** and never brought back, so that the steps add up",
    (MOVED,
     "parameters\n            for p, u, v in zip(parameters, d1, d2):\n"
     "                p += a * u + b * v"))
loss_surface.mistake(
    "the **numbers of the row and column** are used instead of alphas[i] and betas[j]",
    ("a * u + b * v", "i * u + j * v"))
loss_surface.mistake(
    "the loss is measured **relative to the parameters' own**; it is not subtracted",
    ("return surface", "return surface - loss(parameters)"))
loss_surface.mistake("the **parameters are left out**: the grid is around them, not around zero",
                     ("p + a * u", "a * u"))

# ---------------------------------------------------------------- plane_coordinates

plane_coordinates = exercise(
    LESSON, "plane_coordinates", "Where on the map?", minutes=20, difficulty=3,
    hints=("Make one long vector of each list: all arrays, raveled and joined.",
           "With the two directions as the columns of a matrix D, D @ (a, b) should be as near to "
           "point - centre as possible: that is linear least squares.",
           "np.linalg.lstsq(D, difference, rcond=None)[0] holds a and b."))


@st.composite
def maps(draw, inside):
    """Draw two directions that are not parallel, and a point in or beside their plane."""
    d, k = draw(sizes(1, 3)), draw(sizes(1, 2))
    chance = np.random.default_rng(draw(seeds))
    centre, d1, d2, point = ([chance.standard_normal((d, k)).round(1), chance.standard_normal(
        k + 1).round(1)] for _ in range(4))
    d1[1][0], d1[1][1], d2[1][0], d2[1][1] = 2.0, 1.0, 1.0, 3.0
    if inside:
        a, b = draw(st.integers(-3, 3)), draw(st.integers(-3, 3))
        point = [c + a * u + b * v for c, u, v in zip(centre, d1, d2, strict=True)]
    return dict(point=point, centre=centre, d1=d1, d2=d2)


def least_squares(point, centre, d1, d2):
    point, centre, d1, d2 = (torch.cat([torch.from_numpy(a).flatten() for a in arrays])
                             for arrays in (point, centre, d1, d2))
    normal = torch.stack([torch.stack([u @ v for v in (d1, d2)]) for u in (d1, d2)])
    a, b = torch.linalg.solve(normal, torch.stack([d1 @ (point - centre), d2 @ (point - centre)]))
    return a, b


plane_coordinates.property("finds a point of the plane again", 2, maps(True),
                           rtol=1e-7)(least_squares)
plane_coordinates.property("finds the nearest place to any point", 2, maps(False),
                           rtol=1e-7)(least_squares)


@plane_coordinates.property("leaves its arguments as they are", 1, maps(False), rtol=1e-7,
                            unchanged=True)
def _(**case):
    return least_squares(**case)


SOLVED = "np.linalg.lstsq(directions, column[0] - column[1], rcond=None)[0]"
ALONG = "directions.T @ (column[0] - column[1])"
plane_coordinates.mistake(
    "the coordinates are **plain dot products**: divide out the directions' own lengths and "
    "their angle",
    (SOLVED, ALONG))
plane_coordinates.mistake(
    "a **right angle** between the directions is taken for granted (dot product / length²): "
    "solve for both at once",
    (SOLVED, f"{ALONG} / (directions**2).sum(axis=0)"))
plane_coordinates.mistake(
    "the dot products are divided by the **length**; by this alone the scale and the angle are "
    "not right",
    (SOLVED, f"{ALONG} / np.sqrt((directions**2).sum(axis=0))"))
plane_coordinates.mistake("the **centre is not subtracted** from the point",
                          ("column[0] - column[1]", "column[0]"))
plane_coordinates.mistake("the difference is taken the **wrong way round**: point - centre",
                          ("column[0] - column[1]", "column[1] - column[0]"))
plane_coordinates.mistake("**a and b are swapped**", ("return a, b", "return b, a"))
plane_coordinates.mistake("only the **last array** of each list is used: all of them count",
                          ("np.concatenate([a.ravel() for a in arrays])", "arrays[-1].ravel()"))
plane_coordinates.mistake("the arguments are **changed in place** (`p -= c`)",
                          ("    column = ", "    for p, c in zip(point, centre):\n        p -= c\n"
                           "    centre = [0 * c for c in centre]\n    column = "))
