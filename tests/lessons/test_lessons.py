"""Every lesson runs, holds its form, and names each of its exercises where it is due."""

import ast
import os
import re
import resource
import subprocess
import sys
import time

import pytest

from minilearn.contracts import catalogue
from tests.lessons.percent import LESSONS, NAMES, cells, prose, read
from tests.lessons.points import POINTS

ROOT = LESSONS.parent
SECTIONS = ["The question", "The idea", "The maths", "Step by step", "What goes wrong",
            "The real training", "Read on"]
LIMIT = 90  # seconds of one core that quick mode may take
HEADING = re.compile(r"^### Exercise `(\w+)`: (.+)$", re.M)

every_lesson = pytest.mark.parametrize("name", NAMES)


def faults(name, source):
    """List what is wrong with a lesson's form."""
    parts = cells(source)
    text = "\n".join(cell.text for cell in parts if cell.kind == "markdown")
    codes = [cell for cell in parts if cell.kind == "code"]
    return [*wrong_title(name, parts[0].text), *wrong_sections(text), *wrong_exercises(name, text),
            *wrong_figures(codes), *wrong_cells(codes)]


def wrong_title(name, first):
    if not first.startswith(f"# {int(name[:2])} "):
        yield f"the first cell does not begin with the title '# {int(name[:2])} ...'"


def wrong_sections(text):
    headings = re.findall(r"^## (.+)$", text, re.M)
    if [h for h in headings if h in SECTIONS] != SECTIONS:
        yield f"the sections are {headings}, must contain {SECTIONS} in this order"


def wrong_exercises(name, text):
    due = [(e.name, e.title) for e in catalogue().values() if e.lesson == name]
    told = HEADING.findall(text)
    if told != due:
        yield f"the exercises are {told}, must be {due}"
    for exercise, _ in due:
        body = re.split(r"^##+ ", text.partition(f"### Exercise `{exercise}`")[2], maxsplit=1,
                        flags=re.M)[0]
        if f"```sh\nminilearn check {exercise}\n```" not in body:
            yield f"{exercise}: its command `minilearn check {exercise}` does not follow it"
        told = body.partition("\n")[2].partition("```")[0]
        if len(told.split()) < 5:
            yield f"{exercise}: nothing says what it is about"


def wrong_figures(codes):
    shown = [cell for cell in codes if "viz.show(" in cell.text]
    if not any("viz.diagram(" in c.text or "@viz.styled" in c.text for c in shown):
        yield "no picture explains anything"
    for cell in shown:
        last = ast.unparse(ast.parse(cell.text).body[-1])
        if cell.text.count("viz.show(") > 1 or not last.startswith("viz.show("):
            yield f"line {cell.line}: viz.show is not the one last statement of its cell"


def wrong_cells(codes):
    if "MINILEARN_QUICK" not in codes[0].text:
        yield "the first code cell does not ask for MINILEARN_QUICK"
    for cell in codes:
        if cell.text.strip().count("\n") >= 25:
            yield f"line {cell.line}: a cell of more than 25 lines"
        if "pyplot" in cell.text:
            yield f"line {cell.line}: pyplot keeps figures globally; draw with minilearn.viz"


def test_there_are_lessons():
    assert NAMES[:5] == ["01_autograd", "02_training", "03_convolution", "04_normalisation",
                         "05_resnet"]


@every_lesson
def test_a_lesson_holds_its_form(name):
    found = faults(name, read(name))
    assert not found, f"lessons/{name}.py:\n" + "\n".join(found)


@every_lesson
def test_the_words_are_plain(name):
    """Sentences are short: half of them have at most 16 words, nearly all at most 40."""
    text = re.sub(r"\$\$.*?\$\$|`[^`]*`|\$[^$]*\$|\|.*?\|", "x", prose(read(name)))
    lengths = sorted(len(s.split()) for s in re.split(r"[.?!:;] ", text) if len(s.split()) > 2)
    assert lengths[len(lengths) // 2] <= 16 and lengths[int(len(lengths) * 0.98)] <= 40, lengths


@pytest.mark.slow
@every_lesson
def test_a_lesson_runs_in_quick_mode(name, tmp_path):
    environment = os.environ | {"MINILEARN_QUICK": "1", "MINILEARN_FIGURES": str(tmp_path / "f"),
                                "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    environment.pop("MINILEARN_DATA", None)  # in quick mode nothing is needed
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    source, script = read(name), tmp_path / f"{name}.py"
    script.write_text(source, encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-W", "error", script], cwd=tmp_path,
                          env=environment, capture_output=True, text=True, timeout=900)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    print(f"{name}: {used:.0f} s of a core, {time.perf_counter() - start:.0f} s in all")
    assert used < LIMIT, f"{name} takes {used:.0f} s of a core in quick mode, at most {LIMIT}"
    pictures = list((tmp_path / "f").glob("*.png"))
    shown = sum(c.text.count("viz.show(") for c in cells(source) if c.kind == "code")
    assert len(pictures) == shown and all(p.stat().st_size < 300_000 for p in pictures)


# ---------------------------------------------------------------- the looking itself is tested

GOOD = read(NAMES[0])


@pytest.mark.parametrize("old, new, complaint", [
    ("# # 1 Autograd", "# # Autograd", "title"),
    ("# ## What goes wrong", "# ## What may go wrong", "sections"),
    ("# ### Exercise `mul_grad`: The rule of a product", "# ### Products", "exercises are"),
    ("The rule of a product\n", "A product's rule\n", "exercises are"),
    ("# minilearn check mul_grad\n", "# minilearn check add_grad\n", "mul_grad: its command"),
    ("The slope of a product, seen from one factor, is the other factor.", "Do it.", "nothing"),
    ("viz.show(slopes(),", "one = (slopes(),", "picture"),
    ("viz.show(bends(),", "viz.show(bends(), '')\nshown = (", "last statement"),
    ("MINILEARN_QUICK", "QUICK_MODE", "MINILEARN_QUICK"),
    ("def sin_grad", "import matplotlib.pyplot\ndef sin_grad", "pyplot"),
])
def test_a_fault_of_form_is_caught(old, new, complaint):
    assert old in GOOD and not faults(NAMES[0], GOOD)
    changed = GOOD.replace(old, new)
    if complaint == "picture":
        changed = changed.replace("viz.diagram(", "viz.curves(").replace("@viz.styled", "@styled")
    assert any(complaint in fault for fault in faults(NAMES[0], changed))


# ---------------------------------------------------------------- what they tell


@pytest.mark.parametrize("number", POINTS)
def test_each_point_is_told(number):
    name, words = POINTS[number]
    if name in NAMES:
        assert words in prose(read(name)), f"point {number} is not told in lessons/{name}.py"


def test_there_is_a_lesson_for_each_point():
    assert sorted(POINTS) == list(range(1, 26))


def test_the_numbers_of_the_full_run_are_the_recorded_ones():
    record = ROOT / "docs/results/mnist/resnet-seed-1.csv"
    rows = record.read_text(encoding="utf-8").splitlines()[1:]
    accuracies = [f"{float(row.split(',')[3]):.4f}".lstrip("0") for row in rows]
    assert ", ".join(accuracies) in re.sub(r"\s+", " ", read("05_resnet"))


@pytest.mark.parametrize("name, last", [
    ("01_autograd", "4.38 %"), ("02_training", "1.53 %"), ("03_convolution", "0.73 %")])
def test_the_table_of_results_says_what_the_lessons_say(name, last):
    table = (ROOT / "docs/results/lessons.md").read_text(encoding="utf-8")
    numbers = re.search(r"^FULL = \[(.*?)\]", read(name), re.M | re.S)[1].split(",")
    assert f"{float(numbers[-1]):.2%}".replace("%", " %") == last
    assert f"`python lessons/{name}.py`" in table and f"**{last}** wrong" in table
