"""Messages name the function, every argument with its shape, and the repair."""

import numpy as np
import pytest
import torch

import minilearn as ml
from minilearn import xp
from minilearn.errors import DimError, ShapeError, describe, explain, listing


@pytest.mark.parametrize("value, text", [
    (np.zeros((2, 3), "float32"), "(2, 3) float32"), (np.zeros(()), "() float64"),
    (ml.tensor([1, 2]), "(2,) int64"), (torch.zeros(2), "(2,) float32"),
    (3, "3"), (2.5, "2.5"), (True, "True"), (None, "None"), ("same", "'same'"), ((1, 2), "(1, 2)"),
    ([1, 2], "[1, 2]"), (slice(1, None), "slice(1, None, None)"), (object(), "object"),
    ("x" * 100, "'" + "x" * 56 + "..."), (range(100), "range"),
    (np.dtype("int64"), "int64"), (torch.float32, "float32"), (np.float32, "float32"),
])
def test_describe(value, text):
    assert describe(value) == text


def test_explain():
    arguments = {"input": ml.tensor([[1.0]]), "dim": 3}
    assert listing(arguments) == "input=(1, 1) float32, dim=3"
    assert explain("f", "does not fit", arguments) == \
        "f: does not fit (got input=(1, 1) float32, dim=3)."
    assert explain("f", "does not fit", {"n": 1}, "use 2").endswith("To repair it: use 2.")


def test_kinds():
    assert issubclass(ShapeError, ValueError)
    assert issubclass(DimError, ShapeError) and issubclass(DimError, IndexError)


# The array library's own complaint is turned into a sentence: (call, kind, parts of the message).
COMPLAINTS = {
    "mixed shapes": (lambda a, b: a + b, ValueError, ["add", "input=(2, 3)", "other=(4,)"]),
    "a list": (lambda a, b: ml.exp([1.0]), TypeError, ["exp", "list", "minilearn.tensor"]),
    "a dimension": (lambda a, b: a.sum(dim=5), IndexError, ["sum", "5", "(2, 3)"]),
    "an option": (lambda a, b: a.sum(axes=0), TypeError, ["sum", "axes"]),
    "matmul": (lambda a, b: a @ b, ShapeError, ["matmul", "(2, 3) float32", "(4,) float32"]),
    "too few": (lambda a, b: ml.matmul(a), TypeError, ["matmul", "input, other", "1 tensors"]),
    "too many": (lambda a, b: ml.matmul(a, b, b), TypeError, ["matmul", "input, other"]),
    "twice": (lambda a, b: a.sum(0, dim=0), TypeError, ["sum"]),
    "reshape": (lambda a, b: a.reshape(4, 2), ShapeError, ["reshape", "(2, 3)", "(4, 2)"]),
}


@pytest.mark.parametrize("library", ["numpy", "torch:cpu", "array_api_strict"])
@pytest.mark.parametrize("name", COMPLAINTS)
def test_complaints(name, library):
    call, kind, parts = COMPLAINTS[name]
    before = xp.library()
    xp.use(library)
    try:
        a, b = ml.tensor(np.zeros((2, 3), "float32")), ml.tensor(np.zeros(4, "float32"))
        kinds = (kind, RuntimeError) if library == "torch:cpu" else kind
        with pytest.raises(kinds) as caught:
            call(a, b)
    finally:
        xp.use(before)
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert message.count("(got ") <= 1 and "\n" not in message


def test_the_cause_is_kept():
    with pytest.raises(ValueError) as caught:
        ml.tensor([1.0, 2.0]) + ml.tensor([1.0, 2.0, 3.0])
    assert caught.value.__cause__ is not None
