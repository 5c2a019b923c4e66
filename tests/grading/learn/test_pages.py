"""The pages for students and instructors: whole, escaped, and with what matters on them."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from minilearn.grading.checking import cases
from minilearn.grading.teach.feedback import feedback, write_feedback
from minilearn.grading.teach.gradebook import Gradebook
from minilearn.grading.teach.report import line, summary, write_all
from tests.grading.class_results import PADDING, make

VOID = {"meta", "br"}


class Balanced(HTMLParser):
    """Raises on a tag that is never closed, or closed out of order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def book(tmp_path):
    return Gradebook(make(tmp_path))


def test_summary_shows_distribution_misconceptions_and_troubles(book):
    page = summary(book)
    seen = Balanced(page).seen
    assert "script" not in seen and "b" not in seen  # what students and authors wrote is text
    assert "hw &lt;3&gt;" in page and "<strong>3</strong> submissions" in page
    assert "1 of the roster handed in nothing" in page and "a &amp; b" in page
    assert "<strong>padding</strong> is ignored &lt;b&gt;" in page and "007, eve" in page
    assert "eve: grader_error, flagged: read_outside" in page and "zoe: missing" in page
    assert "1 of 3" in page and "2 wrong shape" in page
    assert "tier 2" in page and "before: passed; after: passed" in page
    counts = re.findall(r"%</td>.*?<td class=n>(\d+)</td>", page)
    assert counts == ["1"] + ["0"] * 6 + ["1", "0", "0"]  # 100 % and 22 %; eve is not yet known


def test_misconceptions_are_sorted_by_how_common_they_are(book):
    book.results["ada"]["exercises"]["pool"]["causes"] = ["rare"]
    assert book.misconceptions() == [("conv", PADDING, ["007", "eve"]), ("pool", "rare", ["ada"])]


def test_feedback_of_a_wrong_submission(book):
    page = feedback(book, "007")
    seen = Balanced(page).seen
    assert "script" not in seen and "&lt;script&gt;" in page
    assert "<strong>2 of 9 points</strong>" in page and "Not graded: conftest.py." in page
    assert "✗ 3.1 <code>conv</code>, Tap by tap: 2 of 5" in page and "wrong shape" in page
    assert "minilearn replay conv-abc123.json" in page
    link = re.search(r"href='data:application/json,([^']*)'", page).group(1)
    saved = json.loads(unquote(link))
    assert saved["exercise"] == "conv" and cases.from_text(json.dumps(saved["case"])) == {"n": 3}


def test_feedback_of_a_full_score_is_short_and_tells_the_penalty(book):
    page = feedback(book, "ada")
    assert "9 of 9 points" in page and "less 1.5 for lateness: 7.5" in page
    assert "<pre>" not in page and page.count("✓") == 2


def test_feedback_never_gives_zero_for_our_failure(book):
    page = feedback(book, "eve")
    assert "i" not in Balanced(page).seen and "largest &lt;i&gt;" in page
    assert "The grader failed on a part" in page and "0 of 4" not in page and "? of 4" in page
    assert "read_outside" not in page  # flags are for the instructor


def test_a_page_for_everyone_who_handed_in(book, tmp_path):
    written = write_feedback(book, tmp_path / "pages")
    assert sorted(p.name for p in written) == ["007.html", "ada.html", "eve.html"]
    assert all(p.read_text("utf-8").startswith("<!doctype html>") for p in written)


def test_write_all_counts_our_failures(tmp_path):
    assert write_all(make(tmp_path)) == 1
    assert {"gradebook.csv", "results.csv", "points.csv", "summary.html"} <= {
        p.name for p in tmp_path.iterdir()}


def test_line(book):
    assert line(book.results["ada"]).split() == "ada 9 of 9 points 1.0 s".split()
    assert "1 exercises could not be graded" in line(book.results["eve"])
