"""What an exercise is, and what any implementation of it must do.

An exercise has *properties*, each a sentence that holds for all cases of a strategy, checked
against torch, and *mistakes*: the wrong versions that people really write, each with its diagnosis.
A mistake is an edit of the solution, so that one line shows what went wrong.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hypothesis.strategies import SearchStrategy

from . import course

Case = dict[str, Any]  # the arguments of one call, by name, in order
MODULES = {
    "01_autograd": ("autograd", "elementwise", "engine", "derivatives"),
    "02_training": ("linear", "losses", "batches", "optimizers", "training"),
    "03_convolution": ("convolution", "convolution_options", "convolution_backward", "pooling"),
    "04_normalisation": ("normalisation", "batch_norm_layer", "group_norms"),
    "05_resnet": ("resnet", "architecture", "landscape"),
    "06_language": ("language_text", "language_batches", "language_cells", "language_layers",
                    "language_training", "language_generation"),
}
_registered: dict[str, Exercise] = {}
# Drivers that tell what became of the arguments: beside the result, and by themselves.
RESULT_AND_ARGUMENTS = """
def drive(module, function, *args, **kwargs):
    return {"result": function(*args, **kwargs), "arguments afterwards": list(args)}
"""
ARGUMENTS_ONLY = """
def drive(module, function, *args, **kwargs):
    function(*args, **kwargs)
    return args
"""


@dataclass(frozen=True)
class Raises:
    """An expected result: the call is refused with this exception."""

    error: str


@dataclass(frozen=True, eq=False)
class Property:
    """A sentence about the exercise that holds for every case of `cases`.

    reference: takes the case, returns what is due: tensors, arrays, numbers, or `Raises`.
    exact: whether nothing but the very same numbers will do; else `rtol` of the largest number.
    driver: the text of `drive(module, function, *args, **kwargs)` where a plain call is not enough.
    """

    name: str
    points: int
    cases: SearchStrategy[Case]
    reference: Callable[..., Any]
    exact: bool = False
    rtol: float = 1e-9
    driver: str | None = None
    examples: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """A wrong version of the solution: a sentence that explains it, and the edits that make it."""

    sentence: str
    edits: tuple[tuple[str, str], ...]


@dataclass
class Exercise:
    """One function or class to be written by the learner.

    keywords: the arguments that are passed by name, the others come by position.
    forbidden: functions of NumPy that would leave nothing to do, such as "numpy.convolve".
    """

    lesson: str
    name: str
    title: str
    minutes: int
    difficulty: int  # 1 to 3
    hints: tuple[str, str, str]
    given: str = ""
    keywords: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    driver: str | None = None
    module: str = ""  # of the contracts, in which it is registered
    properties: list[Property] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def points(self) -> int:
        """The sum of the points of the properties."""
        return sum(p.points for p in self.properties)

    def property(self, name: str, points: int, cases: SearchStrategy[Case],
                 unchanged: bool = False, **options: Any) -> Any:
        """Make the decorated function the reference of a new property.

        unchanged: the call must also leave its positional arguments as they are.
        """

        def register(reference: Callable) -> Callable:
            due = self._with_arguments(reference) if unchanged else reference
            options.setdefault("driver", RESULT_AND_ARGUMENTS if unchanged else self.driver)
            self.properties.append(Property(name, points, cases, due, **options))
            return reference

        return register

    def _with_arguments(self, reference: Callable) -> Callable:
        def due(**case: Any) -> dict[str, Any]:
            before = [copy(argument) for argument in self.call(case)[0]]
            return {"result": reference(**case), "arguments afterwards": before}

        return due

    def mistake(self, sentence: str, *edits: tuple[str, str]) -> None:
        """Plant a wrong version: the solution with each `(old, new)` replaced, once."""
        self.mistakes.append(Mistake(sentence, edits))

    def call(self, case: Case) -> tuple[tuple, dict]:
        """Split a case into the positional and the named arguments of the call."""
        positional = tuple(v for name, v in case.items() if name not in self.keywords)
        return positional, {name: v for name, v in case.items() if name in self.keywords}

    def wrong_source(self, mistake: Mistake) -> str:
        """Return the whole file of solutions with this mistake in it.

        Raises ValueError when an edit does not fit exactly one place of this exercise.
        """
        source = course.solutions(self.lesson)
        before, body, after = course.around(source, self.name)
        for old, new in mistake.edits:
            if body.count(old) != 1:
                raise ValueError(f"{self.name}: mistake {mistake.sentence!r}: {old!r} stands "
                                 f"{body.count(old)} times in the solution, must be once")
            body = body.replace(old, new)
        return before + body + after


def exercise(lesson: str, name: str, title: str, **options: Any) -> Exercise:
    """Register a new exercise of a lesson, such as "03_convolution"."""
    if name in _registered:
        raise ValueError(f"two exercises are called {name}")
    _registered[name] = Exercise(lesson, name, title, **options)
    return _registered[name]


@cache
def catalogue() -> dict[str, Exercise]:
    """Return every exercise by name, in the order of the course."""
    order = []
    for lesson, modules in MODULES.items():
        for module in modules:
            importlib.import_module(f"{__package__}.{module}")
            for made in _registered.values():
                made.module = made.module or module
        order += [name for name in course.names(lesson) if name in _registered]
    return {name: _registered[name] for name in order}
