"""Where random numbers come from, when the caller may bring a generator."""

from __future__ import annotations

import numpy as np

from .. import xp


def source(function: str, generator: np.random.Generator | None) -> np.random.Generator:
    """Return the generator given, or the framework's own, which `manual_seed` restarts.

    function: whose argument it is, for the message.
    Raises TypeError for anything but a NumPy generator.

    >>> int(source("example", np.random.default_rng(1)).integers(10))
    4
    """
    if generator is None:
        return xp.generator()
    if not isinstance(generator, np.random.Generator):
        raise TypeError(
            f"{function}: generator must be a numpy.random.Generator, got "
            f"{type(generator).__name__}; make one with numpy.random.default_rng(1)"
        )
    return generator
