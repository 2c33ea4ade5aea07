r"""The lattice random walk: noise of coin flips in place of normals.

$$ \mathrm dx = f(x)\,\mathrm dt + \sigma\,\mathrm dW $$

is stepped by increments D of -h, 0 or +h (arXiv 2508.20883, STATED-2nd):

$$ P(D = \pm h) = \frac{\mathrm dt}{2h}\Bigl(\pm f + \frac{\sigma^2}{h}\Bigr) $$

so that $E[D] = f\,\mathrm dt$ and $E[D^2] = \sigma^2\,\mathrm dt$ hold exactly, for
$\sigma\sqrt{\mathrm dt} \le h \le \sigma^2/|f|$. Elsewhere $\sigma^2$ is clipped to
$h^2/\mathrm dt$ first, then $|f|$ to $\sigma^2/h$. Of weak order 1, like
Euler-Maruyama, and no step is longer than h: where a quartic potential throws
Euler-Maruyama out, the walk comes back by h at a time.

One step asks for one block of the generator a coordinate: no inverse error function,
one word for the sign and, where the walk may rest, one more for whether it moves. A
probability is met to 2^-32, and the sign to 2^-32 of its own bias, so that the drift
of a step a million times below the relaxation is not rounded away. Fewer random bits
save nothing on a CPU: a block is computed once for each number that it serves, so
that four of 16 bits cost what four of 32 do. A step takes 0.54 of the time of drawing
as many normals (`python -m benchmarks thermo`, one x86-64 core, 2026-11-28).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, Key

from prng import blocks_at, counts_its_draws
from thermo import checks
from thermo.counts import check_count
from thermo.reals import alike, real_array

__all__ = ["coin_walk", "lattice_trajectory", "lattice_walk"]

MOST_STEPS = 2**31 - 1
"""Steps of one key: a step's number is one word of the counter, and h times it the
farthest that a walk can come."""

HALF = 2.0**31
FARTHEST = HALF - 128  # the float32 below it


def lattice_walk(
    key: Key[Array, ""],
    drift: Callable[[jax.Array], Any] | jax.Array | float,
    sigma: jax.Array | float,
    dt: jax.Array | float,
    h: jax.Array | float,
    steps: int,
    x0: jax.Array | float = 0.0,
) -> Float[Array, "..."]:
    r"""Where walkers are after `steps` steps of -h, 0 or +h.

    Positions are whole numbers of h away from `x0`, counted without rounding however
    many steps there are. Memory does not grow with them.

    Args:
        key: random key of threefry, jax's default.
        drift: f, a function of the positions `(...)` that returns as many, or constant;
            in units of x per µs.
        sigma: noise strength, x per root us, one or `(...)`.
        dt: time step, µs.
        h: length of a step, x, one or `(...)`. At least $\sigma\sqrt{dt}$; larger ones
            rest more often. `coin_walk` takes the least.
        steps: how many.
        x0: first positions, any shape; each coordinate has a walk of its own.

    Returns:
        Positions, of the shape that `x0`, `sigma` and `h` have together.

    Raises:
        ValueError: if `sigma`, `dt` or `h` is not positive and finite, `steps` no
            positive whole number below 2^31, `drift` does not give real numbers of the
            shape of the positions, or `key` is no key of threefry.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> walkers = jnp.zeros(4000)  # in x^4 / 4, from far out
        >>> x = lattice_walk(
        ...     jax.random.key(0), lambda x: -(x**3), 1.0, 0.01, 0.125, 400, walkers)
        >>> bool(abs(jnp.mean(x**4) - 0.5) < 0.1)  # E[x V'] = sigma^2 / 2
        True
    """
    start, kicks, setting = _ready(key, drift, sigma, dt, h, steps, x0)
    return _run(key, drift, *setting, start, kicks, steps=steps, every=steps)[-1]


def coin_walk(
    key: Key[Array, ""],
    drift: Callable[[jax.Array], Any] | jax.Array | float,
    sigma: jax.Array | float,
    dt: jax.Array | float,
    steps: int,
    x0: jax.Array | float = 0.0,
) -> Float[Array, "..."]:
    r"""The walk that never rests, $h = \sigma\sqrt{dt}$: one coin flip a coordinate.

    Heads with probability $(1 + f\sqrt{dt}/\sigma)/2$. Arguments, result and errors are
    those of `lattice_walk`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> x = coin_walk(jax.random.key(0), 0.5, 1.0, 0.01, 400, jnp.zeros(1000))
        >>> bool(abs(x.mean() - 2.0) < 0.3)  # 0.5 * 4 us
        True
    """
    start, kicks, setting = _ready(key, drift, sigma, dt, None, steps, x0)
    return _run(key, drift, *setting, start, kicks, steps=steps, every=steps)[-1]


def lattice_trajectory(
    key: Key[Array, ""],
    drift: Callable[[jax.Array], Any] | jax.Array | float,
    sigma: jax.Array | float,
    dt: jax.Array | float,
    h: jax.Array | float,
    steps: int,
    x0: jax.Array | float = 0.0,
    *,
    every: int = 1,
) -> Float[Array, "time ..."]:
    """Positions after every `every` steps of `lattice_walk`, `(steps // every, ...)`.

    The last is where `lattice_walk` ends. Arguments and errors are those of it.

    Raises:
        ValueError: as `lattice_walk`, or if `every` does not divide `steps`.
    """
    start, kicks, setting = _ready(key, drift, sigma, dt, h, steps, x0)
    check_count("every", every)
    if steps % every:
        raise ValueError(f"every = {every}: must divide steps = {steps}.")
    return _run(key, drift, *setting, start, kicks, steps=steps, every=every)


def _ready(key, drift, sigma, dt, h, steps, x0):
    """Everything in one precision; refuse what makes no sense."""
    for name, x in {"sigma": sigma, "h": h}.items():
        if x is not None or name == "sigma":
            checks.positive(name, x)
    checks.interval("dt", dt)
    checks.finite("x0", x0)
    check_count("steps", steps)
    if steps > MOST_STEPS:
        raise ValueError(f"steps = {steps}: at most {MOST_STEPS} of one key.")
    if not callable(drift):
        checks.finite("drift", drift)
    typed = isinstance(key, jax.Array) and jnp.issubdtype(
        key.dtype, jax.dtypes.prng_key
    )
    if not typed or key.shape or not counts_its_draws(key):
        raise ValueError(f"key = {key!r:.60}: must be one key of threefry2x32.")
    given = {"x0": x0, "sigma": sigma, "dt": dt}
    given |= {} if h is None else {"h": h}
    given |= {} if callable(drift) else {"drift": drift}
    x, s, *rest = (jnp.asarray(a) for a in alike(**given))
    dtype, t = x.dtype, rest[0]
    length = s * jnp.sqrt(t) if h is None else rest[1]
    try:
        shape = jnp.broadcast_shapes(x.shape, s.shape, length.shape)
    except ValueError:
        raise ValueError(
            f"x0 {x.shape}, sigma {s.shape}, h {length.shape}: their shapes must fit "
            "each other."
        ) from None
    _check_drift(drift, shape, dtype)
    moves = None if h is None else jnp.minimum(s**2 * t / length**2, 1)
    return jnp.broadcast_to(x, shape), moves, (length, t)


def _check_drift(drift, shape, dtype):
    at = jax.ShapeDtypeStruct(shape, dtype)
    given = _asked(drift, at) if callable(drift) else real_array("drift", drift)
    if not hasattr(given, "shape"):
        raise ValueError(f"drift gives {given!r:.60}: it must be one array.")
    real_array("drift", np.zeros((), given.dtype))
    try:
        fits = jnp.broadcast_shapes(given.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"drift has shape {given.shape}: it must fit the positions, {shape}."
        )


def _asked(drift, at):
    try:
        with jax.numpy_dtype_promotion("standard"):
            return jax.eval_shape(drift, at)
    except Exception as error:
        raise ValueError(
            f"drift = {drift!r:.60}: must be a number, an array, or a function of the "
            f"traced positions; it ends in {type(error).__name__}."
        ) from error


def _run(key, drift, h, dt, start, moves, *, steps, every):
    fixed = None if callable(drift) else jnp.asarray(real_array("drift", drift))
    drift = drift if callable(drift) else None
    if drift is not None and jax.tree_util.all_leaves([drift]):
        drift = jax.tree_util.Partial(drift)
    return _walk(key, drift, fixed, h, dt, start, moves, steps=steps, every=every)


@partial(jax.jit, static_argnames=("steps", "every"))
def _walk(key, drift, fixed, h, dt, start, moves, *, steps, every):
    number = jax.lax.iota(jnp.uint32, max(start.size, 1)).reshape(start.shape)

    def force(x):
        with jax.numpy_dtype_promotion("standard"):
            f = fixed if drift is None else drift(x)
        return jnp.asarray(f).astype(x.dtype)

    def step(at: Int32[Array, "..."], i):
        x = start + h * at.astype(start.dtype)
        high, low = blocks_at(key, jnp.broadcast_to(i, number.shape), number)
        bias = force(x) * dt / h  # E[D] / h; over P(D != 0) it is that of the sign
        if moves is None:
            return at + _sign(low, bias), None
        moved = jnp.where(_chance(high, moves), _sign(low, bias / moves), 0)
        return at + moved, None

    def page(at, first):
        counts = first * jnp.uint32(every) + jnp.arange(every, dtype=jnp.uint32)
        at, _ = jax.lax.scan(step, at, counts)
        return at, start + h * at.astype(start.dtype)

    pages = jnp.arange(steps // every, dtype=jnp.uint32)
    return jax.lax.scan(page, jnp.zeros(start.shape, jnp.int32), pages)[1]


def _sign(word, bias):
    """+1 with probability (1 + bias) / 2, else -1; bias beyond 1 is clipped."""
    edge = jnp.clip(bias * HALF, -HALF, FARTHEST).astype(jnp.int32)
    heads = jax.lax.bitcast_convert_type(word, jnp.int32) < edge
    return jnp.where(heads, jnp.int32(1), jnp.int32(-1))


def _chance(word, p):
    """True with probability p."""
    edge = jnp.minimum(p * 2 * HALF, 2 * FARTHEST).astype(jnp.uint32)
    return (word < edge) | (p >= 1)
