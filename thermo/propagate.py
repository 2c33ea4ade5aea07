r"""The exact path: a linear board stepped by its own transition law.

Between two samples a linear board is a matrix and a Gaussian, whatever the interval:

$$ z(t + dt) = m + P\,(z(t) - m) + L\,\xi, \qquad \xi \sim \mathcal N(0, I) $$

No discretisation error, no solver, about twice the cost of the normals themselves.
Everything is written for one board; `jax.vmap` over keys makes many identical boards,
over keys and propagators many different ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks, exact
from thermo.circuits import LinearForm
from thermo.observers import MomentEstimate, Moments, Observer

__all__ = ["Modes", "Propagator", "modes", "moments", "observe", "propagator"]
__all__ += ["trajectory"]

CHUNK = 64
"""Samples drawn at once: fits in cache, and is part of the random stream."""

T = TypeVar("T")


class Stepper(Protocol):
    """What a run needs of a board: a state to begin with, and its next samples."""

    @property
    def size(self) -> int:
        """Standard normals consumed per sample."""
        ...

    @property
    def n_readouts(self) -> int:
        """Voltages per sample."""
        ...

    def begin(self, xi: Array) -> Array:
        """A state drawn from the stationary law, from normals `(n,)`."""
        ...

    def enter(self, z0: Array) -> Array:
        """The internal form of the circuit state `z0`, `(n,)`."""
        ...

    def run(self, x: Array, xi: Array) -> tuple[Array, Array]:
        """Last state and voltages `(time, d)` of steps with normals `(time, n)`."""
        ...


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Propagator:
    r"""One exact step of any stable linear board, dense.

    Attributes:
        step: $P = e^{-F\,dt}$, `(n, n)`.
        noise: lower-triangular $L$ with $L L^\mathsf T = Q(dt)$, `(n, n)`.
        start: lower-triangular factor of the stationary covariance, `(n, n)`.
        centre: stationary mean $m = F^{-1} b$, `(n,)`.
        readout: $H$, from states to voltages, `(d, n)`.
    """

    step: jax.Array
    noise: jax.Array
    start: jax.Array
    centre: jax.Array
    readout: jax.Array

    @property
    def size(self) -> int:
        """Number of states."""
        return self.step.shape[-1]

    @property
    def n_readouts(self) -> int:
        """Number of voltages."""
        return self.readout.shape[-2]

    def begin(self, xi: Float[Array, " n"]) -> Float[Array, " n"]:
        """A stationary draw, about the mean."""
        return self.start @ xi

    def enter(self, z0: Float[Array, " n"]) -> Float[Array, " n"]:
        """Distance of a state from the mean."""
        return z0 - self.centre

    def run(
        self, x: Float[Array, " n"], xi: Float[Array, "time n"]
    ) -> tuple[Float[Array, " n"], Float[Array, "time d"]]:
        """Noise for all steps in one product, then step by step."""

        def one(x, kick):
            x = self.step @ x + kick
            return x, x

        last, xs = jax.lax.scan(one, x, xi @ self.noise.T)
        return last, xs @ self.readout.T + (self.readout @ self.centre)[None, :]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Modes:
    r"""One exact step of a board in detailed balance, mode by mode.

    Where $F S$ is symmetric (equal noise temperature everywhere, no memory in coils)
    the board is a set of independent decays $x' = a x + \sqrt{1 - a^2}\,\xi$ of unit
    variance, mixed into voltages by one matrix product per chunk. At hundreds of
    states this is several times faster than `Propagator`.

    Attributes:
        decay: $a = e^{-\lambda\,dt}$, `(n,)`.
        kick: $\sqrt{1 - a^2}$, `(n,)`.
        readout: from modes to voltages, `(d, n)`.
        offset: stationary mean of the voltages, `(d,)`.
        into: from states about their mean to modes, `(n, n)`.
        centre: stationary mean of the states, `(n,)`.
    """

    decay: jax.Array
    kick: jax.Array
    readout: jax.Array
    offset: jax.Array
    into: jax.Array
    centre: jax.Array

    @property
    def size(self) -> int:
        """Number of modes."""
        return self.decay.shape[-1]

    @property
    def n_readouts(self) -> int:
        """Number of voltages."""
        return self.readout.shape[-2]

    def begin(self, xi: Float[Array, " n"]) -> Float[Array, " n"]:
        """Modes are independent and of unit variance."""
        return xi

    def enter(self, z0: Float[Array, " n"]) -> Float[Array, " n"]:
        """A circuit state in modes."""
        return self.into @ (z0 - self.centre)

    def run(
        self, x: Float[Array, " n"], xi: Float[Array, "time n"]
    ) -> tuple[Float[Array, " n"], Float[Array, "time d"]]:
        """An elementwise scan, then one product."""

        def one(x, kick):
            x = self.decay * x + self.kick * kick
            return x, x

        last, xs = jax.lax.scan(one, x, xi)
        return last, xs @ self.readout.T + self.offset[None, :]


def propagator(board: Any, dt: jax.Array | float) -> Propagator:
    r"""Prepare the exact step of a linear board.

    Set-up runs in double precision, whatever the working precision, unless its input
    is being traced (by `grad`, `vmap` or `jit`): then it runs in the working one.

    Args:
        board: a board, or its `LinearForm`, which may carry leading axes:
            `propagator(jax.vmap(RLCBoard.linear)(boards), dt)` prepares a population.
        dt: sampling interval, µs.

    Returns:
        The propagator.

    Raises:
        ValueError: if `dt` is not positive or the board does not come to rest.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> p = propagator(form, 0.5)
        >>> p.step, p.noise  # exp(-1/2), sqrt(1 - exp(-1))
        (Array([[0.60653067]], dtype=float32), Array([[0.79506009]], dtype=float32))
    """
    checks.positive("dt", dt)
    return _in_double(_dense, board, dt)


def modes(board: Any, dt: jax.Array | float) -> Modes:
    r"""Prepare the fast exact step of a linear board in detailed balance.

    Args:
        board: a board, or its `LinearForm`, whose drift and noise satisfy
            $F D = D F^\mathsf T$ with $D$ positive definite: RC and op-amp boards at one
            noise temperature; never a board with coils.
        dt: sampling interval, µs.

    Returns:
        Its modes, for `trajectory`, `moments` and `observe`.

    Raises:
        ValueError: if the board is not in detailed balance; use `propagator`.

    Example:
        >>> import jax.numpy as jnp
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> modes(form, 0.5).decay
        Array([0.60653067], dtype=float32)
    """
    checks.positive("dt", dt)
    return _in_double(_modal, board, dt)


def trajectory(
    key: Key[Array, ""],
    stepper: Stepper,
    n_samples: int,
    *,
    burn_in: int = 0,
    z0: Float[Array, " n"] | None = None,
) -> Float[Array, "time d"]:
    """Voltages of one board at every sampling instant.

    A longer run with the same key begins with the shorter one.

    Args:
        key: random key.
        stepper: a `Propagator` or `Modes`.
        n_samples: samples taken, one per interval.
        burn_in: how many of them, from the first, are thrown away.
        z0: circuit state before the first sample, `(n,)`; None draws it from the
            stationary law, which makes a burn-in needless.

    Returns:
        `(n_samples - burn_in, d)`.

    Raises:
        ValueError: if `burn_in` leaves nothing, or `n_samples` is not positive.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> trajectory(jax.random.key(0), propagator(form, 0.5), 1000).shape
        (1000, 1)
    """
    _check_run(n_samples, burn_in)
    return _trajectory(key, stepper, n_samples, burn_in, z0)


def observe(
    key: Key[Array, ""],
    stepper: Stepper,
    observers: Any,
    n_samples: int,
    *,
    burn_in: int = 0,
    z0: Float[Array, " n"] | None = None,
    convert: Callable[[Array, Array], Array] | None = None,
    chunk: int = CHUNK,
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
            voltages `(time, d)`: a pytree such as a converter, or a plain function.
        chunk: samples drawn at once; another choice is another random stream.

    Returns:
        The observers' results, arranged as they were given.

    Raises:
        ValueError: if `burn_in` leaves nothing, or `n_samples` is not positive.
    """
    _check_run(n_samples, burn_in)
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, got {chunk}")
    flat, shape = jax.tree.flatten(observers)
    if convert is not None and jax.tree_util.all_leaves([convert]):
        convert = jax.tree_util.Partial(convert)
    found = _observe(key, stepper, tuple(flat), n_samples, burn_in, z0, convert, chunk)
    return jax.tree.unflatten(shape, found)


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
        convert: `convert(key, v) -> v`, for instance an analog-to-digital converter.

    Returns:
        The moments of the read-out.

    Raises:
        ValueError: if fewer samples are left than the covariance needs for full rank.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> one = jnp.eye(1)
        >>> form = LinearForm(drift=one, noise=jnp.sqrt(2) * one, readout=one)
        >>> keys = jax.random.split(jax.random.key(0), 100)  # a hundred boards
        >>> estimate = jax.vmap(lambda k: moments(k, propagator(form, 0.5), 1000))(keys)
        >>> bool(abs(estimate.second.mean() - 1) < 0.02)
        True
    """
    left, needed = n_samples - burn_in, stepper.n_readouts
    if burn_in < n_samples and left < needed:
        raise ValueError(
            f"n_samples - burn_in = {left} samples give a covariance of rank {left}, "
            f"but it has {needed} rows: take n_samples of at least {needed + burn_in}"
        )
    return observe(
        key, stepper, Moments(), n_samples, burn_in=burn_in, z0=z0, convert=convert
    )


def _in_double(build: Callable[[LinearForm, Any], T], board: Any, dt: Any) -> T:
    def prepare(board, dt):
        form = board if isinstance(board, LinearForm) else board.linear()
        one = partial(build, dt=dt)
        for _ in range(form.drift.ndim - 2):
            one = jax.vmap(one)
        return one(_filled(form))

    leaves = jax.tree.leaves((board, dt))
    if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
        return prepare(board, dt)
    dtype = jnp.result_type(*(x for x in leaves if hasattr(x, "dtype")))
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        board, dt = jax.tree.map(lambda x: jnp.asarray(x, float), (board, dt))
        return jax.tree.map(lambda x: x.astype(dtype), prepare(board, dt))


def _filled(form):
    """The bias as a vector, so that every leaf has the board axes."""
    bias = jnp.broadcast_to(
        jnp.asarray(form.bias, form.drift.dtype), form.drift.shape[:-1]
    )
    return LinearForm(
        drift=form.drift, noise=form.noise, readout=form.readout, bias=bias
    )


def _dense(form, dt):
    law = exact.transition(form.drift, form.diffusion, dt)
    stationary = exact.stationary_covariance(form.drift, form.diffusion)
    return Propagator(
        step=law.propagator,
        noise=_factor(law.covariance),
        start=_factor(stationary),
        centre=jnp.linalg.solve(form.drift, form.bias),
        readout=form.readout,
    )


def _modal(form, dt):
    checks.stable("drift", form.drift)
    covariance = jnp.linalg.solve(form.drift, form.diffusion) / 2
    _check_detailed_balance(covariance)
    root = jnp.linalg.cholesky((covariance + covariance.T) / 2)
    mixed = jax.scipy.linalg.solve_triangular(root, form.drift @ root, lower=True)
    rate, turn = jnp.linalg.eigh((mixed + mixed.T) / 2)
    centre = jnp.linalg.solve(form.drift, form.bias)
    return Modes(
        decay=jnp.exp(-rate * dt),
        kick=jnp.sqrt(-jnp.expm1(-2 * rate * dt)),
        readout=form.readout @ (root @ turn),
        offset=form.readout @ centre,
        into=jax.scipy.linalg.solve_triangular(root.T, turn, lower=False).T,
        centre=centre,
    )


def _factor(covariance):
    """Cholesky of a covariance that may be singular, or have rows of other units.

    Rows are scaled to unit variance, and a few roundings added to the diagonal.
    """
    variance = jnp.diagonal(covariance)
    alive = variance > 0
    scale = jnp.where(alive, jnp.sqrt(jnp.where(alive, variance, 1)), 0)
    inverse = jnp.where(alive, 1 / jnp.where(alive, scale, 1), 0)
    correlation = covariance * inverse[:, None] * inverse[None, :]
    small = 4 * len(variance) * jnp.finfo(covariance.dtype).eps
    diagonal = jnp.where(alive, 1 + small, 1)
    filled = jnp.where(jnp.eye(len(variance), dtype=bool), diagonal, correlation)
    return scale[:, None] * jnp.linalg.cholesky(filled)


def _check_detailed_balance(covariance):
    s = checks.concrete(covariance)
    if s is None:
        return
    off = abs(s - s.T).max() / abs(s).max()
    if not off < 1e-5 or not s.diagonal().min() > 0:
        raise ValueError(
            f"modes: F^-1 D / 2 must be a covariance, but it is asymmetric by {off:.2g} "
            f"and its smallest variance is {s.diagonal().min():.2g} (bounds 1e-5 and 0): "
            "the board is not in detailed balance. Use `propagator`."
        )


def _check_run(n_samples: int, burn_in: int) -> None:
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples}")
    if not 0 <= burn_in < n_samples:
        raise ValueError(
            f"burn_in must be between 0 and n_samples - 1 = {n_samples - 1}, got "
            f"{burn_in}: nothing would be left to observe"
        )


@partial(jax.jit, static_argnames=("n_samples", "burn_in"))
def _trajectory(key, stepper, n_samples, burn_in, z0):
    def gather(state, v, _):
        return state, v

    _, v = _run(key, stepper, gather, (), n_samples, burn_in, z0, CHUNK)
    return v


@partial(jax.jit, static_argnames=("observers", "n_samples", "burn_in", "chunk"))
def _observe(key, stepper, observers, n_samples, burn_in, z0, convert, chunk):
    def look(states, v, key):
        if convert is not None:
            v = convert(key, v)
        return [o.update(s, v) for o, s in zip(observers, states, strict=True)], None

    dtype = stepper.readout.dtype
    states = [o.init(stepper.n_readouts, chunk, dtype) for o in observers]
    states, _ = _run(key, stepper, look, states, n_samples, burn_in, z0, chunk)
    return [o.finish(s) for o, s in zip(observers, states, strict=True)]


def _run(key, stepper, look, state, n_samples, burn_in, z0, chunk):
    """Chunks of samples through `look(state, v, key) -> state, kept`."""
    key_start, key_burn, key_noise, key_look = jr.split(unrolled(key), 4)
    dtype, shape = stepper.readout.dtype, (chunk, stepper.size)

    def advance(key, x, i, length=chunk):
        xi = jr.normal(jr.fold_in(key, i), shape, dtype)
        return stepper.run(x, xi[:length])

    def burn(x, i):
        return advance(key_burn, x, i)[0], None

    def sample(carry, i):
        x, state = carry
        x, v = advance(key_noise, x, i)
        state, kept = look(state, v, jr.fold_in(key_look, i))
        return (x, state), kept

    if z0 is None:
        x = stepper.begin(jr.normal(key_start, shape[1:], dtype))
    else:
        x = stepper.enter(jnp.asarray(z0, dtype))
    whole, rest = divmod(burn_in, chunk)
    x, _ = jax.lax.scan(burn, x, jnp.arange(whole))
    x = advance(key_burn, x, whole, rest)[0] if rest else x
    whole, rest = divmod(n_samples - burn_in, chunk)
    (x, state), kept = jax.lax.scan(sample, (x, state), jnp.arange(whole))
    kept = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), kept)
    if rest:
        _, v = advance(key_noise, x, whole, rest)
        state, last = look(state, v, jr.fold_in(key_look, whole))
        kept = jax.tree.map(lambda *a: jnp.concatenate(a), kept, last)
    return state, kept
