"""Pictures of data, of training runs, of mistakes: each function returns a matplotlib Figure."""

from .images import augmentations, image_grid, labelled_batch
from .interpretation import confusion_matrix, top_losses
from .style import save
from .training import losses, lr_finder, metrics, schedules

__all__ = [
    "augmentations",
    "confusion_matrix",
    "image_grid",
    "labelled_batch",
    "losses",
    "lr_finder",
    "metrics",
    "save",
    "schedules",
    "top_losses",
]
