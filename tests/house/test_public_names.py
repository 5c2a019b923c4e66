"""Every public function and class is named in a test: what nobody tests is not promised."""

import re
from pathlib import Path

import pytest

import minilearn as ml
from minilearn import data, functional, models, nn, optim, train, viz
from minilearn.nn import init
from minilearn.optim import lr_scheduler
from minilearn.slots import Slot

TESTS = Path(__file__).parents[1]
PUBLIC = {
    "minilearn": ml, "functional": functional, "nn": nn, "init": init, "optim": optim,
    "lr_scheduler": lr_scheduler, "data": data, "train": train, "models": models, "viz": viz,
}
# Names that are constants or modules rather than something that does a thing.
NOT_DOING = {"float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"}


def names_of(module):
    """Return the public callables of a module."""
    listed = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    things = {n: getattr(module, n) for n in listed if n not in NOT_DOING}
    return sorted(name for name, thing in things.items()
                  if callable(thing) and thing.__module__.startswith("minilearn")
                  and thing is not Slot)


def words_in_tests():
    """Return every word that stands in the code of a test (this file left out)."""
    tests = [*TESTS.rglob("*.py"), *TESTS.glob("calls/*.txt")]
    files = [f for f in tests if f != Path(__file__)]
    return {w for f in files for w in re.findall(r"\w+", f.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("where", PUBLIC)
def test_every_public_name_is_tested(where):
    missing = set(names_of(PUBLIC[where])) - words_in_tests()
    assert not missing, f"no test names these of minilearn.{where}: {', '.join(sorted(missing))}"


def test_a_name_without_a_test_would_be_found():
    assert "surely" + "untested" not in words_in_tests()
    assert "relu" in words_in_tests() and "relu" in names_of(functional)
