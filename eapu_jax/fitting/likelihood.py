"""How likely the readings of a pulse train are, if a given device made them."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jaxtyping import Array, Bool, Float

from eapu_jax.devices.base import Scalar
from eapu_jax.devices.pulsed import Pulsed

_RESOLUTION = 1e-6  # of a reading, as a share of the window: nothing is exact


class Belief(NamedTuple):
    """What is known of a cell after some readings.

    Attributes:
        mean: where it stands, µS.
        variance: of that, µS².
        begun: whether there was a reading at all.
    """

    mean: Float[Array, ""]
    variance: Float[Array, ""]
    begun: Bool[Array, ""]


class Judged(NamedTuple):
    """What a device expected of every reading but the first, and what came.

    Attributes:
        log_likelihood: of the reading, given all before it; 0 where there is none.
        expected: the reading that was expected, µS.
        deviation: its standard deviation, µS.
        surprise: what came less what was expected, in standard deviations.
        clean: probability that the reading is no outlier.
        counted: which readings there are, the first of a train left out.
    """

    log_likelihood: Float[Array, " n"]
    expected: Float[Array, " n"]
    deviation: Float[Array, " n"]
    surprise: Float[Array, " n"]
    clean: Float[Array, " n"]
    counted: Bool[Array, " n"]


def judged(
    device: Pulsed,
    g: Float[Array, " n+1"],
    up: Bool[Array, " n"],
    *,
    outliers: float = 0.0,
    span: Scalar = 1.0,
    pulses: Float[Array, " n"] | None = None,
    window: tuple[Scalar, Scalar] | None = None,
) -> Judged:
    r"""Hold one train of pulses against a device, reading by reading.

    A cell at $g$ goes to $\mathrm{clip}(a(g) + \sigma(g)\,\mathcal N(0, 1))$ with the
    `after` and `noise` of the device; a reading adds the read noise, or is an outlier
    with probability $\epsilon$, anywhere within `span`:

    $$ y_t \sim (1 - \epsilon)\,\mathcal N(g_t, r^2) + \epsilon / \mathrm{span} $$

    What is known of the cell is carried along the train as a Gaussian (an extended
    Kalman filter): through a pulse by the slope of $a$, through the window by the
    exact moments of a clipped Gaussian, through a reading by those of the mixture.
    For a device that is linear, away from its window and without outliers, this is
    the exact likelihood. Nothing is known before the first reading, which has none.

    Args:
        device: one device.
        g: readings before the first pulse and after each, NaN where missing, µS.
        up: whether a pulse asks for more.
        outliers: $\epsilon$.
        span: width of the range in which outliers lie, µS.
        pulses: how many pulses there are before each reading; 1 when None.
        window: where a cell is stopped, if not at the ends of the device's own, µS.

    Example:
        >>> import jax.numpy as jnp
        >>> from eapu_jax import LinearStep
        >>> device = LinearStep(pulse=1.0, slope_up=0.0, write_noise=0.5)
        >>> found = judged(device, jnp.array([0.0, 1.0, 2.5]), jnp.array([True, True]))
        >>> found.expected.tolist(), found.surprise.round(2).tolist()
        ([1.0, 2.0], [0.0, 1.0])
    """
    there = jnp.isfinite(g)
    y = jnp.where(there, g, 0)
    exact = _RESOLUTION * (device.g_max - device.g_min)
    read = jnp.asarray(jnp.square(device.read_noise) + jnp.square(exact), g.dtype)
    stray = jnp.log(jnp.asarray(outliers, g.dtype)) - jnp.log(span)
    honest = jnp.log1p(jnp.asarray(-outliers, g.dtype))

    def step(belief, seen):
        y, up, there, pulses = seen
        belief = driven(device, belief, up, pulses, ends)
        found = _judged(belief, y, there, read, honest, stray)
        return _begun(_told(belief, found, read), y, there, read), found

    count = jnp.ones(up.shape, g.dtype) if pulses is None else pulses
    ends = (device.g_min, device.g_max) if window is None else window
    none = jnp.zeros((), g.dtype)
    first = _begun(Belief(none, none, jnp.array(False)), y[0], there[0], read)
    return jax.lax.scan(step, first, (y[1:], up, there[1:], count))[1]


def driven(
    device: Pulsed,
    belief: Belief,
    up: Bool[Array, ""],
    pulses: Scalar,
    window: tuple[Scalar, Scalar],
) -> Belief:
    """What is known of the cell after some more pulses."""
    mean, variance, begun = belief
    one = jnp.ones_like(mean)
    moved, slope = jax.jvp(lambda g: device.after(g, pulses, up), (mean,), (one,))
    noise = jnp.asarray(device.noise(mean, pulses, up), mean.dtype)
    spread = jnp.square(slope) * variance + pulses * jnp.square(noise)
    return Belief(*clipped(moved, spread, *window), begun)


def clipped(
    mean: Float[Array, ""], variance: Float[Array, ""], low: Scalar, high: Scalar
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    r"""Mean and variance of $\mathrm{clip}(x, l, h)$ of a Gaussian $x$.

    Example:
        >>> import jax.numpy as jnp
        >>> mean, variance = clipped(jnp.array(0.0), jnp.array(1.0), 0.0, 99.0)
        >>> round(float(mean), 4), round(float(variance), 4)  # half of it is at 0
        (0.3989, 0.3408)
    """
    sd = jnp.sqrt(variance + jnp.square(_TINY * (high - low)))
    a, b = (low - mean) / sd, (high - mean) / sd
    below, above = _tail(-a), _tail(b)
    at_a, at_b = norm.pdf(a), norm.pdf(b)
    first = a * below + b * above + at_a - at_b
    second = a**2 * below + b**2 * above + 1 - below - above + a * at_a - b * at_b
    left = jnp.maximum(second - jnp.square(first), 0)
    return mean + sd * first, jnp.square(sd) * left


def _tail(x):
    """Probability that a standard normal is larger; exact far out."""
    return jax.lax.erfc(x * math.sqrt(0.5)) / 2


_TINY = 1e-12  # a standard deviation, as a share of the window


def _judged(belief: Belief, y, there, read, honest, stray) -> Judged:
    """One reading held against what is known."""
    variance, counted = belief.variance + read, there & belief.begun
    deviation = jnp.sqrt(variance)
    surprise = jnp.where(counted, (y - belief.mean) / deviation, 0)
    gaussian = -0.5 * (jnp.log(2 * jnp.pi * variance) + jnp.square(surprise))
    either = jnp.logaddexp(honest + gaussian, stray)
    return Judged(
        log_likelihood=jnp.where(counted, either, 0),
        expected=belief.mean,
        deviation=deviation,
        surprise=surprise,
        clean=jnp.where(counted, jnp.exp(honest + gaussian - either), 1),
        counted=counted,
    )


def _told(belief: Belief, found: Judged, read) -> Belief:
    """What is known with one reading more: clean, or an outlier that says nothing."""
    mean, variance, begun = belief
    share = jnp.where(found.counted, found.clean, 0)
    gain = variance / (variance + read)
    told = gain * found.surprise * found.deviation
    doubt = share * (1 - share) * jnp.square(told)
    return Belief(mean + share * told, variance * (1 - share * gain) + doubt, begun)


def _begun(belief: Belief, y, there, read) -> Belief:
    """The first reading of a train is all that is known of the cell then."""
    first = there & ~belief.begun
    return Belief(
        jnp.where(first, y, belief.mean),
        jnp.where(first, read, belief.variance),
        belief.begun | there,
    )
