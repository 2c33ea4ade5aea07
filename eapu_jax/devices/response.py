"""The response curve of a device: pulses up, then pulses down."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from eapu_jax.checks import number, typed_key, whole
from eapu_jax.devices.base import Device, Scalar, a_device
from prng import unrolled


def response(
    key: Key[Array, ""],
    device: Device,
    dg: Scalar,
    *,
    n: int,
    start: Float[Array, "*cells"],
) -> Float[Array, "2n+1 *cells"]:
    """Conductances after 0 to `n` requests of `+dg`, then `n` of `-dg`.

    Ask for one nominal step to see the curve pulse by pulse. A one-sided device
    stays where the rising half ends.

    Args:
        key: typed key.
        device: the device.
        dg: size of every request, µS.
        n: requests in either direction.
        start: where fresh cells stand, µS; many of them show the noise.

    Returns:
        One row per request, the first before any. µS.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import SoftBounds
        >>> quiet = SoftBounds(g_min=0.0, g_max=16.0, pulse=4.0, write_noise=0.0)
        >>> g = response(jax.random.key(0), quiet, 4.0, n=3, start=jnp.zeros(1))
        >>> g[:, 0].tolist()
        [0.0, 8.0, 12.0, 14.0, 7.0, 3.5, 1.75]
    """
    typed_key("key", key)
    a_device("device", device)
    number("dg", dg, above=0)
    whole("n", n, at_least=1)
    key_init, key_writes = jr.split(unrolled(key))
    fresh = device.init(key_init, start)
    sign = jnp.where(jnp.arange(2 * n) < n, 1.0, -1.0).astype(start.dtype)

    def write(cells, step):
        key, sign = step
        asked = jnp.broadcast_to(sign * dg, start.shape).astype(start.dtype)
        cells, _ = device.write(key, cells, asked)
        return cells, device.conductance(cells)

    _, path = jax.lax.scan(write, fresh, (jr.split(key_writes, 2 * n), sign))
    return jnp.concatenate([device.conductance(fresh)[None], path])
