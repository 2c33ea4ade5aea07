"""Where to begin: straight lines through the steps of a pulse train."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from eapu_jax.fitting.models import Glance

_BEYOND = 6.0  # median deviations at which a step is left out
_NEXT, _DENIED = 5, 6.0  # readings after the first; standard deviations
_SIGMA = 1.4826  # standard deviations in a median deviation


def range_read(g: Float[Array, "cycles n+1"]):
    """Middle and half width of the range that was read, single strays left out, µS.

    Example:
        >>> import jax.numpy as jnp
        >>> middle, half = range_read(jnp.array([[0.0, 1, 2, 3, 90, 4, 4, jnp.nan]]))
        >>> float(middle), float(half)
        (2.5, 1.5)
    """
    three = jnp.stack([g[:, :-2], g[:, 1:-1], g[:, 2:]])
    between = jnp.median(three, axis=0) if g.shape[1] > 2 else g
    low, high = jnp.nanmin(between), jnp.nanmax(between)
    half = jnp.maximum((high - low) / 2, 1e-6 * jnp.abs(high) + 1e-12)
    return jax.lax.stop_gradient(((high + low) / 2, half))


def glance(
    x: Float[Array, "cycles n+1"],
    up: Bool[Array, "cycles n"],
    pulses: Float[Array, " n"],
) -> Glance:
    """What straight lines say, one for the steps of either direction.

    Args:
        x: readings, in units of half the range about its middle; NaN where missing.
        up: whether a pulse asks for more.
        pulses: how many there are before each reading.
    """
    start, move = x[:, :-1], jnp.diff(x, axis=1) / pulses[None]
    there = jnp.isfinite(move)
    up_low, up_high, left_up = _line(start, move, there & up)
    down_low, down_high, left_down = _line(start, -move, there & ~up)
    left = jnp.where(up, left_up, -left_down) * jnp.sqrt(pulses)[None]
    write, read = _split(left, there & jnp.isfinite(left))
    return Glance(up_low, up_high, down_low, down_high, write, read)


def from_sure_start(
    x: Float[Array, "cycles n+1"],
    up: Bool[Array, "cycles n"],
    seen: Glance,
    pulses: Float[Array, " n"],
) -> Float[Array, "cycles n+1"]:
    """The readings, less those that begin a train and that all of the next deny.

    What is known of a cell begins with the first reading of its train: were that an
    outlier, all that follow would look like ones. It is left out where each of the
    five readings after it lies six standard deviations from where the straight lines
    lead from it; so is the one that begins the train then.
    """
    sure = jax.vmap(lambda x, up: _sure(x, up, seen, pulses))
    return sure(sure(x, up), up)


def _sure(x, up, seen: Glance, pulses):
    first = jnp.argmax(jnp.isfinite(x))
    next_ones = jnp.clip(first + jnp.arange(1, _NEXT + 1), 0, x.size - 1)
    place, sent, off = x[first], 0.0, []
    for at in next_ones:
        place = place + pulses[at - 1] * _step(place, up[at - 1], seen)
        sent = sent + pulses[at - 1]
        variance = sent * seen.write_noise**2 + 2 * seen.read_noise**2
        off.append(jnp.abs(x[at] - place) / jnp.sqrt(variance))
    denied = jnp.nanmin(jnp.stack(off)) > _DENIED
    return x.at[first].set(jnp.where(denied, jnp.nan, x[first]))


def _step(place, up, seen: Glance):
    """The step that the straight lines give at a place."""
    share = (jnp.clip(place, -1, 1) + 1) / 2
    rise = seen.up_low + (seen.up_high - seen.up_low) * share
    fall = seen.down_low + (seen.down_high - seen.down_low) * share
    return jnp.where(up, rise, -fall)


def _line(start, move, which):
    """Ends of the least-squares line, and what it leaves; strays left out."""
    steps = jnp.where(which, move, jnp.nan)
    middle = jnp.nanmedian(steps)
    off = jnp.abs(steps - middle)
    which &= off <= _BEYOND * jnp.nanmedian(off) + 1e-9
    x, y = jnp.where(which, start, 0), jnp.where(which, move, 0)
    n = _count(which, x.dtype)
    mean_x, mean_y = jnp.sum(x) / n, jnp.sum(y) / n
    dx = jnp.where(which, x - mean_x, 0)
    slope = jnp.sum(dx * y) / jnp.maximum(jnp.sum(dx * dx), 1e-9)
    slope = jnp.minimum(jnp.maximum(slope, -1.0), 1.0)
    at = lambda place: mean_y + slope * (place - mean_x)  # noqa: E731
    left = jnp.where(which, move - at(jnp.where(which, start, 0)), jnp.nan)
    return at(-1.0), at(1.0), left


def _split(left, which):
    """Write and read noise: a reading's error returns, with the other sign."""
    far = 3 * _SIGMA * jnp.nanmedian(jnp.where(which, jnp.abs(left), jnp.nan))
    e = jnp.clip(jnp.where(which, left, 0), -far, far)
    both = which[:, 1:] & which[:, :-1]
    variance = jnp.sum(e * e) / _count(which, e.dtype) + 1e-12
    pairs = jnp.where(both, e[:, 1:] * e[:, :-1], 0)
    returned = -jnp.sum(pairs) / _count(both, e.dtype)
    read = jnp.clip(returned, 0.005 * variance, 0.45 * variance)
    return jnp.sqrt(variance - 2 * read), jnp.sqrt(read)


def _count(which, dtype):
    """How many there are, 1 at least."""
    return jnp.maximum(jnp.sum(which, dtype=dtype), 1)
