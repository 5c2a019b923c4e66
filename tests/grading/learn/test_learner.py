"""Hints, solutions, lists, pages, replays: what a learner reads."""

import pytest

from minilearn.contracts import catalogue
from minilearn.grading.learn import learner, replay
from minilearn.grading.learn.pages import progress_page
from minilearn.grading.learn.watch import KEYS, Watch
from minilearn.grading.learn.work import WorkError

EXERCISE = catalogue()["output_size"]
OTHER = catalogue()["conv2d"]
FIRST = next(iter(catalogue().values()))


def test_hints_come_one_by_one_and_stay(work):
    shown = [learner.hint(work, EXERCISE) for _ in range(4)]
    for i in range(3):
        assert all(h in shown[i] for h in EXERCISE.hints[: i + 1])
        assert not any(h in shown[i] for h in EXERCISE.hints[i + 1 :])
    assert shown[3] == shown[2] and "--i-am-stuck" in shown[3]


def test_the_solution_after_a_pass_or_for_the_stuck(work, solve):
    with pytest.raises(WorkError, match="3 hints left"):
        learner.solution(work, EXERCISE)
    assert not work.record(EXERCISE).solution_seen
    shown = learner.solution(work, EXERCISE, stuck=True)
    assert shown.startswith("def output_size(") and "// stride + 1" in shown
    assert work.record(EXERCISE).solution_seen
    assert "solution seen" in "\n".join(learner.listing(work))
    solve(OTHER)
    learner.check(work, OTHER)
    assert "def conv2d(" in learner.solution(work, OTHER)
    assert not work.record(OTHER).solution_seen


def test_lists_and_pictures_count(work, solve):
    solve(EXERCISE)
    learner.check(work, EXERCISE)
    lines = list(learner.listing(work))
    assert sum("✓" in line for line in lines) == 1 and sum("→" in line for line in lines) == 1
    assert len(lines) == len(catalogue()) + len(learner.lessons())
    shown = "\n".join(learner.picture(work))
    assert f"1 of {len(catalogue())} exercises are yours." in shown
    assert f"Next: {FIRST.name}" in shown
    page = progress_page(work)
    assert f"<strong>1 of {len(catalogue())}</strong>" in page and "<script" not in page
    assert page.count("<tr>") == len(catalogue())


def test_printing_is_no_failure_and_is_shown(work, solve):
    solve(EXERCISE, "return room", "print('room is', room)\n    return room")
    result = learner.check(work, EXERCISE)
    assert result.passed and "room is" in learner.report(result)


def test_replay_before_and_after_the_repair(work, solve):
    solve(EXERCISE, "// stride + 1", "// stride")
    result = learner.check(work, EXERCISE)
    name = f"output_size#{next(p.case_id for p in result.properties if p.failure)}"
    assert "First difference" in replay.replay(work, name)
    solve(EXERCISE)
    assert "this input is right now" in replay.replay(work, name)


def test_json_holds_every_property(work, solve):
    solve(EXERCISE, "// stride + 1", "// stride")
    plain = learner.as_json([learner.check(work, EXERCISE)], tier=2)
    kept = plain["exercises"]["output_size"]
    assert kept["status"] == "wrong_value" and kept["points_possible"] == EXERCISE.points
    assert [p["name"] for p in kept["properties"]] == [p.name for p in EXERCISE.properties]
    assert kept["points_earned"] == sum(p["points_earned"] for p in kept["properties"])


class Shown(list):
    def __call__(self, text):
        self.append(text)


def test_watch_checks_what_was_saved_and_goes_on(work, solve):
    shown = Shown()
    watch = Watch(work, shown)
    watch.begin()
    assert FIRST.name in shown[-1] and KEYS in shown[-1]
    assert not watch.saved()  # nothing has changed
    solve(EXERCISE, "// stride + 1", "// stride")
    assert watch.saved() and shown[-1].startswith("✗ output_size")
    solve(EXERCISE)
    assert watch.saved() and shown[-1].startswith("✓ output_size") and "Next: " in shown[-1]
    assert watch.current is FIRST
    work.file(EXERCISE).touch()
    assert not watch.saved()  # saved again, but the same


def test_watch_keys(work):
    shown = Shown()
    watch = Watch(work, shown)
    for key, text in [("h", FIRST.hints[0]), ("l", FIRST.title), ("s", "exercises are yours"),
                      ("r", "not written yet"), ("n", "not written yet"), ("?", "")]:
        assert watch.pressed(key) and text in (shown[-1] if shown else "")
    assert watch.current is list(catalogue().values())[1]
    assert not watch.pressed("q")


def test_watch_survives_a_file_that_is_gone(work):
    shown = Shown()
    watch = Watch(work, shown)
    work.file(FIRST).unlink()
    watch.run()
    assert "brings missing files back" in shown[-1]
