"""The language models beside their twins: both sides train by the same recipe."""

import json

import pytest

from minilearn import data
from minilearn.bench import language
from minilearn.bench.language_twins import twin
from minilearn.recipes.language import RECIPES, Recipe


@pytest.fixture
def small(monkeypatch):
    """A short text, and one epoch."""
    words = data.tokenize(", ".join(data.spell(n) for n in range(1, 2500)))
    corpus = data.Corpus.of(words[:10_000], words[10_000:], "numbers")
    monkeypatch.setattr(data, "numbers_corpus", lambda: corpus)
    for name, recipe in RECIPES.items():
        monkeypatch.setitem(RECIPES, name, recipe._replace(epochs=1))


def test_both_sides_are_trained_and_told(small, tmp_path, capsys):
    language.main(["--model", "0", "--model", "best", "--seeds", "1", "2", "--json",
                   str(tmp_path / "all.json")])
    found = json.loads((tmp_path / "all.json").read_text())
    assert [row["model"] for row in found] == ["0", "best"]
    for row in found:
        for side in ("minilearn", "torch"):
            assert len(row[side]) == 2
            assert all(len(run["accuracies"]) == 1 and 0 <= run["accuracies"][0] <= 1
                       for run in row[side])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[3].startswith("model best torch")


def test_variants(small, capsys, monkeypatch):
    names = ["Model 5", "the same, and word dropout"]
    some = {name: language.VARIANTS[name] | {"epochs": 1} for name in names}
    monkeypatch.setattr(language, "VARIANTS", some)
    found = language.compare_variants([1])
    assert list(found) == names
    assert all(0 <= run["after 20 tokens"] <= 1 for runs in found.values() for run in runs)


def test_nobody_can_know_the_beginning_of_a_row():
    assert 0.98 < language.ceiling() < 0.99
    assert language.ceiling(rows=4) > 0.995  # fewer beginnings


def test_a_twin_learns(small, monkeypatch):
    """What a torch twin reaches is not chance: half of this text is a comma or `hundred`."""
    monkeypatch.setitem(RECIPES, "5", Recipe(20, 8, 1e-2))
    assert language.train_twin("5", 1)["accuracies"][-1] > 0.4
    assert isinstance(twin("5", 38), language.Twin)
