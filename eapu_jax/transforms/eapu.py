"""Error-aware probabilistic update: rare pulses in place of small updates."""

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import thresholds
from eapu_jax.crossbar import working_dtype
from eapu_jax.devices.base import Scalar
from eapu_jax.transforms.dice import stochastic


def eapu(
    threshold: PyTree[Scalar], *, key: Key[Array, ""]
) -> optax.GradientTransformationExtraArgs:
    r"""Turn updates too small to program into rare pulses that are not.

    $$ P(\text{write}) = \min\left(1, \frac{|\Delta W|}{\Delta W_{th}}\right),
       \qquad \Delta W' = \begin{cases}
         \mathrm{sign}(\Delta W)\,\max(|\Delta W|, \Delta W_{th})
         & \text{if written} \\ 0 & \text{otherwise} \end{cases} $$

    so $E[\Delta W'] = \Delta W$ on either side of the threshold, and only the
    fraction $|\Delta W| / \Delta W_{th}$ of the cells is written. An update of at
    least the threshold passes unchanged; zero is never written. Nothing is
    remembered from step to step: no residual, no accumulator.

    The rule is that of the authors' public code (STATED). There the threshold is
    $\Delta W_{th} = R_{wg} \cdot \mathrm{SD}(\epsilon_\mathrm{cell})$, which is
    the choice of least variance (DERIVED, `eapu_jax.laws.total_variance`).

    Leaves of fewer than two axes are digital and pass unchanged. A NaN update
    passes too: a diverged chip must show.

    Args:
        threshold: $\Delta W_{th} > 0$ in units of the weights; one number, or a
            tree of them that is a prefix of the updates. May be traced.
        key: typed key. Under `vmap` build the transform inside the mapped
            function, or every chip throws the same dice.

    Raises:
        ValueError: on a threshold that is not positive and finite, or a key that
            is not one typed key.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> tx = eapu(0.025, key=jax.random.key(0))
        >>> update = {"kernel": jnp.full((1000, 100), 2.5e-4)}
        >>> pulses, _ = tx.update(update, tx.init(update))
        >>> sorted({round(float(p), 4) for p in jnp.unique(pulses["kernel"])})
        [0.0, 0.025]
        >>> f"{float((pulses['kernel'] != 0).mean()):.2f}"
        '0.01'
    """
    thresholds(threshold)
    return stochastic(_pulse, threshold, key=key)


def _pulse(key: Key[Array, ""], update: jax.Array, threshold: Scalar) -> jax.Array:
    dtype = working_dtype(update)
    dw = update.astype(dtype)
    theta = jnp.asarray(threshold, dtype)
    # 32 bits: the 23 of jr.uniform would write the rarest cells far too often
    u = jr.bits(key, dw.shape, jnp.uint32).astype(dtype) * 2.0**-32
    skip = jnp.abs(dw) < u * theta
    pulse = jnp.sign(dw) * jnp.maximum(jnp.abs(dw), theta)
    return jnp.where(skip, 0, pulse).astype(update.dtype)
