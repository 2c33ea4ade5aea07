"""The Manhattan rule: one step along every axis, whatever the slope."""

import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.asked import memoryless


def manhattan(
    step: PyTree[Scalar], *, place: Place | None = None
) -> optax.GradientTransformationExtraArgs:
    r"""Write one step of fixed size wherever anything is asked.

    $$ \Delta W' = \lambda\,\mathrm{sign}(\Delta W) $$

    That weights are updated by the sign of backpropagation alone is STATED by the
    abstract of Zamanidoost et al. ("Manhattan rule training", 2015; arXiv 2511.03858
    uses it too). Their sign is that of the gradient; here it is that of whatever
    optimiser stands before, which after plain SGD is the same (DERIVED). Biased; every
    weight whose update is not zero is written at every step.

    Which cells that wears is for the encoding to say: `DifferentialPair("both")` writes
    both cells of a pair, half a step each, `DifferentialPair("plus")` freezes one of
    them. arXiv 2511.03858 reports that freezing one saves about half of the energy of
    training; nothing here assumes it.

    Args:
        step: $\lambda > 0$ in units of the weights; a number or a prefix tree.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a step that is not positive and finite, does not fit, or is
            never answered by the device, or after `program` or another gate.

    Example:
        >>> import jax.numpy as jnp
        >>> tx = manhattan(0.5)
        >>> tx.update(jnp.array([[1e-6, 0.0, -3.0]]), tx.init(None))[0]
        Array([[ 0.5,  0. , -0.5]], dtype=float32)
    """

    def rule(dw, size):
        return jnp.sign(dw) * size

    return memoryless("manhattan", rule, {"step": step}, place, pulse="step")
