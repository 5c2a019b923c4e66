"""Pictures of data, of training runs, of mistakes: each function returns a matplotlib Figure."""

from .drawing import curves, diagram, number_grids
from .images import augmentations, image_grid, labelled_batch
from .interpretation import confusion_matrix, top_losses
from .language import (
    gates_over_time,
    loss_by_position,
    states_over_time,
    token_accuracy,
    wrong_places,
)
from .notebook import show
from .speed import scaling
from .strips import coloured, strips
from .style import describe, new_figure, save, styled
from .training import losses, lr_finder, metrics, schedules

__all__ = [
    "augmentations",
    "coloured",
    "confusion_matrix",
    "curves",
    "describe",
    "diagram",
    "gates_over_time",
    "image_grid",
    "labelled_batch",
    "loss_by_position",
    "losses",
    "lr_finder",
    "metrics",
    "new_figure",
    "number_grids",
    "save",
    "scaling",
    "schedules",
    "show",
    "states_over_time",
    "strips",
    "styled",
    "token_accuracy",
    "top_losses",
    "wrong_places",
]
