"""A language model's whole run in small: folder, result, resuming, writing, inspecting."""

import json
from unittest import mock

import numpy as np
import pytest

from minilearn import data, recipes
from minilearn.recipes import language
from minilearn.recipes.language import RECIPES, keep_vocabulary, make_model
from minilearn.recipes.reading import draw_reading
from minilearn.train import Callback

TEXT = ", ".join(data.spell(n) for n in range(1, 260)) + "."


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "counting.txt"
    path.write_text(TEXT)
    return str(path)


def settings(text, **changes):
    small = {"data": text, "model": "5", "epochs": 2, "bs": 4, "bptt": 10, "hidden": 8}
    return recipes.LanguageSettings(**small | changes)


def run_of(text, out, resume=False, callbacks=(), said=None, figures=False, **changes):
    """Train in small; the figures take longer than the training, so only where they are wanted."""
    say = (lambda line: None) if said is None else said.append
    draw = language.draw if figures else lambda learn, corpus: {}
    with mock.patch.object(language, "draw", draw):
        return recipes.train_language(settings(text, **changes), out, resume, callbacks, say)


@pytest.fixture(scope="module")
def run(text, tmp_path_factory):
    return run_of(text, tmp_path_factory.mktemp("runs") / "one", figures=True)


def test_the_folder_holds_everything(run):
    folder, result = run
    written = json.loads(folder.result_file.read_text())
    assert written["accuracy"] == result["accuracy"] == result["history"][-1]["accuracy"]
    assert written["model"] == "5" and written["bptt"] == 10 and len(written["train_loss"]) == 2
    vocabulary = data.Vocabulary.load(folder.path / "vocabulary.txt")
    assert len(vocabulary) == 8 + 1 + 1 + 27  # the comma, hundred, and the words below 100
    assert {path.stem for path in folder.figures.glob("*.png")} == {
        "losses", "metrics", "schedule", "wrong_places", "loss_by_position", "token_accuracy",
        "states", "gates"}


def test_what_is_said_about_the_data(text, tmp_path):
    said = []
    run_of(text, tmp_path / "run", said=said, epochs=1, model="3")
    tokens = len(data.tokenize(TEXT))
    assert f"counting, {round(tokens * 0.9):,} tokens to train on, {round(tokens * 0.1):,} to " in (
        said[0])


def test_the_same_seed_gives_the_same_run_and_another_does_not(run, text, tmp_path):
    again = run_of(text, tmp_path / "again")[1]
    other = run_of(text, tmp_path / "other", seed=2)[1]
    assert again["train_loss"] == run[1]["train_loss"] != other["train_loss"]


@pytest.mark.parametrize("model", ["5", "best"])
def test_interrupted_and_resumed_equals_uninterrupted(model, text, tmp_path):
    class Stop(Callback):
        def after_backward(self, learn):
            if learn.epoch == 1:
                raise KeyboardInterrupt

    whole = run_of(text, tmp_path / "whole", model=model)[1]
    with pytest.raises(KeyboardInterrupt):
        run_of(text, tmp_path / "two", callbacks=[Stop()], model=model)
    result = run_of(text, tmp_path / "two", resume=True, model=model)[1]
    assert result["train_loss"] == whole["train_loss"]
    assert result["accuracy"] == whole["accuracy"]


def test_a_text_that_has_changed_cannot_go_on(run):
    folder, _ = run
    keep_vocabulary(folder, data.Vocabulary.load(folder.path / "vocabulary.txt"))  # the same: fine
    with pytest.raises(recipes.RunError, match="the text has changed"):
        keep_vocabulary(folder, data.Vocabulary.of("a a b b".split()))


def test_penalties_and_tied_weights_take_part(run, text, tmp_path):
    plain = run[1]["train_loss"]
    assert run_of(text, tmp_path / "ar", alpha=2.0, beta=1.0)[1]["train_loss"] != plain
    tied = run_of(text, tmp_path / "tied", tied=True)[1]
    assert tied["params"] == run[1]["params"] - 37 * 8


@pytest.mark.parametrize("model", RECIPES)
def test_every_model_runs(model, text, tmp_path):
    changes = {"bptt": 3} if model in "01" else {}
    folder, result = run_of(text, tmp_path / "run", model=model, epochs=1, **changes)
    assert 0 <= result["accuracy"] < 1 and result["valid_loss"] > 0
    net, vocabulary, kept = recipes.load_language_run(folder.path)
    assert len(recipes.write_on(net, vocabulary, "one hundred", 7)) == 7
    corpus = recipes.load_corpus(text)
    figures = draw_reading(net, recipes.read_valid(net, corpus, kept.bs, kept.bptt), corpus)
    assert ("gates" in figures) == (model in ("5", "best"))
    assert ("states" in figures) == (model in ("3", "4", "5", "best"))
    assert ("loss_by_position" in figures) == (model not in "01")


def test_the_lessons_numbers_are_filled_in():
    filled = recipes.LanguageSettings().filled()
    assert (filled.model, filled.epochs, filled.lr) == ("5", 10, 1e-2)
    assert (filled.bptt, filled.bs) == (20, 64)
    assert recipes.LanguageSettings(model="0").filled().bptt == 3
    assert recipes.LanguageSettings(model="3", quick=True).filled().epochs == 5
    assert recipes.LanguageSettings(model="3", quick=True, epochs=7).filled().epochs == 7


@pytest.mark.parametrize("wrong, said", [
    ({"model": "6"}, "there are 0, 1, 2, 3, 4, 5, best"),
    ({"epochs": 0}, "epochs must be at least 1"), ({"lr": 0.0}, "lr must be above 0"),
    ({"bs": 1}, "bs must be at least 2"),
    ({"bptt": 0}, "bptt must be at least 1"), ({"beta": -1.0}, "beta must be at least 0"),
    ({"model": "3", "tied": True}, "Models 4 and 5, not for 3"),
    ({"model": "2", "alpha": 1.0}, "not 2"), ({"model": "0", "bptt": 4}, "3 or less, got 4"),
])
def test_settings_that_make_no_sense(wrong, said):
    with pytest.raises(recipes.RunError, match=said):
        recipes.LanguageSettings(**wrong).filled()


def test_a_text_too_short_for_the_settings(text, tmp_path):
    with pytest.raises(data.TextError, match="longer than the text, which has"):
        run_of(text, tmp_path / "run", bptt=5000)
    with pytest.raises(data.TextError, match="rows for a text of"):
        run_of(text, tmp_path / "run2", bs=500)
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


# ---------------------------------------------------------------- a trained model


def test_a_saved_model_scores_as_it_did(run, text):
    model, vocabulary, kept = recipes.load_language_run(run[0].path)
    assert kept.hidden == 8 and not model.training
    seen = recipes.read_valid(model, recipes.load_corpus(text), kept.bs, kept.bptt)
    lines = recipes.mistakes(seen, vocabulary, 3)
    row, place = (int(n) for n in np.argwhere(seen.wrong)[0])
    came = vocabulary.itos[seen.targets[row, place]]
    assert len(lines) == 3 and lines[0].startswith(f"row {row}, place {place}: ... ")
    assert f"[{came}]  not " in lines[0]


def test_an_empty_prompt_is_the_beginning_of_a_text(run):
    model, vocabulary, _ = recipes.load_language_run(run[0].path)
    shown = []
    model.register_forward_hook(lambda module, inputs, out: shown.append(inputs[0].tolist()))
    recipes.write_on(model, vocabulary, "  ", 1)
    recipes.write_on(model, vocabulary, "One hundred", 1)
    assert shown[0] == [[2]] and vocabulary.textify(shown[1][0]) == "xxmaj one hundred"


def test_unknown_words_in_a_prompt_are_named(run):
    model, vocabulary, _ = recipes.load_language_run(run[0].path)
    with pytest.raises(recipes.RunError, match="never read 'milliard', 'zéro'; .* such as ,"):
        recipes.write_on(model, vocabulary, "one zéro milliard", 5)


def test_runs_that_are_none(run, text, tmp_path):
    with pytest.raises(recipes.RunError, match="holds no run"):
        recipes.load_language_run(tmp_path)
    (tmp_path / "settings.json").write_text('{"model": "resnet"}')
    with pytest.raises(recipes.RunError, match="no run of a language model"):
        recipes.load_language_run(tmp_path)
    other = recipes.RunFolder(tmp_path / "begun")
    other.begin({"bptt": 3}, resume=False)
    with pytest.raises(recipes.RunError, match="no checkpoint yet"):
        recipes.load_language_run(other.path)


def test_the_best_model_hides_words_while_it_trains():
    vocabulary = data.numbers_corpus().vocabulary
    model = make_model(recipes.LanguageSettings(model="best").filled(), vocabulary)
    assert model.word_dropout.p == 0.1 and RECIPES["best"].forget == 0.1
