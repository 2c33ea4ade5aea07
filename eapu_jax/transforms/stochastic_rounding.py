"""Stochastic rounding of the update: to a multiple of a step, right in the mean."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key, PyTree

from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.asked import drawing
from prng.chance import happens


def stochastic_rounding(
    step: PyTree[Scalar], *, key: Key[Array, ""], place: Place | None = None
) -> optax.GradientTransformationExtraArgs:
    r"""Round every update to a multiple of the step, up or down by chance.

    $$ \Delta W' = \mathrm{sign}(\Delta W)\,\lambda\,(n + B), \qquad
       n = \left\lfloor \frac{|\Delta W|}{\lambda} \right\rfloor, \qquad
       P(B = 1) = \frac{|\Delta W|}{\lambda} - n $$

    so $E[\Delta W'] = \Delta W$ for updates of any size. The grid is that of the
    update, not of the weight (Ozkara et al., arXiv 2502.20566, round weights). Up to
    one step this is the law of `eapu` with $\lambda$ as threshold (DERIVED); above it
    `eapu` passes the update as it is, while this rounds on, with a variance of at most
    $\lambda^2 / 4$.

    Args:
        step: $\lambda > 0$ in units of the weights; a number or a prefix tree.
        key: typed key. Under `vmap` build the transform inside the mapped function.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a step that is not positive and finite, does not fit, or is
            never answered by the device, a key that is not one typed key, or after
            `program` or another gate.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> tx = stochastic_rounding(0.5, key=jax.random.key(0))
        >>> update = jnp.full((100, 100), 1.2)
        >>> pulses, _ = tx.update(update, tx.init(update))
        >>> jnp.unique(pulses).tolist(), f"{float(pulses.mean()):.1f}"
        ([1.0, 1.5], '1.2')
    """

    def rule(key, dw, size):
        return rounded_by_chance(key, dw / size) * size

    numbers = {"step": step}
    return drawing("stochastic_rounding", rule, numbers, place, "step", key)


def rounded_by_chance(key: Key[Array, ""], x: Float[Array, "..."]) -> jax.Array:
    """A whole number next to `x`, which is its mean; NaN stays NaN.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> rounded_by_chance(jax.random.key(0), jnp.array([-3.0, 0.0, 2.0])).tolist()
        [-3.0, 0.0, 2.0]
    """
    size = jnp.abs(x)
    whole = jnp.floor(size)
    return jnp.sign(x) * (whole + happens(key, size - whole).astype(x.dtype))
