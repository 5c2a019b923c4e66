"""The page on differences is true: each of its lines has another outcome under torch."""

import re
from pathlib import Path

import pytest
import torch
from test_calls import alike, outcome

import minilearn as ml

PAGE = (Path(__file__).parents[2] / "docs/differences.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", LINES)
def test_the_two_differ(line):
    ours, theirs = outcome(line, ml), outcome(line, torch)
    with pytest.raises(AssertionError):
        alike(ours, theirs)
    if isinstance(ours, Exception):
        assert len(str(ours)) > 10, f"the message is short: {ours!r}"


def test_every_table_has_lines():
    assert len(LINES) == PAGE.count("\n| `") > 20
