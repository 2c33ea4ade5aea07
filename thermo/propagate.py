r"""The exact path: a linear board stepped by its own transition law.

Between two samples a linear board is a matrix and a Gaussian, whatever the interval:

$$ z(t + dt) = m + P\,(z(t) - m) + L\,\xi, \qquad \xi \sim \mathcal N(0, I) $$

No discretisation error, no solver, about twice the cost of the normals themselves.
Everything is written for one board; `jax.vmap` over keys makes many identical boards,
over keys and propagators many different ones.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol, TypeVar

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks, exact
from thermo.circuits import LinearForm
from thermo.observers import MomentEstimate, Moments

__all__ = ["Modes", "Propagator", "modes", "moments", "observe", "propagator"]
__all__ += ["trajectory"]

T = TypeVar("T")


class Stepper(Protocol):
    """What a run needs of a board: a state to begin with, and its next samples.

    Attributes:
        chunk: samples drawn at once, such that they fit in cache. It is part of the
            random stream.
    """

    chunk: ClassVar[int]

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

    chunk: ClassVar[int] = 64

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

    def check(self) -> None:
        """Refuse a board that does not come to rest."""
        growth = np.abs(np.linalg.eigvals(np.asarray(self.step))).max()
        if not growth < 1:
            raise ValueError(
                f"drift is unstable: a disturbance grows {growth:.6g} times per step, "
                "the bound is 1. Add dissipation: a finite resistance in every cell."
            )


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
        imbalance: relative asymmetry of $F^{-1} D / 2$: rounding in detailed balance.
    """

    decay: jax.Array
    kick: jax.Array
    readout: jax.Array
    offset: jax.Array
    into: jax.Array
    centre: jax.Array
    imbalance: jax.Array

    chunk: ClassVar[int] = 512

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

    def check(self) -> None:
        """Refuse a board that is not in detailed balance, or not at rest."""
        off, slowest = np.max(self.imbalance), np.max(self.decay)
        if not (off < 1e-5 and slowest < 1):
            raise ValueError(
                "modes: in detailed balance F^-1 D / 2 is symmetric and positive "
                f"definite; here it is asymmetric by {off:.2g} (bound 1e-5) and modes "
                f"decay to {slowest:.6g} per step (bound 1). Use `propagator`, which "
                "takes any stable drift."
            )


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
        >>> p.step  # exp(-1/2)
        Array([[0.60653067]], dtype=float32)
    """
    checks.positive("dt", dt)
    return _in_double(_dense, board, dt)


def modes(board: Any, dt: jax.Array | float) -> Modes:
    r"""Prepare the fast exact step of a linear board in detailed balance.

    Args:
        board: a board, or its `LinearForm`, with $F D = D F^\mathsf T$ and $D$
            positive definite: RC and op-amp boards at one noise temperature; never a
            board with coils.
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
        ValueError: if `burn_in` leaves nothing, or `n_samples` is not positive.
    """
    _check_run(n_samples, burn_in)
    chunk = stepper.chunk if chunk is None else chunk
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, got {chunk}")
    flat, shape = jax.tree.flatten(observers)
    found = _observe(
        key, stepper, tuple(flat), n_samples, burn_in, z0, _as_pytree(convert), chunk
    )
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
        convert: `convert(key, v) -> v`, for instance `Converter(...).convert`.

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
    """Run a set-up in double precision on concrete input, as it comes on traced."""
    leaves = jax.tree.leaves((board, dt))
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return _prepare(build, board, dt)
    if isinstance(board, LinearForm):
        _check_form(board)
    else:
        jax.eval_shape(board.linear)  # its checks see the values; nothing is computed
    dtype = jnp.result_type(*(x for x in leaves if hasattr(x, "dtype")))
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        doubles = jax.tree.map(lambda x: np.asarray(x, float), (board, dt))
        ready = _prepare(build, *doubles)
        ready.check()
        return jax.tree.map(lambda x: x.astype(dtype), ready)


def _check_form(form):
    for name in ("drift", "noise", "readout", "bias"):
        checks.finite(name, getattr(form, name))
    (*_, n, m), columns = form.drift.shape, form.readout.shape[-1]
    if not n == m == form.noise.shape[-2] == columns:
        raise ValueError(
            f"drift is ({n}, {m}), noise has {form.noise.shape[-2]} rows and readout "
            f"{columns} columns: the drift must be square and all must agree"
        )


@partial(jax.jit, static_argnames="build")
def _prepare(build, board, dt):
    form = board if isinstance(board, LinearForm) else board.linear()
    for _ in range(form.drift.ndim - 2):
        build = jax.vmap(build, in_axes=(0, None))
    return build(_filled(form), dt)


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
    covariance = jnp.linalg.solve(form.drift, form.diffusion) / 2
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
        imbalance=jnp.abs(covariance - covariance.T).max() / jnp.abs(covariance).max(),
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


def _check_run(n_samples: int, burn_in: int) -> None:
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples}")
    if not 0 <= burn_in < n_samples:
        raise ValueError(
            f"burn_in must be between 0 and n_samples - 1 = {n_samples - 1}, got "
            f"{burn_in}: nothing would be left to observe"
        )


def _as_pytree(f):
    """A function, or the method of a pytree, in a form that `jit` accepts."""
    if inspect.ismethod(f):
        return jax.tree_util.Partial(f.__func__, f.__self__)
    if f is not None and jax.tree_util.all_leaves([f]):
        return jax.tree_util.Partial(f)
    return f


@partial(jax.jit, static_argnames=("n_samples", "burn_in"))
def _trajectory(key, stepper, n_samples, burn_in, z0):
    def write(page, v, at, key):
        del key
        return jax.lax.dynamic_update_slice(page, v, (at, jnp.zeros_like(at)))

    shape = n_samples - burn_in, stepper.n_readouts
    page = jnp.zeros(shape, stepper.readout.dtype)
    return _run(key, stepper, write, page, n_samples, burn_in, z0, stepper.chunk)


@partial(jax.jit, static_argnames=("observers", "n_samples", "burn_in", "chunk"))
def _observe(key, stepper, observers, n_samples, burn_in, z0, convert, chunk):
    def look(states, v, at, key):
        del at
        v = v if convert is None else convert(key, v)
        return [o.update(s, v) for o, s in zip(observers, states, strict=True)]

    dtype = stepper.readout.dtype
    states = [o.init(stepper.n_readouts, chunk, dtype) for o in observers]
    states = _run(key, stepper, look, states, n_samples, burn_in, z0, chunk)
    return [o.finish(s) for o, s in zip(observers, states, strict=True)]


def _run(key, stepper, look, state, n_samples, burn_in, z0, chunk):
    """Pass the run through `look(state, v, at, key) -> state`, chunk by chunk."""
    key_start, key_burn, key_noise, key_look = jr.split(unrolled(key), 4)
    dtype, shape = stepper.readout.dtype, (chunk, stepper.size)

    def advance(key, x, i, length=chunk):
        xi = jr.normal(jr.fold_in(key, i), shape, dtype)
        return stepper.run(x, xi[:length])

    def burn(x, i, length=chunk):
        return advance(key_burn, x, i, length)[0], None

    def sample(carry, i, length=chunk):
        x, state = carry
        x, v = advance(key_noise, x, i, length)
        return (x, look(state, v, i * chunk, jr.fold_in(key_look, i))), None

    if z0 is None:
        x = stepper.begin(jr.normal(key_start, shape[1:], dtype))
    else:
        x = stepper.enter(jnp.asarray(z0, dtype))
    x = _count(burn, x, burn_in, chunk)
    return _count(sample, (x, state), n_samples - burn_in, chunk)[1]


def _count(body, carry, length, chunk):
    """`length` samples in whole chunks and a shorter last one."""
    whole, rest = divmod(length, chunk)
    if whole:
        carry, _ = jax.lax.scan(body, carry, jnp.arange(whole))
    return body(carry, jnp.asarray(whole), rest)[0] if rest else carry
