"""Checks one exercise: Hypothesis draws the cases, the child answers, the answers are compared.

The reference is computed after the reply has arrived, so that the answer does not exist while the
submission runs. Replies are remembered: the same question is asked only once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Protocol

import hypothesis
from hypothesis import HealthCheck, Phase

from ...contracts import Case, Exercise, Property, Raises, catalogue
from ..isolation.child import Reply
from ..verdicts import LASTING, Status
from .cases import case_id, to_text
from .compare import Difference, difference, plain
from .diagnose import diagnose
from .results import Cause, ExerciseResult, PropertyResult, Seen

FRESH = 5  # children in which a failure is repeated, before it is believed
TIMEOUTS = 2  # in one exercise; from then on the first one ends a property
FEW = 10  # examples for another exercise that the failing one calls
SECONDS_OF_OTHERS = 5.0
DEADLY = (Status.CRASHED, Status.EXITED, Status.MEMORY, Status.PROTOCOL)


class Answers(Protocol):
    """Whoever answers the calls: `Child`, or `Local` in this process."""

    def call(self, function: str, args: tuple, kwargs: dict, driver: str | None = None) -> Reply:
        """Call a function of the submission."""

    def forbidden(self, function: str, names: Collection[str]) -> Reply:
        """Say whether a function of the submission uses one of the forbidden names."""

    def called(self, function: str) -> list[str]:
        """Name a function of the submission and everything in its file that it calls."""

    def fresh(self) -> Answers:
        """Return another one that has answered nothing yet."""

    def close(self) -> None:
        """End it."""


@dataclass(frozen=True)
class Settings:
    """How hard an exercise is tried. The seed decides which cases are drawn."""

    examples: int = 60
    seed: int = 0
    seconds: float = 60.0  # for the whole exercise
    first: dict[str, Case] = field(default_factory=dict)  # for a property, the case to begin with


class _Wrong(Exception):
    """A case on which the submission goes wrong; Hypothesis looks for a smaller one."""

    def __init__(self, seen: Seen):
        self.seen = seen


class _Stop(BaseException):
    """The same where looking on would only cost time. Hypothesis lets it through at once."""

    def __init__(self, seen: Seen):
        self.seen = seen


class _OutOfTime(BaseException):
    """The time for the exercise is up."""


class Run:
    """The checking of one exercise against one submission."""

    def __init__(self, exercise: Exercise, child: Answers, settings: Settings):
        self.exercise, self.child, self.settings = exercise, child, settings
        self.seen: dict[tuple[str, str], Seen] = {}
        self.deadline = time.monotonic() + settings.seconds
        self.timeouts: set[int] = set()  # which replies never came

    def ask(self, prop: Property, case: Case) -> Seen:
        """Put one case to the submission, once, and judge the reply."""
        key = (prop.name, case_id(case))
        if key not in self.seen:
            if time.monotonic() > self.deadline:
                raise _OutOfTime
            reply = self._reply(self.child, prop, case)
            self.seen[key] = judge(prop, case, reply)
        return self.seen[key]

    def property(self, prop: Property) -> PropertyResult:
        """Look for a case on which the property does not hold, and for the smallest such."""
        started, before = time.monotonic(), len(self.seen)
        try:
            failure = self._search(prop)
        except _OutOfTime:
            return PropertyResult(prop, Status.TIMEOUT, len(self.seen) - before,
                                  time.monotonic() - started)
        status = failure.difference.status if failure else Status.PASS
        if failure and status in (Status.WRONG_VALUE, Status.WRONG_SHAPE, Status.EXCEPTION) \
                and self._depends_on_chance(failure):
            status = Status.NONDETERMINISTIC
        tried = len(self.seen) - before
        if not failure and not tried:
            status = Status.GRADER_ERROR  # absence of evidence is no pass
        return PropertyResult(prop, status, tried, time.monotonic() - started, failure)

    def _search(self, prop: Property) -> Seen | None:
        failures: list[Seen] = []
        try:
            for case in self._cases(prop):
                seen = self.ask(prop, case)
                if not seen.good:
                    failures.append(seen)
                    self._go_on(seen)
                    explore(prop, partial(self._attempt, prop), self.settings.examples,
                            self.settings.seed)
                    break  # all that Hypothesis drew was right
        except (_Wrong, _Stop) as found:
            failures.append(found.seen)
        return min(failures, key=lambda s: len(to_text(s.case)), default=None)

    def _cases(self, prop: Property) -> Iterator[Case]:
        """The last failure first, then the classic corners, then what is drawn."""
        if prop.name in self.settings.first:
            yield self.settings.first[prop.name]
        yield from prop.examples
        yield from drawn(prop, self.settings.examples, self.settings.seed)

    def _attempt(self, prop: Property, case: Case) -> None:
        seen = self.ask(prop, case)
        if not seen.good:
            self._go_on(seen)
            raise _Wrong(seen)

    def _go_on(self, seen: Seen) -> None:
        """Raise _Stop where further cases would only cost time."""
        status = seen.difference.status
        if status == Status.TIMEOUT:
            self.timeouts.add(id(seen))
        if status in (*LASTING, *DEADLY, Status.NOT_IMPLEMENTED) or len(self.timeouts) >= TIMEOUTS:
            raise _Stop(seen)

    def _depends_on_chance(self, failure: Seen) -> bool:
        """Say whether fresh children do not all repeat the reply that failed."""
        for _ in range(FRESH):
            child = self.child.fresh()
            try:
                reply = self._reply(child, failure.prop, failure.case)
            finally:
                child.close()
            if judge(failure.prop, failure.case, reply).good:
                return True
        return False

    def more(self, prop: Property, examples: int) -> Iterator[Seen]:
        """Try further cases of a property, without looking for the smallest."""
        for case in drawn(prop, examples, self.settings.seed + 1):
            yield self.ask(prop, case)

    def _reply(self, child: Answers, prop: Property, case: Case) -> Reply:
        args, kwargs = self.exercise.call(case)
        return child.call(self.exercise.name, args, kwargs, prop.driver)


@lru_cache(1000)
def drawn(prop: Property, examples: int, seed: int) -> list[Case]:
    """Draw cases of a property; the same for every submission with this seed, so kept."""
    cases: list[Case] = []
    explore(prop, cases.append, examples, seed, shrink=False)
    return cases


def explore(
    prop: Property, attempt: Callable[[Case], None], examples: int, seed: int, shrink: bool = True
) -> None:
    """Draw cases and attempt them. What is raised at last is about the smallest case found."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)

    def attempted(case: Case) -> None:
        attempt(case)

    run = hypothesis.seed(seed)(hypothesis.given(prop.cases)(attempted))
    hypothesis.settings(
        max_examples=examples, phases=phases, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False, derandomize=False,
        print_blob=False)(run)()


def judge(prop: Property, case: Case, reply: Reply) -> Seen:
    """Compare a reply with what is due for the case."""
    due = prop.reference(**_copied(case))
    if isinstance(due, Raises):
        return Seen(prop, case, reply, due, _refusal(reply, due))
    due = plain(due)
    if reply.status != "ok":
        return Seen(prop, case, reply, due, Difference(Status(reply.status), _what(reply)))
    return Seen(prop, case, reply, due, difference(reply.value, due, prop.exact, prop.rtol))


def _what(reply: Reply) -> str:
    """Say what came instead of a result."""
    named = reply.status in (Status.EXCEPTION, Status.IMPORT_ERROR, Status.MEMORY)
    parts = (reply.error, reply.message) if named else (reply.message or reply.error,)
    return ": ".join(part for part in parts if part)


def _refusal(reply: Reply, due: Raises) -> Difference | None:
    if reply.status == Status.EXCEPTION and reply.error == due.error:
        return None
    if reply.status not in ("ok", Status.EXCEPTION):
        return Difference(Status(reply.status), reply.message)
    got = f"raised {reply.error}" if reply.error else "returned a result"
    return Difference(Status.WRONG_VALUE, f"{got}, but this input must raise {due.error}",
                      expected=due, got=reply.value)


def _copied(case: Case) -> Case:
    return {k: v.copy() if hasattr(v, "copy") else v for k, v in case.items()}


def run_exercise(exercise: Exercise, child: Answers, settings: Settings) -> ExerciseResult:
    """Check every property of an exercise against a submission, and explain what fails."""
    started = time.monotonic()
    run = Run(exercise, child, settings)
    results: list[PropertyResult] = []
    if refusal := _against_the_rules(exercise, child):
        results = [PropertyResult(p, refusal.difference.status, 0, 0.0, refusal)
                   for p in exercise.properties]
        return ExerciseResult(exercise, results, time.monotonic() - started)
    for prop in exercise.properties:
        if results and results[-1].status in LASTING:
            results.append(PropertyResult(prop, results[-1].status, 0, 0.0, results[-1].failure))
            continue
        try:
            results.append(run.property(prop))
        except Exception as error:  # ours, not the learner's: the points stay empty
            what = f"{type(error).__name__}: {error}"
            results.append(PropertyResult(prop, Status.GRADER_ERROR, 0, 0.0, error=what))
    needs = _needs(run, results)
    return ExerciseResult(exercise, results, time.monotonic() - started,
                          [] if needs else _causes(run, results), needs)


def _needs(run: Run, results: list[PropertyResult]) -> dict[str, Status]:
    """Return the exercises that a failing function calls and that fail by themselves."""
    if any(r.status in LASTING for r in results) or all(r.status == Status.PASS for r in results):
        return {}
    called, every = run.child.called(run.exercise.name), catalogue()
    others = [e for name, e in every.items() if name in called and e is not run.exercise]
    few = replace(run.settings, examples=FEW, seconds=SECONDS_OF_OTHERS, first={})
    found = ((other, _status(Run(other, run.child, few))) for other in others)
    return {other.name: status for other, status in found if status != Status.PASS}


def _status(run: Run) -> Status:
    """Return `pass`, or the status of the first property that does not hold."""
    found = (run.property(prop).status for prop in run.exercise.properties)
    return next((status for status in found if status != Status.PASS), Status.PASS)


def _causes(run: Run, results: list[PropertyResult]) -> list[Cause]:
    try:
        return diagnose(run.exercise, run.seen.values(), results, run.more)
    except (Exception, _OutOfTime):  # a verdict must not be lost because it cannot be explained
        return []


def _against_the_rules(exercise: Exercise, child: Answers) -> Seen | None:
    """Say so if the code uses a function that leaves nothing to do, such as numpy.convolve."""
    reply = child.forbidden(exercise.name, exercise.forbidden) if exercise.forbidden else None
    if reply is None or reply.status == "ok":
        return None
    difference = Difference(Status(reply.status), reply.message)
    return Seen(exercise.properties[0], {}, reply, None, difference)
