"""A learner's folder, and short ways to fill it in."""

import pytest

from minilearn.contracts import course
from minilearn.grading.learn.work import Work


@pytest.fixture
def work(tmp_path):
    """A fresh course folder with blank exercises."""
    return Work.start(tmp_path / "course")[0]


@pytest.fixture
def solve(work):
    """A function that writes an exercise's solution, or an edit of it, into the folder."""

    def write(exercise, old="", new=""):
        _, body, _ = course.around(course.solutions(exercise.lesson), exercise.name)
        assert old in body
        text = work.file(exercise).read_text("utf-8")
        before, _, after = course.around(text, exercise.name)
        work.file(exercise).write_text(before + body.replace(old, new) + after, "utf-8")

    return write
