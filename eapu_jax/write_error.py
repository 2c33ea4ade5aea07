"""The error of a write, measured on the device, and the threshold it suggests."""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from eapu_jax.checks import number, typed_key, whole
from eapu_jax.crossbar import Crossbar, one_crossbar
from eapu_jax.devices.base import Device, Scalar, a_device
from prng import unrolled


def write_error(
    key: Key[Array, ""],
    device: Device,
    dg: Scalar,
    *,
    g: Scalar = 0.0,
    cells: int = 10_000,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Bias and standard deviation of one write of `dg`, measured over many cells.

    Args:
        key: typed key.
        device: the device.
        dg: the change asked for, µS.
        g: where the cells stand before, µS.
        cells: how many are written.

    Returns:
        Mean and standard deviation of what lands minus what was asked, µS.

    Example:
        >>> import jax
        >>> from eapu_jax import AdditiveError
        >>> bias, sd = write_error(jax.random.key(0), AdditiveError(), 5.0)
        >>> bool(abs(bias) < 0.1), bool(abs(sd - 2.0) < 0.1)
        (True, True)
    """
    typed_key("key", key)
    a_device("device", device)
    number("dg", dg)
    number("g", g)
    whole("cells", cells, at_least=2)
    key_init, key_write = jr.split(unrolled(key))
    before = device.init(key_init, jnp.full(cells, g, jnp.float32))
    stood = device.conductance(before)
    after, _ = device.write(key_write, before, jnp.full(cells, dg, jnp.float32))
    error = device.conductance(after) - stood - dg
    return jnp.mean(error), jnp.std(error)


def matched_threshold(
    key: Key[Array, ""], crossbar: Crossbar, *, g: Scalar = 0.0, rounds: int = 4
) -> Float[Array, ""]:
    r"""The threshold $\Delta W_{th}$ that equals the error of the write it asks for.

    $$ \Delta W_{th} = \max(\mathrm{SD}(\epsilon(\Delta W_{th})), \Delta W_1) $$

    the choice of least variance (DERIVED, `eapu_jax.laws.total_variance`), and never
    less than the smallest request $\Delta W_1$ of which every cell that is asked is
    sure to be sent a pulse (twice `smallest_request`: one whole pulse). The error is
    that of a weight: two cells that share a change err by $\sqrt 2$ times one, the
    mean of $m$ copies by $1/\sqrt m$ of it. Where it depends on the request, a few
    rounds find the request that equals its own error.

    Args:
        key: typed key.
        crossbar: the array; its range must be one number.
        g: where every cell stands, µS.
        rounds: fixed-point rounds.

    Returns:
        The threshold in units of the weights.

    Raises:
        ValueError: if the range is fitted to weights: then multiply the error of
            `write_error` by the scale of the array.

    Example:
        >>> import jax
        >>> from eapu_jax import Crossbar, SoftBounds
        >>> pulsed = Crossbar(device=SoftBounds(pulse=3.0, write_noise=1.0), r_wg=0.01)
        >>> f"{float(matched_threshold(jax.random.key(0), pulsed)):.2f}"
        '0.03'
    """
    typed_key("key", key)
    one_crossbar(crossbar)
    number("g", g)
    if crossbar.fixed_scale is None:
        raise ValueError(f"Crossbar.r_wg must be one number, got {crossbar.r_wg!r}")
    whole("rounds", rounds, at_least=1)
    least = jnp.float32(2 * crossbar.device.smallest_request())
    least = jnp.maximum(least, 1e-6) / _share(crossbar, g)
    dg = least
    for _ in range(rounds):
        dg = jnp.maximum(_error_of_weights(key, crossbar, dg, g), least)
    return dg * crossbar.fixed_scale


# Below, weights are in µS: those of a range of 1/µS.
_WEIGHTS = 100, 100  # a matrix, as some encodings want one


def _share(crossbar: Crossbar, g: Scalar) -> Float[Array, ""]:
    """The least part of a change that falls to a cell which is asked at all."""
    asked = crossbar.encoding.request(_standing(crossbar, g), jnp.ones(_WEIGHTS), 1.0)
    return jnp.min(jnp.where(asked != 0, jnp.abs(asked), jnp.inf))


def _error_of_weights(
    key: Key[Array, ""], crossbar: Crossbar, dg: Scalar, g: Scalar
) -> Float[Array, ""]:
    """Standard deviation of what many weights make of a change `dg`, µS."""
    key_init, key_write = jr.split(unrolled(key))
    device, encoding = crossbar.device, crossbar.encoding
    before = device.init(key_init, _standing(crossbar, g))
    stood = device.conductance(before)
    asked = encoding.request(stood, jnp.full(_WEIGHTS, dg, jnp.float32), 1.0)
    after, _ = device.write(key_write, before, asked)
    moved = encoding.to_weights(device.conductance(after) - stood, 1.0)
    return jnp.std((moved - dg).ravel())


def _standing(crossbar: Crossbar, g: Scalar) -> Float[Array, "*cells"]:
    """As many cells as a matrix of weights takes, all at `g`."""
    cells = crossbar.encoding.to_cells(jnp.zeros(_WEIGHTS), 1.0)
    return jnp.full_like(cells, g)
