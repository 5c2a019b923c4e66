"""Matrix products under all their names, einsum, and F.linear and F.bilinear."""

import string

import numpy as np
import pytest
import torch
from against_torch import agree, both_raise, host
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn.functional import bilinear, linear

KINDS = st.sampled_from(["float64", "float64", "float32", "int64"])
SIZES = st.integers(0, 4)
T = torch.nn.functional


def numbers(shape, kind="float64", seed=0):
    values = np.random.default_rng((seed, *shape)).integers(-9, 10, shape)
    return np.asarray(values).astype(kind)


@st.composite
def factors(draw):
    """Two arrays that can be multiplied: vectors, matrices, and broadcasting lists of them."""
    n, k, m = draw(SIZES), draw(SIZES), draw(SIZES)
    lead = draw(st.lists(SIZES, max_size=2))
    left = [size if draw(st.booleans()) else 1 for size in lead]
    right = [size if a == 1 else draw(st.sampled_from([1, size]))
             for a, size in zip(left, lead, strict=True)]
    left, right = left[draw(st.integers(0, len(left))) :], right[draw(st.integers(0, len(right))) :]
    a = (k,) if draw(st.integers(0, 3)) == 0 else (*left, n, k)
    b = (k,) if draw(st.integers(0, 3)) == 0 else (*right, k, m)
    kind = draw(KINDS)
    return numbers(a, kind), numbers(b, kind, 1)


@given(factors())
def test_matmul(case):
    agree(ml.matmul, torch.matmul, *case)
    agree(lambda a, b: a @ b, lambda a, b: a @ b, *case)


@pytest.mark.parametrize("a, b", [
    ((2, 3), (2, 3)), ((), (3,)), ((3,), ()), ((), ()), ((3,), (2,)), ((2, 3), (2,)),
    ((2,), (3, 2)), ((2, 2, 3), (3, 3, 4)), ((2, 3), (3, 4, 5)), ((2, 1), (3, 4)), ((2, 3), (1, 4)),
])
def test_matmul_refuses(a, b):
    error = both_raise(ml.matmul, torch.matmul, numbers(a), numbers(b), match="matmul")
    assert str(a) in str(error) and str(b) in str(error)


@pytest.mark.parametrize("name", ["matmul", "mm"])
@pytest.mark.parametrize("kinds", [("float32", "float64"), ("int64", "float32"), ("bool", "bool"),
                                   ("int32", "int64")])
def test_mixed_dtypes(name, kinds):
    x, y = (numbers((2, 2), kind) for kind in kinds)
    assert isinstance(both_raise(getattr(ml, name), getattr(torch, name), x, y), TypeError)


SPECIAL = {
    "mm": [(2, 3), (3, 4)], "bmm": [(2, 3, 4), (2, 4, 5)], "mv": [(2, 3), (3,)],
    "dot": [(3,), (3,)], "outer": [(3,), (2,)], "ger": [(3,), (2,)],
    "addmm": [(2, 4), (2, 3), (3, 4)], "addmv": [(2,), (2, 3), (3,)],
    "baddbmm": [(2, 3, 5), (2, 3, 4), (2, 4, 5)],
}


@pytest.mark.parametrize("name", SPECIAL)
@given(st.data())
def test_special_cases(name, data):
    """Every size of the pattern is replaced by another one, and then each factor by misfits."""
    new = {n: data.draw(SIZES) for n in range(2, 6)}
    kind = data.draw(KINDS)
    xs = [numbers(tuple(new[n] for n in shape), kind, i) for i, shape in enumerate(SPECIAL[name])]
    agree(getattr(ml, name), getattr(torch, name), *xs)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_cases_refuse(name):
    f, g, shapes = getattr(ml, name), getattr(torch, name), SPECIAL[name]
    for i in range(len(shapes)):
        for bad in [(), (7,), (7, 7), (7, 7, 7), (1, 2, 3, 4)]:
            if len(bad) == 1 and name in ("outer", "ger") or not bad and len(shapes) > 2 and i == 0:
                continue  # fits
            both_raise(f, g, *(numbers(bad if j == i else s) for j, s in enumerate(shapes)))
    if name not in ("outer", "ger"):
        kinds = ["float32"] + ["float64"] * 2
        both_raise(f, g, *(numbers(s, k) for s, k in zip(shapes, kinds, strict=False)))
    both_raise(f, g, *(numbers(s) for s in shapes[:-1]))


@given(st.sampled_from(["addmm", "baddbmm", "addmv"]), st.data())
def test_sums_of_products(name, data):
    shapes = list(SPECIAL[name])
    shapes[0] = tuple(data.draw(st.sampled_from([1, n])) for n in shapes[0])
    shapes[0] = shapes[0][data.draw(st.integers(0, len(shapes[0]))) :]
    beta, alpha = data.draw(st.sampled_from([1, 0, 0.5])), data.draw(st.sampled_from([1, 0, -2.0]))
    xs = [numbers(s, seed=i) for i, s in enumerate(shapes)]
    agree(getattr(ml, name), getattr(torch, name), *xs, beta=beta, alpha=alpha)


def test_beta_zero_does_not_look_at_the_input():
    bad = np.full((4,), np.nan)
    agree(ml.addmm, torch.addmm, bad, numbers((2, 3)), numbers((3, 4)), beta=0)


@given(st.data())
def test_inner_and_tensordot(data):
    a = numbers(tuple(data.draw(st.lists(SIZES, max_size=3))))
    k = data.draw(st.integers(0, a.ndim))
    b = numbers((*a.shape[a.ndim - k :], *data.draw(st.lists(SIZES, max_size=2))), seed=1)
    agree(ml.tensordot, torch.tensordot, a, b, dims=k)
    order = data.draw(st.permutations(range(k)))
    pairs = [[d + a.ndim - k for d in order], [d - b.ndim for d in order]]
    agree(lambda x, y: ml.tensordot(x, y, pairs), lambda x, y: torch.tensordot(x, y, pairs), a, b)
    c = numbers((*data.draw(st.lists(SIZES, max_size=2)), *a.shape[-1:]), seed=2)
    agree(ml.inner, torch.inner, a, c)


def test_inner_and_tensordot_refuse():
    a, b = numbers((2, 3)), numbers((4, 5))
    both_raise(ml.inner, torch.inner, a, b)
    for dims in (1, 3, -1, ([0], [0]), ([0, 1], [0]), ([2], [0]), ([0, 0], [0, 0])):
        both_raise(lambda x, y, d=dims: ml.tensordot(x, y, d),
                   lambda x, y, d=dims: torch.tensordot(x, y, d), a, b)


# ---------------------------------------------------------------- einsum


@st.composite
def equations(draw):
    """An equation with operands that fit it: repeated letters, ellipses, sizes 1 and 0."""
    letter = st.sampled_from(string.ascii_letters)
    letters = draw(st.lists(letter, unique=True, min_size=1, max_size=4))
    sizes = {letter: draw(st.sampled_from([0, 1, 2, 2, 3])) for letter in letters}
    ellipsis = draw(st.lists(st.sampled_from([1, 2, 3]), max_size=2))
    terms, operands = [], []
    for i in range(draw(st.integers(1, 3))):
        term = draw(st.lists(st.sampled_from(letters), max_size=3))
        dots = draw(st.booleans())
        # A letter that is repeated in one operand must not broadcast in it.
        shape = [sizes[c] if term.count(c) > 1 or draw(st.integers(0, 3)) else 1 for c in term]
        at = draw(st.integers(0, len(term)))
        if dots:
            lead = [draw(st.sampled_from([1, n])) for n in ellipsis]
            shape[at:at] = lead[draw(st.integers(0, len(lead))) :]
            term.insert(at, "...")
        terms.append("".join(term))
        operands.append(numbers(tuple(shape), seed=i))
    equation = ",".join(terms)
    used = sorted(set(equation) - {",", "."})
    if draw(st.booleans()):
        result = draw(st.permutations(used))[: draw(st.integers(0, len(used)))]
        if draw(st.booleans()):
            result = [*result, "..."][::draw(st.sampled_from([1, -1]))]
        equation += draw(st.sampled_from(["->", " -> "])) + "".join(result)
    return equation, operands


@given(equations())
def test_einsum(case):
    equation, operands = case
    agree(lambda *xs: ml.einsum(equation, *xs), lambda *xs: torch.einsum(equation, *xs), *operands)


@pytest.mark.parametrize("equation, shapes", [
    ("ij,jk", [(2, 3), (3, 4)]), ("ba", [(2, 3)]), ("Ba", [(2, 3)]), ("aB", [(2, 3)]),
    ("ii", [(3, 3)]), ("ii->i", [(3, 3)]), ("iii->i", [(2, 2, 2)]), ("iijj->ji", [(2, 2, 3, 3)]),
    ("...ij,...jk", [(5, 2, 3), (3, 4)]), ("ij->...ij", [(2, 3)]), ("ij,ij->ij", [(1, 3), (2, 1)]),
    ("", [()]), ("->", [()]), (",i->i", [(), (3,)]), (" i j , j k -> i k", [(2, 3), (3, 4)]),
    ("...i,...j->...ij", [(2, 3), (5, 2, 4)]), ("...ii", [(2, 3, 3)]), ("...,...", [(2, 3), (3,)]),
    ("i,ij,j,k->k", [(2,), (2, 3), (3,), (4,)]), ("...i,...i->i", [(2, 1, 3), (5, 3)]),
    ("bn,anm,bm->ba", [(2, 3), (5, 3, 4), (2, 4)]),
    ("bhqd,bhkd->bhqk", [(2, 3, 4, 5), (2, 3, 6, 5)]),
    ("ij,jk", [(2, 0), (0, 3)]), ("ij,jk", [(2, 1), (0, 3)]), ("i,i,i", [(3,), (3,), (3,)]),
])
def test_einsum_by_example(equation, shapes):
    operands = [numbers(shape, seed=i) for i, shape in enumerate(shapes)]
    agree(lambda *xs: ml.einsum(equation, *xs), lambda *xs: torch.einsum(equation, *xs), *operands)
    agree(lambda *xs: ml.einsum(equation, xs), lambda *xs: torch.einsum(equation, xs), *operands)


@pytest.mark.parametrize("lists", [
    [[0, 1], [1, 2], [0, 2]], [[0, 1], [1, 2]], [[..., 0, 1], [1, 2], [..., 2]],
    [[51, 26], [26, 0]], [[3, 2], [2, 1], []],
])
def test_einsum_with_lists(lists):
    xs = [numbers((2, 3)), numbers((3, 4), seed=1)]

    def call(einsum):
        return lambda a, b: einsum(a, lists[0], b, lists[1], *lists[2:])

    agree(call(ml.einsum), call(torch.einsum), *xs)


@pytest.mark.parametrize("equation, shapes", [
    ("ii", [(1, 3)]), ("ij->ii", [(2, 3)]), ("ij->k", [(2, 3)]), ("ij", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3)]), ("ijk", [(2, 3)]), ("i", [(2, 3)]), ("i1", [(2, 3)]), ("i.j", [(2, 3)]),
    ("......i", [(2, 3)]), ("...i...", [(2, 3)]), ("ij,jk", [(2, 3), (2, 3)]), ("i- >i", [(2,)]),
    ("i->j->k", [(2,)]), ("ij->i......", [(2, 3)]), ("...i,...i", [(2, 3), (4, 3)]),
    ("ij,", [(2, 3)]), ("i->ii", [(2,)]), ("ij", []), ("...ij", [(3,)]), (3, [(3,)]),
    ("i;j", [(2, 3)]),
])
def test_einsum_refuses(equation, shapes):
    operands = [numbers(shape) for shape in shapes]
    both_raise(lambda *xs: ml.einsum(equation, *xs), lambda *xs: torch.einsum(equation, *xs),
               *operands, match="einsum")


def test_einsum_refuses_lists():
    x = numbers((2, 3))
    for dims in ([52, 0], [-1, 0], [0], ["i", "j"]):
        both_raise(lambda a, d=dims: ml.einsum(a, d), lambda a, d=dims: torch.einsum(a, d), x)


def test_einsum_and_dtypes():
    a, b = numbers((2, 3), "float32"), numbers((3, 2))
    both_raise(lambda *xs: ml.einsum("ij,jk", *xs), lambda *xs: torch.einsum("ij,jk", *xs), a, b)
    for kind in ("int64", "float32", "bool"):
        x = numbers((2, 3), kind)
        agree(lambda x: ml.einsum("ij->j", x), lambda x: torch.einsum("ij->j", x), x)


# ---------------------------------------------------------------- linear, bilinear


@given(st.lists(SIZES, max_size=3), st.booleans(), st.booleans(), KINDS)
def test_linear(lead, vector, bias, kind):
    x = numbers((*lead, 3), kind)
    weight = numbers((3,) if vector else (4, 3), kind, 1)
    extra = [] if vector or not bias else [numbers((4,), kind, 2)]
    agree(linear, T.linear, x, weight, *extra)


@pytest.mark.parametrize("x, bias", [((2, 3), ()), ((2, 3), (1,)), ((2, 3), (2, 4)), ((3,), (1, 4)),
                                     ((5, 2, 3), (2, 4)), ((2, 3), (2, 1))])
def test_linear_with_another_bias(x, bias):
    agree(linear, T.linear, numbers(x), numbers((4, 3)), numbers(bias))


@pytest.mark.parametrize("shapes", [
    [(2, 3), (4, 2)], [(), (4, 3)], [(2, 3), (2, 4, 3)], [(2, 3), (4, 3), (3,)], [(3,), (3,), (2,)],
    [(2, 3), (4, 3), (3, 4)], [(3,), (4, 3), (2, 4)], [(2, 3), (4, 3), (1, 1, 4)], [(2, 3), ()],
    [(2, 3), (3,), (1,)],
])
def test_linear_refuses(shapes):
    both_raise(linear, T.linear, *map(numbers, shapes), match="linear")


def test_linear_and_bilinear_refuse_mixed_dtypes():
    x, w, b = numbers((2, 3)), numbers((4, 3)), numbers((4,), "float32")
    both_raise(linear, T.linear, x, w.astype("float32"))
    both_raise(linear, T.linear, x, w, b)
    both_raise(bilinear, T.bilinear, x, x, numbers((4, 3, 3)), b)
    both_raise(linear, T.linear, x, w, b=b)


@given(st.lists(SIZES, max_size=2), SIZES, st.booleans(), st.sampled_from(["float64", "float32"]))
def test_bilinear(lead, out, bias, kind):
    xs = [numbers((*lead, 3), kind), numbers((*lead, 2), kind, 1), numbers((out, 3, 2), kind, 2)]
    agree(bilinear, T.bilinear, *xs, *([numbers((out,), kind, 3)] if bias else []), reduction=6)


@pytest.mark.parametrize("shapes", [
    [(1, 3), (2, 2), (4, 3, 2)], [(2, 3), (2, 2), (4, 2, 3)], [(2, 3), (2, 2), (3, 2)],
    [(2, 3), (2, 2), (4, 3, 2), (1,)], [(2, 3), (2, 2), (4, 3, 2), (4, 1)], [(), (2,), (4, 3, 2)],
    [(2, 3), (2,), (4, 3, 2)], [(2, 3), (2, 2), (4, 3, 2), (2, 4)],
])
def test_bilinear_refuses(shapes):
    both_raise(bilinear, T.bilinear, *map(numbers, shapes), match="bilinear")


def test_a_product_with_many_rows_needs_no_batch_of_gradients():
    """The gradient of a matrix that meets a whole batch is one product, not a batch of them."""
    x, w = ml.tensor(numbers((50, 40, 3))), ml.tensor(numbers((3, 4)), requires_grad=True)
    (g,) = ml.grad((x @ w).sum(), w)
    assert g.shape == (3, 4)
    assert np.array_equal(host(g), np.repeat(host(x).sum((0, 1))[:, None], 4, 1))
