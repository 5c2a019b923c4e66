"""Every command that the README shows exists: subcommands, options and make targets."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SHELLS = {"", "sh", "bash", "shell", "console"}


def shell_lines(text):
    """Yield the lines of the shell code blocks, without prompts, with continued lines joined."""
    for language, block in re.findall(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", text, re.M | re.S):
        if language in SHELLS:
            for line in block.replace("\\\n", " ").splitlines():
                yield re.sub(r"^[$>] ", "", line.strip())


def commands(text):
    """Yield each `minilearn` and `make` command as its words: ["minilearn", "train", "resnet"]."""
    for line in shell_lines(text):
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split, lexer.commenters = True, "#"
            words = list(lexer)
        except ValueError:  # a line of output with a lone quote
            continue
        for command in split_at_operators(words):
            command = [*command]
            while command and re.match(r"\w+=", command[0]):  # MINILEARN_DATA=data minilearn ...
                command.pop(0)
            if len(command) > 2 and command[1:3] == ["-m", "minilearn"]:
                command = ["minilearn", *command[3:]]
            if command and Path(command[0]).name in ("minilearn", "make"):
                yield [Path(command[0]).name, *command[1:]]


def split_at_operators(words):
    """Split `cd x && make demo` into its commands."""
    command = []
    for word in words:
        if set(word) <= set("|&;()<>"):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def split_options(words):
    """Split the words after the program: what comes before the first option, and option names."""
    first = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    return words[:first], [w.split("=")[0] for w in words[first:] if re.match(r"--?[a-zA-Z]", w)]


def run(*command):
    """Run a command at the root and return (exit status, all it printed)."""
    # An outer make's flags would reach the inner one; wide and plain, so that help is not cut.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    environment |= {"COLUMNS": "250", "TERM": "dumb", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@cache
def help_of(words):
    """The help page that `minilearn WORDS --help` prints."""
    status, text = run(sys.executable, "-m", "minilearn", *words, "--help")
    assert status == 0, f"`minilearn {' '.join(words)}` does not exist:\n{text}"
    return text


def check(command):
    """Fail if a command of the README does not exist."""
    program, words = command[0], command[1:]
    before, options = split_options(words)
    if program == "minilearn":
        page = help_of(tuple(before))
        for option in options:
            exists = re.search(rf"(?<![\w-]){option}(?![\w-])", page)
            assert exists, f"`{' '.join(command)}`: there is no {option}"
    elif shutil.which("make"):
        targets = [word for word in before if "=" not in word]
        status, text = run("make", "-n", *targets)
        assert status == 0, f"`{' '.join(command)}` does not exist:\n{text}"


def test_every_command_of_the_readme_exists():
    assert README.is_file(), "README.md is missing: a newcomer has nowhere to start"
    found = {tuple(command) for command in commands(README.read_text(encoding="utf-8"))}
    assert ("make", "demo") in found and ("make", "test") in found
    assert any(command[0] == "minilearn" for command in found)
    for command in sorted(found):
        check(command)


# ---------------------------------------------------------------- the reading itself is tested

SAMPLE = """
Text with `make nothing`.

```sh
git clone URL && cd minilearn
make demo        # a minute
$ MINILEARN_DATA=~/data python -m minilearn train resnet \\
      --data mnist --lr=.05
.venv/bin/minilearn predict runs/a digit.png; make test ARGS="-k conv" | tail
it's output
```
```python
make = minilearn.tensor
```
"""


def test_commands_are_found():
    assert list(commands(SAMPLE)) == [
        ["make", "demo"],
        ["minilearn", "train", "resnet", "--data", "mnist", "--lr=.05"],
        ["minilearn", "predict", "runs/a", "digit.png"],
        ["make", "test", "ARGS=-k conv"],
    ]


def test_options_are_told_from_words():
    words = ["train", "resnet", "--data", "mnist", "--lr=.05", "-q", "-1"]
    assert split_options(words) == (["train", "resnet"], ["--data", "--lr", "-q"])


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_an_unknown_target_is_caught():
    check(["make", "demo"])
    with pytest.raises(AssertionError, match="does not exist"):
        check(["make", "no-such-target"])
