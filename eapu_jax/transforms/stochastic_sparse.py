"""Stochastic sparse updates with momentum: a smoothed update draws the lots."""

from typing import NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, Key, PyTree, UInt32

from eapu_jax.array import working_dtype
from eapu_jax.checks import number
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place, on_array
from eapu_jax.rows import Arrays
from eapu_jax.transforms.asked import Asked, check
from eapu_jax.transforms.keys import Root, following
from prng.chance import happens


class StochasticSparseState(NamedTuple):
    """What the rule remembers.

    Attributes:
        step: updates so far.
        key: words of the root key; update `n` draws from `fold_in(key, n)`.
        smoothed: running mean of the updates of every weight on the array, by path.
    """

    step: Int[Array, ""]
    key: UInt32[Array, " words"]
    smoothed: Arrays


def stochastic_sparse(
    step: PyTree[Scalar],
    *,
    key: Key[Array, ""],
    momentum: Scalar = 0.9,
    place: Place | None = None,
) -> optax.GradientTransformationExtraArgs:
    r"""Write a step of fixed size with the probability of a smoothed update.

    $$ M \leftarrow \beta M + (1 - \beta) \Delta W, \qquad
       \Delta W' = \lambda\,\mathrm{sign}(M)\,B, \qquad
       P(B = 1) = \min\left(1, \frac{|M|}{\lambda}\right) $$

    so $E[\Delta W' \mid M] = M$ up to one step, where it saturates. After SSM (Wang et
    al., arXiv 1906.02393). That updates are stochastic, discrete and sparse, and that
    momentum takes noise out of them, is STATED by its abstract, all of it that could
    be read. The equations above, the form of the running mean (not corrected at the
    start) and $\beta = 0.9$ are ASSUMED, not published. Two parts of SSM are left
    out: weights set anew against device variation, and compensation of updates.

    Args:
        step: $\lambda > 0$ in units of the weights; a number or a prefix tree.
        key: typed key. Under `vmap` build the transform inside the mapped function.
        momentum: $\beta$, at least 0 and below 1.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a step that is not positive and finite, does not fit, or is
            never answered by the device, a momentum out of bounds, a key that is not
            one typed key, an `init` without the params, or after `program` or another
            gate.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> tx = stochastic_sparse(1.0, key=jax.random.key(0), momentum=0.5)
        >>> update = jnp.full((100, 100), 0.4)
        >>> pulses, state = tx.update(update, tx.init(update))
        >>> f"{float(pulses.mean()):.1f}"  # half of what is asked, so far
        '0.2'
    """
    check({"step": step})
    number("momentum", momentum, at_least=0, under=1)
    root = Root(key)

    def init_fn(params):
        leaves = on_array(params, place)
        blank = {p: jnp.zeros(w.shape, working_dtype(w)) for p, w in leaves.items()}
        return StochasticSparseState(jnp.zeros((), jnp.int32), root.words(), blank)

    def smooth(mean, dw, size):
        del size
        return mean + (1 - jnp.asarray(momentum, dw.dtype)) * (dw - mean)

    def send(key, mean, dw, size):
        del dw
        hit = happens(key, jnp.abs(mean) / size)
        return jnp.where(hit, jnp.sign(mean) * size, 0)

    def update_fn(updates, state, params=None, **extra_args):
        del params, extra_args
        asked = Asked("stochastic_sparse", updates, {"step": step}, place)
        smoothed = asked.each(smooth, asked.remembered(state.smoothed))
        keys = asked.keys(root.at(state.key, state.step), state.step)
        sent = asked.each(send, keys, smoothed)
        state = StochasticSparseState(following(state.step), state.key, smoothed)
        return asked.answer(sent, "step"), state

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)
