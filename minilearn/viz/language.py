"""Pictures of a language model that reads: where it errs, and what goes on inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError
from .style import BLUE, RED, describe, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled
def wrong_places(wrong: np.ndarray) -> Figure:
    """Draw where the guesses were wrong: a row for each piece of the text, time to the right.

    wrong: bool (N, T). Raises ShapeError for another shape.
    """
    wrong = np.asarray(wrong)
    if wrong.ndim != 2:
        raise ShapeError(f"wrong_places: wrong must be (rows, time), got {wrong.shape}")
    figure = new_figure(9, 4)
    axes = figure.subplots()
    rows, times = np.nonzero(wrong)
    axes.plot(times, rows, "s", color=RED, markersize=2.2, markeredgewidth=0)
    axes.set(xlim=(-1, wrong.shape[1]), ylim=(wrong.shape[0], -1), xlabel="place in the row",
             ylabel="row of the batch", title=f"Wrong tokens: {wrong.sum()} of {wrong.size}")
    return describe(figure, f"{wrong.sum()} of {wrong.size} tokens are wrong, in "
                            f"{len(set(rows.tolist()))} of {wrong.shape[0]} rows.")


@styled
def loss_by_position(losses: np.ndarray) -> Figure:
    """Draw the mean loss at each place of a batch, (bptt,); nan is left out."""
    from matplotlib.ticker import MaxNLocator

    losses = np.asarray(losses)
    figure = new_figure(6.6, 3.6)
    axes = figure.subplots()
    axes.plot(np.arange(1, len(losses) + 1), losses, "o-", color=BLUE, markersize=4)
    axes.set(ylim=(0, None), xlabel="place in the batch (tokens read so far)", ylabel="mean loss",
             title="Loss by position")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return describe(figure, f"Mean loss at {len(losses)} places of a batch: {losses[0]:.3g} at the "
                            f"first, {losses[-1]:.3g} at the last.")


@styled
def token_accuracy(counts: Mapping[str, tuple[int, int]], most: int = 40) -> Figure:
    """Draw for each token how often it was guessed, in percent; the commonest first.

    counts: token -> (right, how often it was there). most: how many tokens are shown.
    Raises ValueError where there is none.
    """
    if not counts:
        raise ValueError("token_accuracy: there is no token to show")
    shown = sorted(counts.items(), key=lambda item: -item[1][1])[:most]
    figure = new_figure(6.6, 1.2 + 0.19 * len(shown))
    axes = figure.subplots()
    places = np.arange(len(shown))
    axes.barh(places, [100 * right / times for _, (right, times) in shown], color=BLUE, height=0.7)
    names = [f"{token}  ({times})" for token, (_, times) in shown]
    axes.set_yticks(places, names, fontsize=7.5, parse_math=False)
    axes.set(xlim=(0, 100), ylim=(len(shown) - 0.4, -0.6), xlabel="guessed, in percent",
             title="Which tokens are guessed (how often they are there)")
    axes.grid(axis="y", visible=False)
    worst = min(shown, key=lambda item: item[1][0] / item[1][1])
    return describe(figure, f"Share of {len(shown)} tokens that were guessed; least often "
                            f"{worst[0]!r}, {worst[1][0]} of {worst[1][1]} times.")


@styled
def states_over_time(states: np.ndarray, tokens: Sequence[str]) -> Figure:
    """Draw a hidden state over time: (T, layers, H), a panel for each layer, a line for each unit.

    tokens: the T tokens read. Raises ShapeError where they do not fit.
    """
    panels = {f"State, layer {layer + 1}": states[:, layer]
              for layer in range(_layers(states, tokens))}
    most = max(1.0, float(abs(states).max()))
    return _over_time(panels, tokens, "RdBu_r", (-most, most), "value")


@styled
def gates_over_time(reset: np.ndarray, update: np.ndarray, tokens: Sequence[str]) -> Figure:
    """Draw how far the gates of a GRU open: (T, layers, H) each, two panels for each layer.

    tokens: the T tokens read. Raises ShapeError where they do not fit.
    """
    _layers(reset, tokens)
    panels = {}
    for layer in range(_layers(update, tokens)):
        panels[f"Reset gate r, layer {layer + 1} (0: the past is left out)"] = reset[:, layer]
        panels[f"Update gate z, layer {layer + 1} (1: the state is kept)"] = update[:, layer]
    return _over_time(panels, tokens, "viridis", (0, 1), "opening")


def _layers(values: np.ndarray, tokens: Sequence[str]) -> int:
    if values.ndim != 3 or len(values) != len(tokens):
        raise ShapeError(f"expected values (time, layers, units) and a token for each time, got "
                         f"{values.shape} and {len(tokens)} tokens")
    return values.shape[1]


def _over_time(
    panels: dict[str, np.ndarray], tokens: Sequence[str], colours: str, limits: tuple, unit: str
) -> Figure:
    figure = new_figure(9, 0.9 + 2.1 * len(panels))
    subplots = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (title, values) in zip(subplots, panels.items(), strict=True):
        order = np.argsort(values.mean(0), kind="stable")  # alike units side by side
        drawn = axes.imshow(values[:, order].T, aspect="auto", cmap=colours,
                            interpolation="nearest", vmin=limits[0], vmax=limits[1])
        axes.set(title=title, ylabel="unit")
        axes.grid(visible=False)
        figure.colorbar(drawn, ax=axes, label=unit, pad=0.01)
    _name_times(subplots[-1], tokens)
    return describe(figure, f"{', '.join(panels)}: {len(tokens)} tokens, "
                            f"{next(iter(panels.values())).shape[1]} units each.")


def _name_times(axes: Any, tokens: Sequence[str]) -> None:
    axes.set_xticks(np.arange(len(tokens)), tokens, rotation=90, fontsize=7, parse_math=False)
    axes.set_xlabel("token read")
