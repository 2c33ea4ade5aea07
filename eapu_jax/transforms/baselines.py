"""The rivals of EaPU in its authors' code: decisions without random draws."""

import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from eapu_jax.checks import number
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.asked import memoryless
from eapu_jax.transforms.links import EVERY, refuse_decided, sign


def write_all() -> optax.GradientTransformationExtraArgs:
    """Noisy backpropagation: ask for every update that is not zero, every step.

    The "original algorithm" of the paper's figures (STATED by the authors'
    code): the decision is to decide nothing, so the update passes as it is, and
    `program` then adds a whole write error to each.

    Raises:
        ValueError: after `program` or another gate.
    """

    def update_fn(updates, state, params=None, **extra_args):
        del params, extra_args
        refuse_decided("write_all", updates)
        return sign(updates, EVERY), state

    return optax.GradientTransformationExtraArgs(optax.init_empty_state, update_fn)


def drop_below(
    threshold: PyTree[Scalar], *, place: Place | None = None
) -> optax.GradientTransformationExtraArgs:
    r"""Write only what is at least the threshold; forget the rest.

    $\Delta W' = \Delta W\,[|\Delta W| \ge \Delta W_{th}]$. An ablation that stands
    disabled in the authors' code; biased.

    Args:
        threshold: $\Delta W_{th} > 0$, weight units; a number or a prefix tree.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a threshold that is not positive and finite, or does not fit,
            or if it comes after `program` or another gate.

    Example:
        >>> import jax.numpy as jnp
        >>> tx = drop_below(1.0)
        >>> tx.update(jnp.array([[0.9, -1.5]]), tx.init(None))[0]
        Array([[ 0. , -1.5]], dtype=float32)
    """

    def drop(dw, theta):
        return jnp.where(jnp.abs(dw) < theta, 0, dw)

    return memoryless("drop_below", drop, {"threshold": threshold}, place)


def lift_above(
    threshold: PyTree[Scalar], floor: Scalar = 0.2, *, place: Place | None = None
) -> optax.GradientTransformationExtraArgs:
    r"""Drop what is far below the threshold, lift the rest up to it.

    $\Delta W' = \mathrm{sign}(\Delta W) \max(|\Delta W|, \Delta W_{th})$ where
    $|\Delta W| \ge \text{floor} \cdot \Delta W_{th}$, else 0. The other disabled
    ablation of the authors' code, whose floor is 1/5; biased.

    Args:
        threshold: $\Delta W_{th} > 0$, weight units; a number or a prefix tree.
        floor: fraction of the threshold below which an update is dropped.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a threshold that is not positive and finite or does not fit,
            a negative floor, or if it comes after `program` or another gate.

    Example:
        >>> import jax.numpy as jnp
        >>> tx = lift_above(1.0)
        >>> tx.update(jnp.array([[0.1, 0.3, -1.5]]), tx.init(None))[0]
        Array([[ 0. ,  1. , -1.5]], dtype=float32)
    """
    number("floor", floor, at_least=0)

    def lift(dw, theta):
        lifted = jnp.sign(dw) * jnp.maximum(jnp.abs(dw), theta)
        return jnp.where(jnp.abs(dw) < floor * theta, 0, lifted)

    return memoryless("lift_above", lift, {"threshold": threshold}, place)
