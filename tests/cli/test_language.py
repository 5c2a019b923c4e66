"""The commands of the language models as a user types them."""

import json

import pytest

from minilearn import data
from minilearn.cli import main
from minilearn.recipes import language

SMALL = ["--epochs", "1", "--bs", "4", "--bptt", "10", "--hidden", "8"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = ", ".join(data.spell(n) for n in range(1, 200))
    (tmp_path / "counting.txt").write_text("Counting: " + text + ". DONE!")
    return tmp_path


def test_train_text_then_generate_then_inspect(home, capsys):
    assert main(["train", "text", "counting.txt", *SMALL]) == 0
    printed = capsys.readouterr().out
    assert "Data: counting," in printed and "Final accuracy" in printed
    assert "runs/counting-5-001/figures/gates.png" in printed
    assert "generate runs/counting-5-001 --temperature" in printed
    assert json.loads((home / "runs/counting-5-001/result.json").read_text())["hidden"] == 8

    run = "runs/counting-5-001"
    written = []
    for tokens in ("0", "5", "9"):
        assert main(["generate", run, "--prompt", "one hundred", "--tokens", tokens]) == 0
        written.append(capsys.readouterr().out.strip())
    assert written[0] == "one hundred" and written[1].startswith("one hundred")
    assert len(written[0]) < len(written[1]) < len(written[2])
    assert written[2].startswith(written[1])
    draws = []
    for seed in ("1", "1", "2"):
        main(["generate", run, "--tokens", "30", "--temperature", "2", "--top-k", "9", "--seed",
              seed])
        draws.append(capsys.readouterr().out)
    assert draws[0] == draws[1] != draws[2]

    assert main(["inspect", run, "--mistakes", "3", "--out", "seen"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Accuracy 0.") and printed.count(", place ") == 3
    assert (home / "seen/wrong_places.png").stat().st_size > 5_000


@pytest.mark.slow
def test_train_numbers_quick(home, capsys):
    assert main(["train", "numbers", "--model", "4", "--quick", "--out", "here"]) == 0
    printed = capsys.readouterr().out
    assert "50,079 tokens to train on, 13,017 to validate, a vocabulary of 38" in printed
    result = json.loads((home / "here/result.json").read_text())
    assert (result["epochs"], result["params"]) == (5, 13_350) and result["accuracy"] > 0.2
    assert "--model best" in printed and '--prompt "eight thousand nine"' in printed


def test_bad_input_is_told_without_a_traceback(home, capsys):
    (home / "latin.txt").write_bytes(b"caf\xe9 " * 500)
    (home / "empty.txt").write_text("")
    (home / "tiny.txt").write_text("one two three four " * 4)
    for arguments, status, said in [
        (["train", "numbers", "--model", "9"], 2, "best"),
        (["train", "numbers", "--resume"], 1, "which run shall go on"),
        (["train", "numbers", "--bptt", "60000"], 1, "longer than the text, which has 50079"),
        (["train", "numbers", "--model", "2", "--tied"], 1, "Models 4 and 5"),
        (["train", "text", "absent.txt"], 1, "there is no text at"),
        (["train", "text", "latin.txt"], 1, "not UTF-8 text: byte 0xe9 in line 1"),
        (["train", "text", "empty.txt"], 1, "0 words and signs"),
        (["train", "text", "tiny.txt"], 1, "tokens"),
        (["generate", "nowhere"], 1, "holds no run"),
        (["inspect", "nowhere"], 1, "holds no run"),
        (["generate", "nowhere", "--temperature", "-1"], 2, "temperature"),
    ]:
        assert main(arguments) == status, arguments
        shown = capsys.readouterr()
        assert said in shown.out + shown.err and "Traceback" not in shown.err, shown


def test_a_prompt_with_unknown_words(home, capsys, monkeypatch):
    monkeypatch.setattr(language, "draw", lambda learn, corpus: {})  # which takes longest
    assert main(["train", "text", "counting.txt", *SMALL, "--out", "run"]) == 0
    capsys.readouterr()
    assert main(["generate", "run", "--prompt", "one gazillion"]) == 1
    assert "never read 'gazillion'" in capsys.readouterr().err
    (home / "counting.txt").write_text("another text, and another one, " * 60)
    assert main(["inspect", "run"]) == 1
    assert "has changed since run was trained on it" in capsys.readouterr().err
