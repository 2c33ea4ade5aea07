"""Mixed precision: a digital residual collects updates until a pulse is worth it."""

from typing import NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from eapu_jax.array import working_dtype
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array
from eapu_jax.rows import Arrays
from eapu_jax.transforms.asked import Asked, check


class MixedPrecisionState(NamedTuple):
    """What the rule remembers.

    Attributes:
        residual: of every weight on the array what was asked and not yet sent, by path;
            single precision at least.
    """

    residual: Arrays


def mixed_precision(
    step: PyTree[Scalar], *, place: Place | None = None
) -> optax.GradientTransformationExtraArgs:
    r"""Collect updates in digital memory; send whole steps, keep the rest.

    $$ H \leftarrow H + \Delta W, \qquad
       n = \mathrm{trunc}\left(\frac{H}{\lambda}\right), \qquad
       \Delta W' = n \lambda, \qquad H \leftarrow H - n \lambda $$

    Nothing is lost: the sum of all that was sent and the residual are the sum of all
    updates, and $|H| < \lambda$, both up to rounding. The rule is that of Nandakumar
    et al. (2020) as aihwkit has it, and with any optimiser before it that of MP-SGD and
    MP-Adam (arXiv 2609.36584): STATED. The loop is open, as there: the residual tracks
    what was asked of the array, not the error that the array made of it.

    It pays for that with a digital number per weight (`eapu_jax.digital_words`), which
    `eapu` does without. In return opposite updates cancel before they are written:
    under updates of zero mean and SD $\sigma \ll \lambda$, independent from step to
    step, a weight is written $(\sigma / \lambda)^2$ times a step (DERIVED), with `eapu`
    $0.8\,\sigma / \lambda$ times.

    Args:
        step: $\lambda > 0$ in units of the weights, there the smallest step of the
            device; a number or a prefix tree.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a step that is not positive and finite, does not fit, or is
            never answered by the device, an `init` without the params, or after
            `program` or another gate.

    Example:
        >>> import jax.numpy as jnp
        >>> tx = mixed_precision(1.0)
        >>> update = jnp.array([[0.75, -2.5]])
        >>> state = tx.init(update)
        >>> for _ in range(2):
        ...     sent, state = tx.update(update, state)
        ...     print(sent, state.residual[""])
        [[ 0. -2.]] [[ 0.75 -0.5 ]]
        [[ 1. -3.]] [[0.5 0. ]]
    """
    check({"step": step})

    def init_fn(params):
        leaves = on_array(params, place)
        blank = {p: jnp.zeros(w.shape, working_dtype(w)) for p, w in leaves.items()}
        return MixedPrecisionState(blank)

    def collect(held, dw, size):
        del size
        return held + dw

    def send(held, dw, size):
        del dw
        return jnp.trunc(held / size) * size

    def update_fn(updates, state, params=None, **extra_args):
        del params, extra_args
        asked = Asked("mixed_precision", updates, {"step": step}, place)
        held = asked.each(collect, asked.remembered(state.residual))
        sent = asked.rounded(asked.each(send, held))  # half precision rounds: keep it
        left = {p: h - sent[p].astype(h.dtype) for p, h in held.items()}
        return asked.answer(sent, "step"), MixedPrecisionState(left)

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)
