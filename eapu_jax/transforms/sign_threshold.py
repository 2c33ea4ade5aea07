"""STELLAR's idea: the sign of what is worth it, nothing of the rest."""

import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.asked import memoryless


def sign_threshold(
    threshold: PyTree[Scalar],
    step: PyTree[Scalar] | None = None,
    *,
    place: Place | None = None,
) -> optax.GradientTransformationExtraArgs:
    r"""Write one step of fixed size where the update exceeds a threshold.

    $$ \Delta W' = \lambda\,\mathrm{sign}(\Delta W)\,[|\Delta W| > \theta] $$

    After STELLAR (Science 2023): the direction comes from signs, errors below a preset
    threshold are dropped, pulses are identical and not verified (STATED-2nd, from
    summaries; the exact form was not read). There the threshold is held against the
    error of a neuron, $\Delta W = -\lambda\,\mathrm{sign}(x)\,\mathrm{sign}(\delta)
    [|\delta| > \theta]$. A link of a chain sees neither $x$ nor $\delta$, so here it is
    held against the update of each weight: INFERRED, not the published circuit. Biased.

    Args:
        threshold: $\theta > 0$ in units of the weights; a number or a prefix tree.
        step: $\lambda > 0$ in units of the weights, likewise; the threshold when None,
            which is ASSUMED.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a threshold or step that is not positive and finite or does not
            fit, a step that the device never answers, or after `program` or another
            gate.

    Example:
        >>> import jax.numpy as jnp
        >>> tx = sign_threshold(0.2, step=0.5)
        >>> tx.update(jnp.array([[0.1, 0.3, -3.0]]), tx.init(None))[0]
        Array([[ 0. ,  0.5, -0.5]], dtype=float32)
    """

    def rule(dw, limit, size):
        return jnp.where(jnp.abs(dw) <= limit, 0, jnp.sign(dw) * size)

    numbers = {"threshold": threshold, "step": threshold if step is None else step}
    return memoryless("sign_threshold", rule, numbers, place, pulse="step")
