"""The lesson's language models beside their torch twins: the same recipe, several seeds.

    python -m minilearn.bench.language --seeds 1 2 3 --model 5 --json numbers.json
    python -m minilearn.bench.language --variants     # what each part of "best" is worth

Each side draws its own weights, as its users would. Everything else is the same: the batches, the
optimizer with its settings, the schedule, and what is measured.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import mean
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits

from .. import data, optim, xp
from ..files import write_whole
from ..models import LANGUAGE_MODELS
from ..recipes.language import LAST_ONLY, RECIPES, LanguageSettings, make_learner
from ..recipes.run import adam
from ..train import KeepState, Learner, OneCycle, Reading, token_cross_entropy
from .language_twins import Twin, twin

Scores = dict[str, Any]
NEXT = {"offsets": (1,)}  # a pointer that offers the next word only
VARIANTS: dict[str, Scores] = {
    "Model 5": {"model": "5"},
    "Model 5, forgetting": {"model": "5", "forget": 0.1},
    "pointer to the next word": NEXT | {"word_dropout": 0.0},
    "the same, and forgetting": NEXT | {"word_dropout": 0.0, "forget": 0.1},
    "the same, and word dropout": NEXT | {"forget": 0.1},
    "pointer to all three (best)": {"forget": 0.1},
    "the same, forgetting more": {"forget": 0.3},
}


def train_ours(model: str, seed: int) -> Scores:
    """Train minilearn's model; return its accuracy after each epoch, and the seconds it took."""
    settings = LanguageSettings(model=model, seed=seed).filled()
    learn = make_learner(settings, data.numbers_corpus())
    began = time.perf_counter()
    with threadpool_limits(1):
        learn.fit(settings.epochs, callbacks=[
            OneCycle(settings.lr, pct_start=RECIPES[model].pct_start)])
    accuracies = [row["accuracy"] for row in learn.recorder.history]
    return {"accuracies": accuracies, "seconds": time.perf_counter() - began}


def train_twin(model: str, seed: int) -> Scores:
    """Train torch's model by the same recipe."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    recipe, corpus, chance = RECIPES[model], data.numbers_corpus(), np.random.default_rng(seed)
    net = twin(model, len(corpus.vocabulary))
    optimizer = torch.optim.AdamW(net.parameters(), betas=(0.9, 0.99), eps=1e-8, weight_decay=1e-2)
    train, valid = (data.LanguageLoader(part, 64, recipe.bptt, last=model in LAST_ONLY)
                    for part in (corpus.train, corpus.valid))
    accuracies, began, total = [], time.perf_counter(), recipe.epochs * len(train)
    for epoch in range(recipe.epochs):
        net.train()
        for step, batch in enumerate(train, epoch * len(train)):
            if chance.random() < recipe.forget:
                net.reset()
            rate, momentum = optim.one_cycle(step, total, recipe.lr, pct_start=recipe.pct_start)
            optimizer.param_groups[0].update(lr=rate, betas=(momentum, 0.99))
            take_step(net, optimizer, *batch)
        accuracies.append(accuracy(net, valid))
    return {"accuracies": accuracies, "seconds": time.perf_counter() - began}


def take_step(net: Twin, optimizer: torch.optim.Optimizer, *batch: Any) -> None:
    """Train a twin on one batch."""
    x, y = (torch.from_numpy(t.numpy()) for t in batch)
    loss = F.cross_entropy(net(x).flatten(0, -2), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@torch.no_grad()
def accuracy(net: Twin, loader: data.LanguageLoader) -> float:
    """Return the share of tokens that a twin guesses."""
    net.eval()
    batches = ((torch.from_numpy(t.numpy()) for t in batch) for batch in loader)
    return mean((net(x).argmax(-1) == y).float().mean().item() for x, y in batches)


def train_variant(
    seed: int, *, model: str = "best", forget: float = 0.0, lr: float = 1e-2, epochs: int = 10,
    hidden: int = 64, **options: Any,
) -> Scores:
    """Train Model 5 or a pointer model with parts left out or changed."""
    corpus = data.numbers_corpus()
    xp.manual_seed(seed)
    net = LANGUAGE_MODELS[model](len(corpus.vocabulary), hidden, **options)
    loaders: Any = [data.LanguageLoader(part, 64, 20) for part in (corpus.train, corpus.valid)]
    learn = Learner(net, *loaders, loss=token_cross_entropy, optimizer=adam,
                    callbacks=[KeepState(net, forget)])
    with threadpool_limits(1):
        learn.fit_one_cycle(epochs, lr)
    accuracies = [row["accuracy"] for row in learn.recorder.history]
    warm = Reading.of(net, loaders[1]).wrong[:, 20:].mean()
    return {"accuracies": accuracies, "after 20 tokens": 1 - float(warm)}


def compare_variants(seeds: list[int]) -> Scores:
    """Train each variant with each seed, say how it went, and return all accuracies."""
    found: Scores = {}
    for name, options in VARIANTS.items():
        found[name] = runs = [train_variant(seed, **options) for seed in seeds]
        finals = [run["accuracies"][-1] for run in runs]
        warm = mean(run["after 20 tokens"] for run in runs)
        print(f"{name:28}  final {' '.join(f'{a:.4f}' for a in finals)}  mean {mean(finals):.4f}  "
              f"after 20 tokens {warm:.4f}", flush=True)
    print(f"{'one who can count':28}  {ceiling():.4f}")
    return found


def ceiling(rows: int = 64, bptt: int = 20) -> float:
    """Return the accuracy of a reader who can count to 9,999 and begins in the middle of a row.

    It keeps every place of the counting that fits what it has read of the row, and guesses what
    comes next at most of them.
    """
    corpus = data.numbers_corpus()
    counting = data.tokenize(", ".join(data.spell(number) for number in range(1, 10_000)))
    stream = corpus.vocabulary.numericalize(counting)
    right = []
    batches = [(x.numpy(), y.numpy()) for x, y in data.LanguageLoader(corpus.valid, rows, bptt)]
    read, targets = (np.concatenate(part, 1) for part in zip(*batches, strict=True))
    for row, answers in zip(read, targets, strict=True):
        fitting = np.arange(len(stream) - 1)
        for token, answer in zip(row, answers, strict=True):
            kept = fitting[stream[fitting] == token]
            if not len(kept):  # the text has wrapped to its beginning
                kept = np.flatnonzero(stream[:-1] == token)
            right.append(np.bincount(stream[kept + 1]).argmax() == answer)
            fitting = kept[kept < len(stream) - 2] + 1
    return float(np.mean(right))


def compare(model: str, seeds: list[int]) -> Scores:
    """Train both sides with each seed, say how it went, and return all accuracies."""
    found: Scores = {"model": model, "seeds": seeds}
    for name, train in (("minilearn", train_ours), ("torch", train_twin)):
        runs = [train(model, seed) for seed in seeds]
        finals = [run["accuracies"][-1] for run in runs]
        best = max(max(run["accuracies"]) for run in runs)
        found[name] = runs
        print(f"model {model:4} {name:9}  final {' '.join(f'{a:.4f}' for a in finals)}  "
              f"mean {mean(finals):.4f}  best {best:.4f}  "
              f"{mean(run['seconds'] for run in runs):.1f} s a run", flush=True)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Read the options, run the comparison, write the numbers where asked."""
    parser = argparse.ArgumentParser(prog="python -m minilearn.bench.language",
                                     description="Train the language models beside torch's.")
    parser.add_argument("--model", action="append", choices=list(RECIPES), help="default all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--json", help="a file to write all accuracies to")
    parser.add_argument("--variants", action="store_true", help="what the parts of best are worth")
    given = parser.parse_args(arguments)
    found: Any = (compare_variants(given.seeds) if given.variants
                  else [compare(model, given.seeds) for model in given.model or RECIPES])
    if given.json:
        write_whole(given.json, (json.dumps(found, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
