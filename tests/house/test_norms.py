"""The size norms of the design: the hard limits hold for every place, the norms for the whole."""

from tests.house.norms import BODY_MEDIAN, BODY_P90, TESTS_TO_CODE, measure, over_limit, table

# Places that may break a hard limit, each with the reason why:
# "minilearn/file.py::function": "one sentence".
ALLOWED: dict[str, str] = {}


def test_norms_hold():
    sizes = measure()
    print("\n" + table(sizes))
    assert sizes.body_median <= BODY_MEDIAN
    assert sizes.body_p90 <= BODY_P90
    assert sizes.tests_to_code >= TESTS_TO_CODE


def test_no_place_is_over_a_hard_limit():
    found = {place: what for place, what in over_limit(measure()).items() if place not in ALLOWED}
    assert not found, "\n" + "\n".join(f"{place}: {what}" for place, what in found.items())


def test_every_exception_is_needed_and_has_a_reason():
    unneeded = set(ALLOWED) - set(over_limit(measure()))
    assert not unneeded, f"no longer over a limit, remove from ALLOWED: {sorted(unneeded)}"
    assert all(len(reason.split()) >= 4 for reason in ALLOWED.values())


# ---------------------------------------------------------------- the measure itself is tested


def package(folder, **files):
    for name, text in files.items():
        path = folder / "minilearn" / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def function(lines, docstring=0):
    text = ['    """One.'] + ["    more"] * docstring + ['    """'] if docstring else []
    return "\n".join(["def f():", *text, *["    pass"] * lines]) + "\n"


def test_docstrings_do_not_count(tmp_path):
    sizes = measure(package(tmp_path, a=function(40, docstring=9)))
    assert sizes.bodies == {"minilearn/a.py::f": 40} and not over_limit(sizes)


def test_every_hard_limit_is_caught(tmp_path):
    root = package(
        tmp_path,
        long_body=function(41),
        long_file="x = 1\n" * 401,
        long_line="x = '" + "a" * 100 + "'\n",
        models__resnet="x = 1\n" * 151,
        train__learner="class Learner:\n" + "    x = 1\n" * 80,
    )
    assert set(over_limit(measure(root))) == {
        "minilearn/long_body.py::f",
        "minilearn/long_file.py",
        "minilearn/long_line.py:1",
        "minilearn/models/resnet.py",
        "minilearn/train/learner.py::Learner",
    }


def test_median_and_ninth_decile(tmp_path):
    text = "".join(function(n).replace("def f", f"def f{n}") for n in range(1, 12))
    sizes = measure(package(tmp_path, a=text))
    assert (sizes.body_median, sizes.body_p90) == (6, 10)


def test_methods_and_nested_functions_are_measured(tmp_path):
    text = "class A:\n    def f(self):\n        def g():\n            pass\n        return g\n"
    assert measure(package(tmp_path, a=text)).bodies == {
        "minilearn/a.py::A.f": 3,
        "minilearn/a.py::A.f.g": 1,
    }
