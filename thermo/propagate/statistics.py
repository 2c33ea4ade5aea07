"""A run that is not kept: what observers saw of it, at a memory that does not grow."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
from jaxtyping import Array, Float, Key

from thermo.chunks import check_run
from thermo.observers import MomentEstimate, Moments
from thermo.observers.observer import check_observer, check_samples
from thermo.precision import full_precision
from thermo.propagate.run import check_start, check_stepper, run
from thermo.propagate.stepper import Stepper


@full_precision
def observe(
    key: Key[Array, ""],
    stepper: Stepper,
    observers: Any,
    n_samples: int,
    *,
    burn_in: int = 0,
    z0: Float[Array, " n"] | None = None,
    convert: Callable[[Array, Array], Array] | None = None,
    chunk: int | None = None,
) -> Any:
    """Run one board and remember only what the observers see.

    Args:
        key: random key.
        stepper: a `Propagator` or `Modes`.
        observers: an observer, or a tuple or dict of them.
        n_samples: samples taken, one per interval.
        burn_in: how many of them, from the first, are thrown away.
        z0: circuit state before the first sample; None is a stationary draw.
        convert: what stands between node and number, `convert(key, v) -> v` on
            voltages `(time, d)`: the `convert` of a `Converter`, or any function.
        chunk: samples drawn at once, by default `stepper.chunk`; another choice is
            another random stream.

    Returns:
        The observers' results, arranged as they were given.

    Raises:
        ValueError: if `burn_in` leaves less than an observer needs, or `n_samples` is
            no positive whole number.
    """
    check_stepper(stepper)
    chunk = stepper.chunk if chunk is None else chunk
    check_run(n_samples, burn_in, chunk)
    check_stepper(stepper, n_samples)
    check_start(stepper, z0)
    if convert is not None and not callable(convert):
        raise ValueError(
            f"convert = {convert!r:.60}: must be a function (key, v) -> v."
        )
    flat, shape = jax.tree.flatten(observers, is_leaf=lambda x: x is None)
    if not flat:
        raise ValueError(f"observers = {observers!r}: must hold at least one.")
    for observer in flat:
        check_observer("observers", observer)
        check_samples(observer, n_samples - burn_in)
    found = _observe(
        key, stepper, tuple(flat), n_samples, burn_in, z0, _as_pytree(convert), chunk
    )
    return jax.tree.unflatten(shape, found)


@full_precision
def moments(
    key: Key[Array, ""],
    stepper: Stepper,
    n_samples: int,
    *,
    burn_in: int = 0,
    z0: Float[Array, " n"] | None = None,
    convert: Callable[[Array, Array], Array] | None = None,
) -> MomentEstimate:
    """Mean and second moment of one board's run; memory does not grow with its length.

    Args:
        key: random key; the samples are those of `trajectory` with the same key.
        stepper: a `Propagator` or `Modes`.
        n_samples: samples taken, one per interval.
        burn_in: how many of them, from the first, are thrown away.
        z0: circuit state before the first sample; None is a stationary draw.
        convert: `convert(key, v) -> v`, for instance `Converter(...).convert`.

    Returns:
        The moments of the read-out.

    Raises:
        ValueError: if fewer samples are left than the covariance needs for full rank.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from thermo import LinearForm, propagator
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> keys = jax.random.split(jax.random.key(0), 100)  # a hundred boards
        >>> estimate = jax.vmap(lambda k: moments(k, propagator(form, 0.5), 1000))(keys)
        >>> bool(abs(estimate.second.mean() - 1) < 0.02)
        True
    """
    check_stepper(stepper)
    check_run(n_samples, burn_in, stepper.chunk)
    left, needed = n_samples - burn_in, stepper.n_readouts
    if left < needed:
        raise ValueError(
            f"n_samples - burn_in = {left} samples give a covariance of rank {left}, "
            f"but it has {needed} rows: take n_samples of at least {needed + burn_in}"
        )
    return observe(
        key, stepper, Moments(), n_samples, burn_in=burn_in, z0=z0, convert=convert
    )


def _as_pytree(f):
    """A function, or the method of a pytree, in a form that `jit` accepts."""
    if inspect.ismethod(f):
        return jax.tree_util.Partial(f.__func__, f.__self__)
    if f is not None and jax.tree_util.all_leaves([f]):
        return jax.tree_util.Partial(f)
    return f


@partial(jax.jit, static_argnames=("observers", "n_samples", "burn_in", "chunk"))
def _observe(key, stepper, observers, n_samples, burn_in, z0, convert, chunk):
    def look(states, v, at, key):
        del at
        v = v if convert is None else convert(key, v)
        return [o.update(s, v) for o, s in zip(observers, states, strict=True)]

    dtype = stepper.readout.dtype
    states = [o.init(stepper.n_readouts, chunk, dtype) for o in observers]
    states = run(key, stepper, look, states, n_samples, burn_in, z0, chunk, convert)
    return [o.finish(s) for o, s in zip(observers, states, strict=True)]
