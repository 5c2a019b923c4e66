"""The course site: it builds, its pages hold what they must, and a browser shows them well."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from minilearn.contracts import catalogue
from tests.lessons.browser import CHROMIUM, Browser

ROOT = Path(__file__).parents[2]
NEEDED = ("jupytext", "nbclient", "sphinx", "myst_nb", "sphinx_book_theme", "latex2mathml")
MISSING = [name for name in NEEDED if not importlib.util.find_spec(name)]
needs_lessons = pytest.mark.skipif(bool(MISSING), reason=f"pip install '.[lessons]': {MISSING}")
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")


def load(name):
    """Import a module of docs/site, which is no package."""
    sys.path.insert(0, str(ROOT / "docs" / "site"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def build(out, *options):
    """Run the build and return (exit status, what it said)."""
    done = subprocess.run([sys.executable, ROOT / "docs/site/build.py", "--out", out, *options],
                          capture_output=True, text=True, timeout=1200)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site with its first lesson."""
    out = tmp_path_factory.mktemp("site")
    status, said = build(out, "--only", "01")
    assert status == 0, said
    return out / "html"


# ---------------------------------------------------------------- the inspection


def page(folder, name, body):
    (folder / name).write_text(f"<html><body>{body}</body></html>", encoding="utf-8")


@pytest.mark.parametrize("body, complaint", [
    ('<a href="gone.html">x</a>', "leads nowhere"),
    ('<a href="other.html#gone">x</a>', "no place on that page"),
    ('<a href="#gone">x</a>', "no place on that page"),
    ('<img src="gone.png" alt="words">', "leads nowhere"),
    ('<img src="dot.png">', "has no text"),
    ('<img src="dot.png" alt="dot.png">', "has no text"),
    ("x" * (2 * 2**20), "at most 2"),
])
def test_a_fault_of_a_page_is_found(tmp_path, body, complaint):
    faults = load("inspect_site").faults
    page(tmp_path, "other.html", '<h1 id="here">x</h1>')
    (tmp_path / "dot.png").write_bytes(b"x")
    good = '<a href="other.html#here">x</a><a href="https://example.com/x">y</a>'
    page(tmp_path, "index.html", good + '<img src="dot.png" alt="a dot"><a href="#">up</a>')
    assert list(faults(tmp_path)) == []
    page(tmp_path, "index.html", body)
    assert [complaint in fault for fault in faults(tmp_path)] == [True]


# ---------------------------------------------------------------- the pages that are made


def test_docstrings_become_markdown():
    prose = load("reference").prose
    assert prose("Return x * y.\n\nx, y (N, C): arrays of <floats>.\n    More of them.\n"
                 "Raises Oh.\n\n    y = x[0]\n\n>>> 1 + 1\n2") == (
        "Return x \\* y.\n\n* x, y (N, C): arrays of \\<floats\\>.\nMore of them.\n\nRaises Oh.\n\n"
        "```text\ny = x[0]\n```\n\n```python\n>>> 1 + 1\n2\n```")
    assert prose("A *rule* and `a*b`: yes.") == "A *rule* and `a*b`: yes."


def test_every_exercise_has_its_task_checks_and_hints(tmp_path):
    load("pages").exercises(tmp_path)
    for exercise in catalogue().values():
        text = (tmp_path / f"{exercise.lesson}.md").read_text(encoding="utf-8")
        own = text.partition(f"(exercise-{exercise.name})=")[2].partition("\n(exercise-")[0]
        assert own.count("<details><summary>Hint") == 3
        assert f"```sh\nminilearn check {exercise.name}\n```" in own
        assert all(p.name in own for p in exercise.properties)


def test_no_page_shows_a_solution(tmp_path):
    load("pages").exercises(tmp_path)
    text = (tmp_path / "01_autograd.md").read_text(encoding="utf-8")
    assert "def mul_grad(g, y, a, b):" in text and "return g * b, g * a" not in text


@pytest.mark.parametrize("repository, linked", [
    ("", "The code (`minilearn/op.py`)"),
    ("a/b", "[The code](https://github.com/a/b/blob/main/minilearn/op.py)")])
def test_links_out_of_the_docs_lead_somewhere(monkeypatch, repository, linked):
    monkeypatch.setenv("GITHUB_REPOSITORY", repository)
    text = "[The code](../minilearn/op.py), [the record](../minilearn/bench/RESULTS.md), [x](a.md)"
    assert load("pages").inside(text) == f"{linked}, [the record](results/speed.md), [x](a.md)"


# ---------------------------------------------------------------- the whole


FAILING = "# %% [markdown]\n# # 1 Bad\n\n# %%\nraise OSError('no such thing')\n"
WITHOUT_TEXT = """# %%
import io
from IPython.display import Image, display
from PIL import Image as pillow
content = io.BytesIO()
pillow.new("L", (2, 2)).save(content, "png")
display(Image(content.getvalue()))
"""


@needs_lessons
@pytest.mark.slow
@pytest.mark.parametrize("cells, complaint", [
    (FAILING, "no such thing"), (WITHOUT_TEXT, "a picture without a text")])
def test_a_lesson_that_fails_makes_no_notebook(tmp_path, cells, complaint):
    lesson, target = tmp_path / "01_bad.py", tmp_path / "out" / "01_bad.ipynb"
    lesson.write_text(cells, encoding="utf-8")
    program = "import sys, notebooks, pathlib\n" \
              "notebooks.execute(*map(pathlib.Path, sys.argv[1:]), quick=True)"
    done = subprocess.run([sys.executable, "-c", program, lesson, target], cwd=ROOT / "docs/site",
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and complaint in done.stderr and not target.exists()


@needs_lessons
def test_an_unknown_lesson_is_refused(tmp_path):
    status, said = build(tmp_path, "--only", "77")
    assert status == 1 and "no lesson 77; there are 01_autograd" in said


@needs_lessons
@pytest.mark.slow
def test_the_notebook_can_be_downloaded(site):
    notebook = site / "_sources" / "lessons" / "01_autograd.ipynb"
    text = notebook.read_text(encoding="utf-8")
    assert '"image/png"' in text and "minilearn check mul_grad" in text
    assert "_sources/lessons/01_autograd.ipynb" in (site / "lessons/01_autograd.html").read_text(
        encoding="utf-8")


WIDE = """[document.documentElement.scrollWidth, window.innerWidth,
    [...document.querySelectorAll('article img')].every(i => i.complete && i.naturalWidth > 0),
    parseFloat(getComputedStyle(document.querySelector('article p') || document.body).fontSize)]"""


@needs_lessons
@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_every_page_well(site, tmp_path, width):
    with Browser(tmp_path) as browser:
        for path in sorted(p for p in site.rglob("*.html") if "_static" not in p.parts):
            browser.open(path, width)
            wide, window, complete, size = browser.ask(WIDE)
            name = path.relative_to(site)
            assert not browser.complaints(), (name, browser.complaints())
            assert wide <= window + 1, f"{name} is {wide} pixels wide in a window of {window}"
            assert complete and size >= 14, name


@needs_lessons
@needs_browser
@pytest.mark.slow
def test_search_dark_mode_and_hints_work_from_disk(site, tmp_path):
    with Browser(tmp_path) as browser:
        browser.open(f"file://{site}/search.html?q=broadcast")
        found = "document.querySelectorAll('#search-results li').length"
        browser.ask("new Promise(done => setTimeout(done, 3000))")
        assert browser.ask(found) >= 2
        browser.open(site / "exercises" / "01_autograd.html")
        assert browser.ask("document.querySelector('details').open") is False
        browser.ask("document.querySelector('details summary').click()")
        assert browser.ask("document.querySelector('details').open") is True
        colour = "getComputedStyle(document.body).backgroundColor"
        light = browser.ask(colour)
        browser.ask("document.documentElement.dataset.theme = 'dark'")
        assert browser.ask(colour) != light


def test_the_workflow_builds_and_publishes():
    text = (ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8")
    assert "make lessons" in text and "gh-pages" in text and "build/site/html" in text
    if shutil.which("make"):
        dry = subprocess.run(["make", "-n", "lessons"], cwd=ROOT, capture_output=True, text=True)
        assert dry.returncode == 0 and "docs/site/build.py" in dry.stdout
