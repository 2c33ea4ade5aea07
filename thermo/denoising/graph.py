"""Which spins may be coupled, and which can be updated together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from thermo import checks
from thermo.counts import check_count

__all__ = ["Graph", "grid", "two_colours"]

G8 = ((0, 1), (4, 1))
"""Connection rules of the sparsest published grid (STATED-2nd)."""


class Graph(NamedTuple):
    """Places for couplings, and a colouring: no two spins of a colour are coupled.

    Attributes:
        mask: 1 where spins may be coupled, `(n, n)`.
        colour: 0 or 1 for each spin, `(n,)`.
    """

    mask: np.ndarray
    colour: np.ndarray

    def order(self, first: np.ndarray) -> "Graph":
        """The same graph with these spins first, the others behind."""
        rest = np.setdiff1d(np.arange(len(self.colour)), first)
        all_of_them = np.concatenate([first, rest])
        return Graph(self.mask[np.ix_(all_of_them, all_of_them)],
                     self.colour[all_of_them])  # fmt: skip


def two_colours(colour: Sequence[int]) -> Graph:
    """Every spin of one colour may be coupled to every spin of the other.

    Args:
        colour: 0 or 1 of each spin.

    Raises:
        ValueError: if there is no spin of a colour.

    Example:
        >>> two_colours([0, 1, 1]).mask
        array([[0., 1., 1.],
               [1., 0., 0.],
               [1., 0., 0.]])
    """
    checks.many("colour", colour)
    found = np.asarray(colour)
    if sorted(set(found.tolist())) != [0, 1]:
        raise ValueError(f"colour = {colour!r:.80}: must hold 0 and 1, and no other.")
    return Graph((found[:, None] != found).astype(float), found.astype(int))


def grid(side: int, rules: Sequence[tuple[int, int]] = G8) -> Graph:
    """A torus of spins, each coupled to those that lie a rule away, in four turns.

    A rule (a, b) leads to (a, b), (-b, a), (-a, -b) and (b, -a); with a + b odd and an
    even side the graph is a chess board in two colours. STATED-2nd: the published grids
    have 8, 12 or 16 neighbours by 2, 3 or 4 rules.

    Args:
        side: of the torus; there are side^2 spins, row by row.
        rules: (a, b) each.

    Raises:
        ValueError: if the side or an a + b is of the wrong parity.

    Example:
        >>> grid(10).mask.sum(0)[:3]
        array([8., 8., 8.])
    """
    check_count("side", side, 2)
    if side % 2:
        raise ValueError(f"side = {side}: must be even, so that two colours suffice.")
    steps = _turned(rules)
    at = np.indices((side, side)).reshape(2, -1)
    mask = np.zeros((side * side, side * side))
    for a, b in steps:
        there = (at[0] + a) % side * side + (at[1] + b) % side
        mask[np.arange(side * side), there] = 1
    return Graph(mask, at.sum(0) % 2)


def _turned(rules: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found = np.asarray(rules, object)
    if found.ndim != 2 or found.shape[1] != 2:
        raise ValueError(f"rules = {rules!r:.80}: must be pairs (a, b).")
    for a, b in rules:
        check_count("rules", a, -(2**31))
        check_count("rules", b, -(2**31))
        if (a + b) % 2 == 0:
            raise ValueError(f"rules hold ({a}, {b}): a + b must be odd.")
    return [t for a, b in rules for t in ((a, b), (-b, a), (-a, -b), (b, -a))]


def ready(graph: Graph, n: int | None = None) -> Graph:
    """A graph to compute with.

    Raises:
        ValueError: naming what is no graph, or not of n spins.
    """
    if not isinstance(graph, Graph):
        raise ValueError(f"graph = {graph!r:.80}: must be a Graph.")
    size = len(np.asarray(graph.colour))
    checks.same_size("mask", graph.mask, size, beside="colour")
    mask, colour = np.asarray(graph.mask), np.asarray(graph.colour)
    if np.any(mask != mask.T) or np.any(mask[colour[:, None] == colour] != 0):
        raise ValueError("graph: its mask must be symmetric and join no two spins of "
                         "one colour.")  # fmt: skip
    if n is not None and size != n:
        raise ValueError(f"graph has {size} spins: it must have {n}.")
    return graph
