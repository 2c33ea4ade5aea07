"""Pulses between two readings as one step: what nobody read costs nothing."""

from typing import NamedTuple

import numpy as np


class Bursts(NamedTuple):
    """Trains with the places alone where somebody read, or a direction turned.

    Attributes:
        g: readings, `(devices, cycles, n + 1)`, µS.
        up: whether the pulses before a reading ask for more, `(devices, cycles, n)`.
        pulses: how many they are, `(n,)`.
    """

    g: np.ndarray
    up: np.ndarray
    pulses: np.ndarray


def bursts(g: np.ndarray, up: np.ndarray) -> Bursts:
    """Gather pulses that nobody read into bursts.

    A place is kept where any cycle of any device has a reading, or turns.

    Args:
        g: readings before the first pulse and after each, `(devices, cycles, n + 1)`,
            NaN where missing.
        up: whether a pulse asks for more, `(devices, cycles, n)`.

    Example:
        >>> g = np.array([[[1.0, np.nan, np.nan, 4.0, np.nan, 2.0]]])
        >>> found = bursts(g, np.array([[[True] * 3 + [False] * 2]]))
        >>> found.g.tolist(), found.up.tolist(), found.pulses.tolist()
        ([[[1.0, 4.0, 2.0]]], [[[True, False]]], [3.0, 2.0])
    """
    kept = np.asarray(np.isfinite(g).any((0, 1)))
    kept[1:-1] |= (up[..., 1:] != up[..., :-1]).any((0, 1))
    kept[0] = kept[-1] = True
    at = np.flatnonzero(kept)
    return Bursts(g[..., at], up[..., at[1:] - 1], np.diff(at).astype(float))
