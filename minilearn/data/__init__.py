"""Data: datasets, loaders, transforms, and the images the lessons train on."""

from .collate import collate
from .dataset import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from .datasets import Source, available, digits, load
from .download import data_home, fetch
from .idx import read_idx
from .images import Images, image_loaders
from .loader import DataLoader
from .mnist_files import mnist
from .problems import DamagedDataError, DataError, DownloadError, MissingDataError
from .transforms import (
    Compose,
    Normalize,
    RandomHorizontalFlip,
    RandomPadCrop,
    RandomVerticalFlip,
    on_inputs,
    stats_of,
    to_float,
)

__all__ = [
    "Compose",
    "ConcatDataset",
    "DamagedDataError",
    "DataError",
    "DataLoader",
    "Dataset",
    "DownloadError",
    "Images",
    "MissingDataError",
    "Normalize",
    "RandomHorizontalFlip",
    "RandomPadCrop",
    "RandomVerticalFlip",
    "Source",
    "Subset",
    "TensorDataset",
    "available",
    "collate",
    "data_home",
    "digits",
    "fetch",
    "image_loaders",
    "load",
    "mnist",
    "on_inputs",
    "random_split",
    "read_idx",
    "stats_of",
    "to_float",
]
