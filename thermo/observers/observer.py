"""What every observer answers to, and how to ask one about samples at hand."""

from typing import Any, Protocol

import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.chunks import varying_as
from thermo.precision import full_precision
from thermo.reals import alike


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
        ValueError: if `v` is not `(time, d)` of finite real numbers, or too short for
            the observer.
    """
    check_observer("observer", observer)
    checks.finite("v", v)
    v = jnp.asarray(alike(v=v)[0])
    if v.ndim != 2 or not v.size:
        raise ValueError(f"v has shape {v.shape}: it must be (time, d), not empty")
    check_samples(observer, v.shape[0])
    _check_squares(v)
    state = varying_as(observer.init(v.shape[1], 1, v.dtype), v)
    return observer.finish(observer.update(state, v))


def _check_squares(v):
    """Refuse samples whose squares, summed, would not be finite."""
    value, info = checks.values("v", v), jnp.finfo(v.dtype)
    most = (float(info.max) / (4 * v.shape[0])) ** 0.5
    if value is not None and (largest := abs(value).max()) > most:
        raise ValueError(
            f"v reaches {largest:.6g}: at most {most:.3g} can be squared and summed in "
            f"{info.dtype}. Change its unit."
        )


def check_observer(name: str, observer: Any) -> None:
    """Refuse what does not answer to the three verbs."""
    verbs = ("init", "update", "finish")
    if isinstance(observer, type) or not all(hasattr(observer, v) for v in verbs):
        raise ValueError(f"{name} = {observer!r:.60}: must have {', '.join(verbs)}.")


def check_samples(observer: Observer, n: int) -> None:
    """Refuse a run that is too short for the observer."""
    least = getattr(observer, "least_samples", 1)
    if n < least:
        raise ValueError(
            f"{observer} needs n_samples - burn_in of at least {least}, got {n}"
        )
