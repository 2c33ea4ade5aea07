"""What every observer answers to, and how to ask one about samples at hand."""

from typing import Any, Protocol

from jaxtyping import Array, Float

from thermo.precision import full_precision


class Observer(Protocol):
    """The three verbs that every observer answers to.

    An observer is hashable: its fields are settings, never arrays.
    """

    def init(self, size: int, chunk: int, dtype: Any) -> Any:
        """Nothing seen yet, of `size` read-outs arriving `chunk` at a time."""
        ...

    def update(self, state: Any, v: Float[Array, "time d"]) -> Any:
        """Take in the samples that follow those already seen."""
        ...

    def finish(self, state: Any) -> Any:
        """The statistic of all samples seen."""
        ...


@full_precision
def measure(observer: Observer, v: Float[Array, "time d"]) -> Any:
    """Apply an observer to samples that are already at hand.

    Args:
        observer: what to compute.
        v: samples, `(time, d)`.

    Returns:
        The observer's result.
    """
    state = observer.init(v.shape[1], 1, v.dtype)
    return observer.finish(observer.update(state, v))
