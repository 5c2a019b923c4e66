"""Arranging, cutting and joining: ops/shape.py, pieces.py and diagonal.py, and F.pad."""

import math

import numpy as np
import pytest
import torch
from against_torch import agree, both_raise, close, host, ours, theirs
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn.functional import pad

KINDS = st.sampled_from(["float64", "float64", "float32", "int64", "bool"])


def numbers(shape, kind="float64", seed=0):
    values = np.random.default_rng(seed).permutation(math.prod(shape)).reshape(shape)
    return np.asarray(values - values.size // 2).astype(kind).reshape(shape)


def arrays(min_dims=0, max_dims=4, min_size=0, kinds=KINDS):
    """All-different sizes mostly, sizes 1 and 0, no dimension at all."""
    shapes = st.lists(st.integers(min_size, 5), min_size=min_dims, max_size=max_dims)
    return st.builds(numbers, shapes.map(tuple), kinds)


def method(name, *args, **kwargs):
    return lambda x, *more: getattr(x, name)(*args, *more, **kwargs)


def same(name, x, *args, **kwargs):
    """Compare a method that both have."""
    call = method(name, *args, **kwargs)
    agree(call, call, x)


def refuse(name, x, *args, match=None, **kwargs):
    call = method(name, *args, **kwargs)
    return both_raise(call, call, x, match=match or name)


@st.composite
def with_dims(draw, minimum=0, **options):
    """An array and some of its dimensions, each once, counted from the front or the end."""
    x = draw(arrays(**options))
    chosen = draw(st.permutations(range(x.ndim))) if x.ndim else []
    count = draw(st.integers(min(minimum, x.ndim), x.ndim))
    return x, tuple(d - draw(st.sampled_from([0, x.ndim])) for d in chosen[:count])


@st.composite
def with_shape(draw):
    """An array and another shape of as many elements, perhaps with a -1."""
    shape = draw(st.lists(st.integers(1, 4), max_size=4))
    x = numbers(tuple(draw(st.permutations(shape))), draw(KINDS))
    target = [n for n in shape if n != 1 or draw(st.booleans())]
    if target and draw(st.booleans()):
        target[draw(st.integers(0, len(target) - 1))] = -1
    return x, tuple(target)


# ---------------------------------------------------------------- one tensor, other dimensions


@given(with_shape())
def test_reshape_and_view(case):
    x, shape = case
    for name in ("reshape", "view"):
        same(name, x, shape)
        same(name, x, list(shape))
        if shape:
            same(name, x, *shape)
    agree(ml.reshape, torch.reshape, x, shape)


@given(arrays())
def test_views_of_another_tensor(x):
    flat = numbers((x.size,))
    for name in ("view_as", "reshape_as"):
        agree(lambda a, b, name=name: getattr(a, name)(b),
              lambda a, b, name=name: getattr(a, name)(b), flat, x, order=1)


@pytest.mark.parametrize("size", [(4,), (-1, -1), (-2, 3), (5, -1), (0, -1), (2.0, 3), (True, 6),
                                  ("2", 3)])
@pytest.mark.parametrize("name", ["reshape", "view"])
def test_shapes_that_do_not_fit(name, size):
    refuse(name, numbers((2, 3)), size)


def test_empty_shapes():
    empty = numbers((0, 3))
    same("reshape", empty, 0, 7)
    same("reshape", empty, -1, 3)
    same("unflatten", empty, 0, (-1, 5))
    for size in [(-1, 0), (0, -1), (3, -1, 0)]:
        refuse("reshape", empty, size)
    for name in ("reshape", "view", "permute", "expand", "repeat", "tile"):
        both_raise(method(name), method(name), empty)


@given(arrays(), st.data())
def test_flatten_and_unflatten(x, data):
    n = max(x.ndim, 1)
    a = data.draw(st.integers(0, n - 1))
    b = data.draw(st.integers(a, n - 1))
    agree(ml.flatten, torch.flatten, x, a - n, b)
    same("flatten", x, start_dim=a)
    same("ravel", x)
    if x.ndim and x.shape[a] > 0:
        sizes = data.draw(st.sampled_from([(x.shape[a],), (1, -1), (-1, x.shape[a], 1)]))
        agree(ml.unflatten, torch.unflatten, x, a - n, sizes)


def test_flatten_and_unflatten_refuse():
    x = numbers((2, 6))
    refuse("flatten", x, 1, 0)
    refuse("flatten", x, 2)
    for args in [(1, (4, -1)), (1, ()), (2, (2, 3)), (1, (-1, -1)), (0, (3,))]:
        refuse("unflatten", x, *args)
    refuse("unflatten", numbers(()), 0, (1,))


@given(with_dims())
def test_squeeze_and_unsqueeze(case):
    x, dims = case
    same("squeeze", x)
    same("squeeze", x, dims)
    for d in dims:
        agree(ml.squeeze, torch.squeeze, x, d)
        agree(ml.unsqueeze, torch.unsqueeze, x, d)
    same("unsqueeze", x, x.ndim)


def test_dimensions_that_do_not_exist():
    x = numbers((2, 1))
    for bad in (2, -3, 1.0, "0"):
        refuse("squeeze", x, bad)
        refuse("transpose", x, 0, bad)
        refuse("flip", x, (bad,))
        refuse("narrow", x, bad, 0, 1)
        refuse("split", x, 1, bad)
        refuse("unbind", x, bad)
        refuse("movedim", x, 0, bad)
        both_raise(lambda a, b=bad: ml.cat([a, a], b), lambda a, b=bad: torch.cat([a, a], b), x)
    for bad in (3, -4, 1.5):
        refuse("unsqueeze", x, bad)
    refuse("squeeze", x, (1, 1))
    refuse("squeeze", x, (1, -1))


@given(with_dims(), st.data())
def test_order_of_dimensions(case, data):
    x, _ = case
    order = data.draw(st.permutations(range(x.ndim)))
    order = tuple(d - data.draw(st.sampled_from([0, x.ndim])) for d in order)
    agree(ml.permute, torch.permute, x, order)
    if order:
        same("permute", x, *order)
        for name in ("transpose", "swapaxes", "swapdims"):
            same(name, x, order[0], order[-1])
    n = data.draw(st.integers(0, x.ndim))
    where = tuple(data.draw(st.permutations(range(x.ndim)))[:n])
    agree(ml.movedim, torch.movedim, x, order[:n], where)
    if order:
        same("moveaxis", x, order[0], where[0] if where else 0)


def test_order_of_dimensions_refuses():
    x = numbers((2, 3, 4))
    for dims in [(0, 1), (0, 1, 1), (0, 1, 3), (0, 1, 2, 0), (0.0, 1, 2)]:
        refuse("permute", x, dims)
    refuse("movedim", x, (0, 1), (0,))
    refuse("movedim", x, (0, 0), (0, 1))
    refuse("movedim", x, (0, 1), (1, 1))
    both_raise(ml.t, torch.t, x, match="t:")
    for shape in [(), (3,), (2, 3)]:
        agree(ml.t, torch.t, numbers(shape))
    scalar = numbers(())
    same("transpose", scalar, 0, -1)
    same("movedim", scalar, 0, 0)
    same("permute", scalar, ())


@given(arrays(min_size=1), st.data())
def test_expand(x, data):
    lead = data.draw(st.lists(st.integers(0, 3), max_size=2))
    sizes = [data.draw(st.sampled_from([0, 1, 4] if n == 1 else [n, -1])) for n in x.shape]
    same("expand", x, (*lead, *sizes))
    if sizes:
        same("expand", x, *lead, *sizes)
    other = numbers((2, *x.shape))
    agree(lambda a, b: a.expand_as(b), lambda a, b: a.expand_as(b), x, other, order=1)


@pytest.mark.parametrize("size", [(3,), (2, 4), (-1, 2, 3), (0, 3), (2, -2), (2, 3.0), (5, 3)])
def test_expand_refuses(size):
    refuse("expand", numbers((2, 3)), size)


@given(with_dims(), st.data())
def test_flip_and_roll(case, data):
    x, dims = case
    agree(ml.flip, torch.flip, x, dims)
    if dims:
        same("flip", x, *dims)
        shifts = tuple(data.draw(st.integers(-7, 7)) for _ in dims)
        agree(ml.roll, torch.roll, x, shifts, dims)
        same("roll", x, shifts[0], dims[0])
        same("roll", x, shifts * 2, dims * 2)
    agree(ml.roll, torch.roll, x, data.draw(st.integers(-7, 7)))


def test_flip_and_roll_refuse():
    x = numbers((2, 3))
    for dims in [(0, 0), (0, -2), (2,)]:
        refuse("flip", x, dims)
    for args in [((1, 2),), ((1, 2), 0), (1, (0, 1)), (1, 2), (1.5,), ((), ())]:
        refuse("roll", x, *args)
    refuse("roll", numbers(()), 1, 0)


@given(arrays(min_dims=2), st.integers(-5, 5))
def test_turning(x, k):
    agree(ml.rot90, torch.rot90, x, k)
    agree(ml.rot90, torch.rot90, x, k, (-1, 0))
    agree(ml.fliplr, torch.fliplr, x)
    agree(ml.flipud, torch.flipud, x)


def test_turning_refuses():
    x = numbers((2, 3))
    for dims in [(0, 0), (0,), (0, 1, 1), (0, 2)]:
        refuse("rot90", x, 1, dims)
    refuse("fliplr", numbers((3,)))
    refuse("flipud", numbers(()))


# ---------------------------------------------------------------- joining


@st.composite
def joinable(draw, kinds=KINDS):
    """Arrays that agree in all sizes but one, and that dimension."""
    shape = draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    parts = []
    for i in range(draw(st.integers(1, 4))):
        own = list(shape)
        own[dim] = draw(st.integers(0, 4))
        parts.append(numbers(tuple(own), draw(kinds), seed=i))
    return parts, dim


@given(joinable())
def test_cat(case):
    parts, dim = case
    agree(ml.cat, torch.cat, parts, dim)
    agree(ml.concat, torch.concat, tuple(parts), dim=dim)
    empty = numbers((0,))  # is passed over, but has a say in the dtype
    agree(ml.cat, torch.cat, [empty, *parts, empty], dim)


@given(st.integers(1, 4), arrays(kinds=st.just("float64")), st.data())
def test_stack(count, x, data):
    parts = [numbers(x.shape, data.draw(KINDS), seed=i) for i in range(count)]
    agree(ml.stack, torch.stack, parts, data.draw(st.integers(-x.ndim - 1, x.ndim)))


def test_the_same_tensor_may_come_twice():
    agree(lambda x: ml.cat([x * x, x, x]), lambda x: torch.cat([x * x, x, x]), numbers((3, 2)))


@pytest.mark.parametrize("shapes, dim", [
    ([(2, 3), (2, 4)], 0), ([(2, 3), (3, 3)], 1), ([(2, 3), (3,)], 0), ([()], 0), ([(2,), ()], 0),
    ([(2, 3), (0, 4)], 0), ([(2, 3), (2, 3)], 2), ([(0,), (2, 3)], 2), ([(0, 1), (2, 3)], 0),
])
def test_cat_refuses(shapes, dim):
    both_raise(ml.cat, torch.cat, [numbers(s) for s in shapes], dim, match="cat")


def test_joining_refuses():
    x = numbers((2, 3))
    both_raise(ml.stack, torch.stack, [x, numbers((3, 2))], match="tensors[1]=(3, 2)")
    both_raise(ml.stack, torch.stack, [x, x], 3, match="stack")
    for name in ("cat", "stack", "hstack", "vstack", "dstack"):
        for bad in ([], x, [x, 1.0], [x, None], 3, [[1.0]]):
            both_raise(getattr(ml, name), getattr(torch, name), bad, match=name)


@pytest.mark.parametrize("shapes", [[(), (3,)], [(2,), (3,)], [(2, 3), (2, 3)], [(3,), (2, 3)],
                                    [(2, 3, 4), (2, 3, 4)], [(), ()], [(1, 3), (3,)]])
@pytest.mark.parametrize("name", ["hstack", "vstack", "dstack"])
def test_stacking_in_fixed_directions(name, shapes):
    parts = [numbers(s, seed=i) for i, s in enumerate(shapes)]
    f, g = getattr(ml, name), getattr(torch, name)
    try:
        g([theirs(p) for p in parts])
    except RuntimeError:
        both_raise(f, g, parts)
    else:
        agree(f, g, parts)


@given(arrays(), arrays())
def test_at_least_so_many_dimensions(x, y):
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        f, g = getattr(ml, name), getattr(torch, name)
        agree(f, g, x)
        agree(f, g, x, y)
        agree(f, g, [x, y])


# ---------------------------------------------------------------- cutting


@given(arrays(min_dims=1), st.data())
def test_cutting(x, data):
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = x.shape[dim]
    step = data.draw(st.integers(1, 6))
    agree(ml.split, torch.split, x, step, dim)
    agree(ml.chunk, torch.chunk, x, step, dim)
    agree(ml.tensor_split, torch.tensor_split, x, step, dim)
    agree(ml.unbind, torch.unbind, x, dim)
    places = data.draw(st.lists(st.integers(-7, 7), max_size=3))
    agree(ml.tensor_split, torch.tensor_split, x, tuple(places), dim)
    agree(ml.tensor_split, torch.tensor_split, x, np.array(places, np.int64), dim)
    ends = sorted([0, size, *data.draw(st.lists(st.integers(0, size), max_size=3))])
    agree(ml.split, torch.split, x, list(np.diff(ends).tolist()), dim)
    start = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - start))
    agree(ml.narrow, torch.narrow, x, dim, start, length)
    if size:
        agree(ml.select, torch.select, x, dim, start - size if start else 0)
        agree(ml.narrow, torch.narrow, x, dim, -1, 1)


def test_cutting_refuses():
    x = numbers((2, 5))
    for sizes in [0, -1, [-1, 3], [1, 2], [1], 1.0, [1, 1.0]]:
        refuse("split", x, sizes)
    for count in [0, -1, 1.5]:
        refuse("chunk", x, count)
        refuse("tensor_split", x, count)
    for name, args in {"split": (1,), "chunk": (1,), "unbind": (), "tensor_split": (1,),
                       "narrow": (0, 0, 1), "select": (0, 0)}.items():
        refuse(name, numbers(()), *args)
    for args in [(1, 6, 0), (1, -6, 1), (1, 0, -1), (1, 3, 3), (1, 0, 6), (1, -1, 2), (1, 0.0, 1)]:
        refuse("narrow", x, *args)
    for args in [(1, 5), (1, -6), (2, 0)]:
        refuse("select", x, *args)
    agree(ml.split, torch.split, numbers((0, 2)), 0)


# ---------------------------------------------------------------- repeating


@given(arrays(), st.data())
def test_repeating(x, data):
    lead = data.draw(st.lists(st.integers(0, 2), max_size=2))
    repeats = (*lead, *(data.draw(st.integers(0, 3)) for _ in x.shape))
    same("repeat", x, repeats)
    if repeats:
        same("repeat", x, *repeats)
        agree(ml.tile, torch.tile, x, repeats[-1:])
    agree(ml.tile, torch.tile, x, repeats)


@given(arrays(), st.data())
def test_repeat_interleave(x, data):
    n = data.draw(st.integers(0, 3))
    agree(ml.repeat_interleave, torch.repeat_interleave, x, n)
    if not x.ndim:
        return
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    agree(ml.repeat_interleave, torch.repeat_interleave, x, n, dim, output_size=n * x.shape[dim])
    agree(ml.repeat_interleave, torch.repeat_interleave, x, np.array([n]), dim)
    agree(ml.repeat_interleave, torch.repeat_interleave, x, np.array(n, np.int32), dim)
    counts = [data.draw(st.integers(0, 3)) for _ in range(x.shape[dim])]
    agree(ml.repeat_interleave, torch.repeat_interleave, x, np.array(counts, np.int64), dim)


def test_repeating_refuses():
    x = numbers((2, 3))
    for repeats in [(2,), (-1, 2), (1.0, 2)]:
        refuse("repeat", x, repeats)
    refuse("tile", x, (-1,))
    for args in [(-1,), (np.array([1.0, 2.0]), 0), (np.array([[1, 2]]), 0),
                 (np.array([1, 2, 3]), 0), ([1, 2], 0), (1.5,), (2, 2), (np.array([1, -2]), 0)]:
        both_raise(ml.repeat_interleave, torch.repeat_interleave, x, *args, match="repeat_inter")
    both_raise(ml.repeat_interleave, torch.repeat_interleave, x, 2, 0, output_size=5)


# ---------------------------------------------------------------- triangles and diagonals


@given(arrays(min_dims=2), st.integers(-6, 6), st.data())
def test_triangles_and_diagonals(x, offset, data):
    agree(ml.tril, torch.tril, x, offset)
    agree(ml.triu, torch.triu, x, diagonal=offset)
    a, b = data.draw(st.permutations(range(x.ndim)))[:2]
    agree(ml.diagonal, torch.diagonal, x, offset, a - x.ndim, b)


@given(arrays(min_dims=1, max_dims=3), st.integers(-3, 3), st.data())
def test_matrices_from_diagonals(x, offset, data):
    agree(ml.diag_embed, torch.diag_embed, x, offset)
    a, b = data.draw(st.permutations(range(x.ndim + 1)))[:2]
    agree(ml.diag_embed, torch.diag_embed, x, offset, a, b - x.ndim - 1)
    agree(ml.diagflat, torch.diagflat, x, offset)
    if x.ndim < 3:
        agree(ml.diag, torch.diag, x, offset)
    if x.ndim == 2 and x.dtype != bool:
        agree(ml.trace, torch.trace, x)


def test_triangles_drop_what_is_not_finite():
    agree(ml.tril, torch.tril, np.array([[1.0, np.nan], [np.inf, 2.0]]))


def test_diagonals_refuse():
    vector, x = numbers((3,)), numbers((2, 3, 4))
    for name in ("tril", "triu", "diagonal", "trace"):
        refuse(name, vector)
    refuse("diagonal", x, 0, 1, 1)
    refuse("diagonal", x, 0, 0, 3)
    both_raise(ml.diag_embed, torch.diag_embed, x, 0, 0, 0)
    both_raise(ml.diag_embed, torch.diag_embed, numbers(()))
    for bad in (numbers(()), x):
        both_raise(ml.diag, torch.diag, bad, match="diag")


@given(st.integers(0, 5), st.integers(0, 5), st.integers(-6, 6))
def test_places_of_triangles(row, col, offset):
    close(ml.tril_indices(row, col, offset), torch.tril_indices(row, col, offset))
    close(ml.triu_indices(row, col, offset), torch.triu_indices(row, col, offset))


@pytest.mark.parametrize("sizes", [(3,), (2, 3), (2, 0, 4), (None, 3), (2, 3, 1)])
@pytest.mark.parametrize("indexing", ["ij", "xy"])
def test_meshgrid(sizes, indexing):
    lines = [numbers(() if n is None else (n,)) for n in sizes]
    agree(ml.meshgrid, torch.meshgrid, *lines, indexing=indexing)
    agree(ml.meshgrid, torch.meshgrid, lines, indexing=indexing)


def test_grids_refuse():
    x = numbers((2,))
    both_raise(ml.meshgrid, torch.meshgrid, x, indexing="up")
    both_raise(ml.meshgrid, torch.meshgrid, numbers((2, 2)), indexing="ij")
    both_raise(ml.meshgrid, torch.meshgrid, x, numbers((2,), "float32"), indexing="ij")
    both_raise(ml.meshgrid, torch.meshgrid, indexing="ij")
    both_raise(ml.tril_indices, torch.tril_indices, -1, 2)


# ---------------------------------------------------------------- padding


@given(arrays(), st.data())
def test_pad_with_a_value(x, data):
    dims = data.draw(st.integers(0, x.ndim))
    widths = []
    for n in x.shape[::-1][:dims]:
        before = data.draw(st.integers(-n, 3))
        widths += [before, data.draw(st.integers(-n - min(before, 0), 3))]
    agree(pad, torch.nn.functional.pad, x, tuple(widths))
    agree(pad, torch.nn.functional.pad, x, widths, "constant", 2.5)


@given(st.integers(1, 3), st.booleans(), st.sampled_from(["reflect", "replicate", "circular"]),
       st.sampled_from(["float64", "float32", "int64"]), st.data())
def test_pad_with_its_own_elements(dims, batched, mode, kind, data):
    shape = [data.draw(st.integers(0, 2))] * batched + [2]
    widths = []
    for _ in range(dims):
        n = data.draw(st.integers(2, 4))
        most = n - 1 if mode == "reflect" else n
        shape.append(n)
        before = data.draw(st.integers(1 - n, most))
        after = data.draw(st.integers(max(1 - n, 1 - n - before), most))
        if mode == "circular" and min(before, after) < 0 < max(before, after):
            before = after = 1  # torch copies into itself there
        widths = [before, after, *widths]
    x = numbers(tuple(shape), kind)
    agree(pad, torch.nn.functional.pad, x, tuple(widths), mode)


@pytest.mark.parametrize("widths, mode", [
    ((-3, -2), "circular"), ((0, 0), "reflect"), ((-6, 2), "reflect"), ((-6, 2), "replicate"),
    ((5, 5), "circular"), ((4, -4), "reflect"), ((7, 9), "replicate"),
])
def test_pad_at_its_limits(widths, mode):
    agree(pad, torch.nn.functional.pad, numbers((1, 5)), widths, mode)


@pytest.mark.parametrize("args", [
    ((6, 0), "reflect"), ((5, 0), "reflect"), ((-3, -2), "reflect"), ((-3, -2), "replicate"),
    ((6, 0), "circular"), ((-3, -3), "circular"), ((1,), "reflect"), ((1,), "constant"),
    ((1, 1, 1, 1), "reflect"), ((), "circular"), ((1, 1), "mirror"), ((1, 1), "reflect", 1.0),
    ((-3, -3),), ((-6, 6),), ((1, 1) * 3,), ((1.0, 1),), (1,), (None,),
])
def test_pad_refuses(args):
    both_raise(pad, torch.nn.functional.pad, numbers((1, 5)), *args, match="pad")


def test_pad_refuses_what_it_cannot_fill():
    for mode in ("reflect", "replicate"):
        for shape in [(2, 0, 4), (2, 2, 0), (0, 4), (5,), (2, 2, 3, 4)]:
            both_raise(pad, torch.nn.functional.pad, numbers(shape), (1, 1), mode)
        both_raise(pad, torch.nn.functional.pad, numbers((2, 3)) > 0, (1, 1), mode)
    both_raise(pad, torch.nn.functional.pad, numbers((2, 2, 0)), (1, 1), "circular")


# ---------------------------------------------------------------- not shared with torch


def test_inputs_are_not_changed():
    x = numbers((2, 3))
    tensor = ours(x, True)
    for result in (tensor.flip(0), tensor.roll(1), tensor.repeat(2, 1), pad(tensor, (1, 1))):
        result.sum().backward()
    assert np.array_equal(host(tensor), x) and np.array_equal(host(tensor.grad), np.full((2, 3), 5))


def test_messages_say_what_to_do():
    with pytest.raises(ml.errors.ShapeError, match=r"(?s)reshape.*\(2, 3\) float64.*To repair it"):
        ours(numbers((2, 3))).reshape(4, 2)
    with pytest.raises(IndexError, match="choose one from -2 to 1"):
        ours(numbers((2, 3))).transpose(0, 2)
