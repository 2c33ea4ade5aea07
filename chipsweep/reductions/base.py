"""What a reduction is: a small state that chunks add to and that merges."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

State = dict[str, np.ndarray]


class Lanes(NamedTuple):
    """The sound chips of one point within a chunk.

    Attributes:
        values: `(n, *shape)`.
        chip: index of each, `(n,)`.
        seed: index of each, `(n,)`.
    """

    values: np.ndarray
    chip: np.ndarray
    seed: np.ndarray


class Found(NamedTuple):
    """One variable that a reduction yields, at one point.

    Attributes:
        values: of one point; missing ones NaN.
        dims: names of the leading dimensions of `values` that are not the
            variable's own.
        coords: values of those dimensions.
        attrs: how it was found.
    """

    values: np.ndarray
    dims: tuple[str, ...] = ()
    coords: Mapping[str, Any] = {}
    attrs: Mapping[str, Any] = {}


@runtime_checkable
class Reduction(Protocol):
    """Streaming: `finish(merge(update(init()), update(init())))`."""

    def init(self, shape: tuple[int, ...], dtype: np.dtype) -> State:
        """The state of nobody."""
        ...

    def update(self, state: State, lanes: Lanes) -> State:
        """The state with some more chips."""
        ...

    def merge(self, a: State, b: State) -> State:
        """The state of both; `a` holds the earlier chips."""
        ...

    def finish(self, state: State, computed: int) -> dict[str, Found]:
        """Suffix -> what is known of the population."""
        ...


Reductions = Mapping[str, tuple[Reduction, ...]]
"""Of every output that is reduced."""
