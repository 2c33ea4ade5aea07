"""What every observer answers to, and how to ask one about samples at hand."""

from typing import Any, Protocol

import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo.chunks import varying_as
from thermo.precision import full_precision


class Observer(Protocol):
    """The three verbs that every observer answers to.

    An observer is hashable: its fields are settings, never arrays. One that needs a
    number of samples at least has it as `least_samples`; those of this package also
    `merge(a, b)` the states of two runs.
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

    Raises:
        ValueError: if `v` is not `(time, d)`, or too short for the observer.
    """
    if jnp.ndim(v) != 2 or not jnp.size(v):
        raise ValueError(f"v has shape {jnp.shape(v)}: it must be (time, d), not empty")
    check_samples(observer, v.shape[0])
    state = varying_as(observer.init(v.shape[1], 1, v.dtype), v)
    return observer.finish(observer.update(state, v))


def check_samples(observer: Observer, n: int) -> None:
    """Refuse a run that is too short for the observer."""
    least = getattr(observer, "least_samples", 1)
    if n < least:
        raise ValueError(
            f"{observer} needs n_samples - burn_in of at least {least}, got {n}"
        )
