"""`minilearn train numbers`, `train text`, `generate` and `inspect`: language models."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import viz
from ..data import readable
from ..recipes import (
    LanguageSettings,
    RunError,
    RunFolder,
    load_corpus,
    load_language_run,
    mistakes,
    read_valid,
    train_language,
    write_on,
)
from ..recipes.reading import draw_reading
from ..train import Progress
from .options import (
    DeviceOption,
    MineOption,
    OutOption,
    SeedOption,
    WorkOption,
    taking_part,
)
from .train import HowToGoOn, beside, program
from .workers import SyncNormOption, WorkersOption


class LanguageModelName(StrEnum):
    """The lesson's models, and one beyond."""

    model0 = "0"
    model1 = "1"
    model2 = "2"
    model3 = "3"
    model4 = "4"
    model5 = "5"
    best = "best"


ModelOption = Annotated[LanguageModelName, typer.Option("--model", help="Which of the models.")]
EpochsOption = Annotated[
    int | None, typer.Option("--epochs", min=1, help="Times through the text.")
]
LrOption = Annotated[float | None, typer.Option("--lr", help="Largest rate of the cycle.")]
RowsOption = Annotated[int, typer.Option("--bs", min=2, help="Pieces of the text read at once.")]
BpttOption = Annotated[int | None, typer.Option("--bptt", min=1, help="Tokens of each a batch.")]
HiddenOption = Annotated[int, typer.Option("--hidden", min=1, help="Units of the state.")]
AlphaOption = Annotated[float, typer.Option("--alpha", min=0, help="Penalty on activations (AR).")]
BetaOption = Annotated[float, typer.Option("--beta", min=0, help="Penalty on their change (TAR).")]
TiedOption = Annotated[bool, typer.Option("--tied", help="One matrix reads and writes tokens.")]
QuickOption = Annotated[bool, typer.Option("--quick", help="A quarter of the epochs.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")]
RunArgument = Annotated[Path, typer.Argument(help="The folder of a run.")]


def numbers(
    model: ModelOption = LanguageModelName.model5,
    epochs: EpochsOption = None,
    lr: LrOption = None,
    bs: RowsOption = 64,
    bptt: BpttOption = None,
    hidden: HiddenOption = 64,
    alpha: AlphaOption = 0.0,
    beta: BetaOption = 0.0,
    tied: TiedOption = False,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    quick: QuickOption = False,
    out: OutOption = None,
    resume: ResumeOption = False,
    mine: MineOption = False,
    work: WorkOption = None,
    workers: WorkersOption = 1,
    sync_bn: SyncNormOption = False,
) -> None:
    """Train a language model on human numbers: one, two, three, ... (lesson 06)."""
    settings = LanguageSettings("numbers", model.value, epochs, lr, bs, bptt, hidden, alpha, beta,
                                tied, seed, device, quick)
    _train(settings, out, resume, mine, work)


def text(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A UTF-8 text.")],
    model: ModelOption = LanguageModelName.model5,
    epochs: EpochsOption = None,
    lr: LrOption = None,
    bs: RowsOption = 64,
    bptt: BpttOption = None,
    hidden: HiddenOption = 64,
    alpha: AlphaOption = 0.0,
    beta: BetaOption = 0.0,
    tied: TiedOption = False,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    quick: QuickOption = False,
    out: OutOption = None,
    resume: ResumeOption = False,
    mine: MineOption = False,
    work: WorkOption = None,
    workers: WorkersOption = 1,
    sync_bn: SyncNormOption = False,
) -> None:
    """Train a language model on a text of your own; its last tenth is for validation."""
    settings = LanguageSettings(str(file.absolute()), model.value, epochs, lr, bs, bptt, hidden,
                                alpha, beta, tied, seed, device, quick)
    _train(settings, out, resume, mine, work)


def _train(
    settings: LanguageSettings, out: Path | None, resume: bool, mine: bool, work: Path | None
) -> None:
    if resume and out is None:
        raise RunError("--resume needs --out: which run shall go on?")
    with taking_part(mine, work, settings.device) as names:
        settings.mine = names
        callbacks = [Progress(), HowToGoOn()]
        folder, result = train_language(settings, out, resume, callbacks=callbacks)
    best = max(row["accuracy"] for row in result["history"])
    print(f"\nFinal accuracy {result['accuracy']:.4f}, best {best:.4f} ({result['params']:,} "
          f"parameters, {result['epochs']} epochs, {result['seconds']:.0f} s, seed "
          f"{result['seed']}).")
    if names:
        print(beside(folder, result))
    print(what_next(folder, result))


def what_next(folder: RunFolder, result: dict[str, Any]) -> str:
    """Say where everything is, and what to try."""
    pictures = "\n".join(f"  {path}" for path in sorted(folder.figures.glob("*.png")))
    command, is_numbers = program(), result["data"] == "numbers"
    write = '--prompt "eight thousand nine"' if is_numbers else "--temperature 0.8 --top-k 20"
    another = "train numbers --model best    it can also point at what it has read\n"
    return (f"The run is in {folder.path}: result.json, history.csv, vocabulary.txt, "
            f"checkpoint.safetensors, and\n{pictures}\n"
            "Try next:\n"
            f"  {command} generate {folder.path} {write}\n"
            f"  {command} inspect {folder.path}    which tokens are wrong, and where\n"
            + (f"  {command} {another}" if is_numbers and result["model"] != "best" else ""))


def generate(
    run: RunArgument,
    prompt: Annotated[str, typer.Option(help="The text to go on from.")] = "",
    tokens: Annotated[int, typer.Option(min=0, help="How many tokens to write.")] = 40,
    temperature: Annotated[
        float, typer.Option(min=0, help="0: the likeliest; 1: as likely as it says.")] = 0.0,
    top_k: Annotated[
        int | None, typer.Option(min=1, help="Draw from the K likeliest only.")] = None,
    seed: SeedOption = 1,
) -> None:
    """Let a trained language model go on from a prompt."""
    model, vocabulary, _ = load_language_run(run)
    written = write_on(model, vocabulary, prompt, tokens, temperature=temperature, top_k=top_k,
                       seed=seed)
    start = prompt.split()
    print(readable([*start, *written]))


def inspect(
    run: RunArgument,
    count: Annotated[int, typer.Option("--mistakes", min=0, help="How many to print.")] = 12,
    out: Annotated[
        Path | None, typer.Option(help="Where the figures go (default: RUN/figures).")] = None,
) -> None:
    """Let a trained model read its validation text: what it gets wrong, its state, its gates."""
    model, vocabulary, settings = load_language_run(run)
    corpus = load_corpus(settings.data)
    if corpus.vocabulary != vocabulary:
        raise RunError(f"{settings.data} has changed since {run} was trained on it: its vocabulary "
                       "is another; train again")
    seen = read_valid(model, corpus, settings.bs, settings.bptt)
    print(f"Accuracy {seen.accuracy:.4f}: {seen.wrong.sum():,} of {seen.judged.sum():,} tokens of "
          "the validation text are wrong, read from its beginning with a new state.")
    if count and seen.wrong.any():
        print("\nThe first of them (what it read [what came] what it guessed):")
        print("\n".join("  " + line for line in mistakes(seen, vocabulary, count)))
        print("\nMost often taken for each other:")
        for target, guess, times in seen.confusions()[:8]:
            print(f"  {times:>5}  {vocabulary.itos[target]}  taken for  {vocabulary.itos[guess]}")
    print("\nPictures:")
    for name, figure in draw_reading(model, seen, corpus).items():
        path = (out or Path(run) / "figures") / f"{name}.png"
        viz.save(figure, path)
        print(f"  {path}")
