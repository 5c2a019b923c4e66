"""Starters keep what is given, lose what is to be written, and compile."""

import textwrap

import pytest

from minilearn.contracts import catalogue, course
from minilearn.grading.teach import release
from minilearn.grading.teach.release import ReleaseError, solved_lines, starter

HEADER = "# 1.1 f\n"


def cut(source, *names):
    return starter(textwrap.dedent(source), dict.fromkeys(names or ["f"], HEADER))


def test_signature_docstring_and_everything_else_stay():
    made = cut('''\
        """A lesson."""
        import numpy as np

        LIMIT = 3


        def helper(x):
            return x + 1


        @np.vectorize
        def f(x, *,
              y=2):
            """Return x.

            More.
            """
            total = helper(x)
            return total * y  # the secret


        def g():
            return 1
        ''')
    assert made == textwrap.dedent('''\
        """A lesson."""
        import numpy as np

        LIMIT = 3


        def helper(x):
            return x + 1


        # 1.1 f
        @np.vectorize
        def f(x, *,
              y=2):
            """Return x.

            More.
            """
            raise NotImplementedError("f")


        def g():
            return 1
        ''')


def test_lines_above_the_mark_are_given():
    made = cut('''\
        def f(x):
            """Doc."""
            n = len(x)  # given
            # --- your code
            for i in range(n):
                # --- your code in a comment of the solution
                x[i] = 0
            return x
        ''')
    assert "n = len(x)" in made and "# --- your code\n    raise" in made
    assert "range" not in made and "x[i]" not in made and made.count("raise") == 1


def test_methods_of_a_class_are_cut_but_not_the_given_ones():
    made = cut('''\
        class f:
            """Doc."""

            size = 3

            def __init__(self, x):  # given
                self.x = x

            def forward(self):
                """Twice."""
                return self.x * 2

            def other(self):
                # a remark of the solution
                return self.x * 3
        ''')
    assert "size = 3" in made and "self.x = x" in made and '"""Twice."""' in made
    assert "* 2" not in made and "* 3" not in made and "remark" not in made
    assert 'NotImplementedError("f.forward")' in made and '("f.other")' in made


def test_comments_behind_the_last_statement_go_too():
    made = cut('''\
        def f(x):
            return x

            # because of the secret


        # about g
        def g():
            pass
        ''')
    assert "secret" not in made and "# about g\ndef g" in made


def test_a_body_on_the_line_of_its_def_is_refused():
    with pytest.raises(ReleaseError, match="f: its body"):
        cut("def f(x): return x\n")


def test_solved_lines_are_what_the_starter_lacks():
    source = "def f(x):\n    '''D.'''\n    y = 1\n    # --- your code\n    secret = y\n"
    assert solved_lines(source, {"f"}) == ["    secret = y\n"]
    assert solved_lines(source, {"other"}) == []


@pytest.mark.parametrize("lesson", sorted({e.lesson for e in catalogue().values()}))
def test_every_starter_compiles_and_raises_for_each_exercise(lesson):
    text = release.starters()[f"{lesson}.py"]
    compile(text, lesson, "exec")
    for e in catalogue().values():
        if e.lesson == lesson:
            _, body, _ = course.around(text, e.name)
            assert "raise NotImplementedError(" in body
            assert f" {e.name}: {e.title}" in text
            facts = f"About {e.minutes} minutes, difficulty {e.difficulty} of 3, {e.points} point"
            assert facts in text


def test_release_writes_what_is_stale_and_nothing_else(tmp_path):
    names = list(release.starters())
    assert release.stale(tmp_path) == names
    assert release.release(tmp_path) == [tmp_path / name for name in names]
    assert release.stale(tmp_path) == [] and release.release(tmp_path) == []
    (tmp_path / names[0]).write_text("x = 1\n")
    assert release.stale(tmp_path) == [names[0]]
    assert release.release(tmp_path) == [tmp_path / names[0]]


def test_numbers_count_within_the_lesson():
    numbers = release.numbers()
    assert numbers["output_size"] == "3.1" and numbers.keys() == catalogue().keys()
    assert len(set(numbers.values())) == len(numbers)


def test_the_starters_in_the_repository_are_up_to_date():
    assert release.stale(course.folder("exercises")) == []
