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

    $$ \Delta W_{th} = R_{wg}\,\max(\mathrm{SD}(\epsilon(\Delta g)), \Delta g_1) $$

    the choice of least variance (DERIVED, `eapu_jax.laws.total_variance`), and never
    less than the smallest request $\Delta g_1$ that is sure to send a pulse (twice
    `smallest_request`: one whole pulse). Where the error depends on the request, a
    few rounds find the request that equals its own error.

    Args:
        key: typed key.
        crossbar: the array; its range must be one number.
        g: where the cells stand, µS.
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
    one_crossbar(crossbar)
    if crossbar.fixed_scale is None:
        raise ValueError(f"Crossbar.r_wg must be one number, got {crossbar.r_wg!r}")
    whole("rounds", rounds, at_least=1)
    least = jnp.float32(2 * crossbar.device.smallest_request())
    dg = jnp.maximum(least, 1e-6)
    for _ in range(rounds):
        _, sd = write_error(key, crossbar.device, dg, g=g)
        dg = jnp.maximum(jnp.maximum(sd, least), 1e-6)
    return dg * crossbar.fixed_scale
