"""Cases for the contracts: geometry is drawn and shrinks, data is filled in and explains something.

A minimal case of zeros says nothing; one of 1, 2, 3, ... says which number went where.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

seeds = st.integers(0, 2**16)


def sizes(least: int = 1, most: int = 4) -> st.SearchStrategy[int]:
    """Draw the size of a dimension."""
    return st.integers(least, most)


def shapes(
    least: int = 1, most: int = 3, size: int = 4, smallest: int = 1
) -> st.SearchStrategy[tuple[int, ...]]:
    """Draw a shape of `least` to `most` dimensions."""
    return st.lists(sizes(smallest, size), min_size=least, max_size=most).map(tuple)


def counted(shape: tuple[int, ...] | int, first: int = 1, dtype: Any = np.float64) -> np.ndarray:
    """Fill with first, first + 1, ...: exact in floating point, and every place is different.

    >>> counted((2, 2))
    array([[1., 2.],
           [3., 4.]])
    """
    shape = (shape,) if isinstance(shape, int) else shape
    return np.arange(first, first + math.prod(shape)).reshape(shape).astype(dtype)


def signed(shape: tuple[int, ...] | int, first: int = 1, dtype: Any = np.float64) -> np.ndarray:
    """Fill with first, -(first + 1), first + 2, ...: both signs, every place different.

    >>> signed(4)
    array([ 1., -2.,  3., -4.])
    """
    filled = counted(shape, first, dtype)
    return np.where(filled % 2 == first % 2, filled, -filled).astype(dtype)


def noise(seed: int, shape: tuple[int, ...] | int, dtype: Any = np.float64) -> np.ndarray:
    """Fill with normal numbers, rounded to two places so that they can be read."""
    return np.random.default_rng(seed).standard_normal(shape).round(2).astype(dtype)


def scattered(
    seed: int, shape: tuple[int, ...] | int, low: int = -9, high: int = 9, dtype: Any = np.float64
) -> np.ndarray:
    """Fill with whole numbers from low to high, drawn at random: sums of them are exact."""
    return np.random.default_rng(seed).integers(low, high + 1, shape).astype(dtype)
