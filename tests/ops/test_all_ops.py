"""Every primitive: derivatives to second order on every array library, and the same values."""

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pytest

import minilearn as ml
from minilearn import ops, xp
from minilearn.check import check
from minilearn.op import OPS

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, NOT_DIFFERENTIABLE, STEPS, a  # noqa: E402

for module in iter_modules(ops.__path__):
    import_module(f"minilearn.ops.{module.name}")
LIBRARIES = ["numpy", "torch:cpu", "array_api_strict"]


@pytest.fixture(params=LIBRARIES)
def library(request):
    """Another array library for one test."""
    before = xp.library()
    xp.use(request.param)
    yield request.param
    xp.use(before)


def test_every_op_has_a_case():
    own = {name for name, op in OPS.items() if op.forward.__module__.startswith("minilearn.")}
    listed = CASES.keys() | STEPS | NOT_DIFFERENTIABLE
    assert own - listed == set(), "ops without a case in tests/ops/cases.py"
    assert listed - own == set(), "cases of ops that do not exist"


def test_only_what_has_no_derivative_has_no_rules():
    without = {name for name, op in OPS.items() if not op.rules and op.joint is None}
    assert without & CASES.keys() == set()
    for name in CASES:
        op = OPS[name]
        assert op.composite or op.variadic or len(op.rules) == op.arity, name


@pytest.mark.parametrize("name", sorted(CASES))
def test_derivatives(name, library):
    for function, arrays in CASES[name]:
        check(function, *(ml.tensor(x) for x in arrays))


@pytest.mark.parametrize("name", sorted(CASES))
def test_float32_stays_float32(name, library):
    """Values, gradients and second derivatives: none becomes wider on the way."""
    for function, arrays in CASES[name]:
        if name == "cast":
            continue
        xs = [ml.tensor(x.astype("float32"), requires_grad=True) for x in arrays]
        y = function(*xs)
        first = ml.grad(y, xs, ml.tensor(np.ones(y.shape, "float32")), create_graph=True)
        loss = sum((g * g).sum() for g in first) + y.sum()
        second = ml.grad(loss, xs)
        kinds = {t.dtype for t in (y, *first, *second)}
        assert kinds == {np.dtype("float32")}


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_libraries_agree(name):
    """One source: the same numbers on NumPy, on torch's arrays and on the strict referee."""
    before, results = xp.library(), []
    try:
        for library in LIBRARIES:
            xp.use(library)
            results.append([xp.to_numpy(f(*map(ml.tensor, arrays)).data)
                            for f, arrays in CASES[name]])
    finally:
        xp.use(before)
    for other in results[1:]:
        for want, got in zip(results[0], other, strict=True):
            assert want.dtype == got.dtype and want.shape == got.shape
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_steps_are_flat(name, library):
    op = OPS[name]
    xs = [ml.tensor(x, requires_grad=True) for x in (a(2, 3), a(3, low=2.5, high=5.0))]
    y = op(*xs[: op.arity])
    for g in ml.grad(y.sum(), xs[: op.arity], allow_unused=True) if y.requires_grad else ():
        assert g is None or not xp.to_numpy(g.data).any()


@pytest.mark.parametrize("name", sorted(CASES))
def test_inputs_are_not_changed(name):
    for function, arrays in CASES[name]:
        xs = [ml.tensor(x, requires_grad=True) for x in arrays]
        function(*xs).sum().backward()
        for x, array in zip(xs, arrays, strict=True):
            assert np.array_equal(xp.to_numpy(x.data), array)
