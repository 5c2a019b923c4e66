"""What a check finds: cases with their replies, verdicts on properties, the exercise's verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...contracts import Case, Exercise, Property
from ..isolation.child import Reply
from ..verdicts import Status
from .cases import case_id
from .compare import Difference


@dataclass
class Cause:
    """A likely cause, with the number of cases that fit it and of those that tell it apart."""

    sentence: str
    fits: int = 0
    telling: int = 0


@dataclass(frozen=True)
class Seen:
    """One case that was tried: the question, the reply, what was due, and how they differ."""

    prop: Property
    case: Case
    reply: Reply
    due: Any
    difference: Difference | None

    @property
    def good(self) -> bool:
        """Whether the reply is right."""
        return self.difference is None


@dataclass
class PropertyResult:
    """The verdict on one property; `failure` is the smallest case found on which it goes wrong."""

    prop: Property
    status: Status
    examples: int
    seconds: float
    failure: Seen | None = None
    error: str = ""  # of the grader's own

    @property
    def points_earned(self) -> int | None:
        """All the points or none; None when the failure is the grader's own."""
        if self.status in (Status.GRADER_ERROR, Status.NOT_RUN):
            return None
        return self.prop.points if self.status == Status.PASS else 0

    @property
    def case_id(self) -> str:
        """A short name of the failing case."""
        return case_id(self.failure.case) if self.failure else ""


@dataclass
class ExerciseResult:
    """The verdicts on all properties of one exercise, and the likely causes of what failed."""

    exercise: Exercise
    properties: list[PropertyResult]
    seconds: float
    causes: list[Cause] = field(default_factory=list)
    needs: dict[str, Status] = field(default_factory=dict)  # exercises it calls that fail
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The exercise's name."""
        return self.exercise.name

    @property
    def status(self) -> Status:
        """`pass`, or the status of the first property that does not."""
        bad = (p.status for p in self.properties if p.status != Status.PASS)
        return next(bad, Status.PASS)

    @property
    def passed(self) -> bool:
        """Whether every property passes."""
        return self.status == Status.PASS

    @property
    def points_earned(self) -> int | None:
        """The sum over the properties; None when one could not be judged."""
        points = [p.points_earned for p in self.properties]
        return None if None in points else sum(points)  # type: ignore[arg-type]
