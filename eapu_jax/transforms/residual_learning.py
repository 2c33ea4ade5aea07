"""Residual learning: the fast array is part of the weight, and learns what is left."""

from typing import Any

import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import number
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Scalar
from eapu_jax.transforms.chopped_tiki_taka import chopped_tiki_taka
from eapu_jax.transforms.tiki_taka import tiki_taka


def residual_learning(
    fast: PyTree[Crossbar],
    slow: PyTree[Crossbar],
    *,
    key: Key[Array, ""],
    gamma: Scalar = 0.4,
    rate: Scalar = 1.0,
    every: int = 1,
    **others: Any,
) -> optax.GradientTransformationExtraArgs:
    r"""`tiki_taka` with the fast array in the weight, $W = C + \gamma A$ (RL-v1).

    $$ A \leftarrow A + \Delta W(C + \gamma A), \qquad
       C_i \leftarrow C_i + \alpha\,\widehat A_i $$

    The gradient that $A$ is written with is taken where $A$ already counts, so that $A$
    comes to rest at $(W^* - C) / \gamma$, the residual of $C$, instead of wandering
    with the gradient noise: as $C$ nears the optimum $W^*$, $A$ nears 0, the place
    where its device is symmetric, and the asymmetry no longer biases anything. That
    residual learning is Tiki-Taka with $\gamma > 0$ is STATED (Wu et al. 2025, arXiv
    2502.06309), as is the default 0.4; the fixed point is DERIVED and tested, and so is
    the plus: with a minus a least-squares toy stays far from its optimum.

    Args:
        fast: what the arrays $A$ are made of.
        slow: what the arrays $C$ are made of.
        key: typed key.
        gamma: $\gamma > 0$.
        rate: $\alpha > 0$.
        every: updates from one transfer to the next.
        **others: `place` and `step_time` of `tiki_taka`.

    Raises:
        ValueError: as `tiki_taka`, and on a `gamma` that is not positive.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from eapu_jax import AdditiveError, Crossbar, array, view
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> rule = residual_learning(quiet, quiet, key=jax.random.key(0), rate=0.1)
        >>> tx, w = optax.chain(optax.sgd(0.5), rule), jnp.zeros((1, 1))
        >>> state, update = tx.init(w), jax.jit(tx.update)
        >>> for _ in range(200):
        ...     updates, state = update(w - 0.3, state, w)
        ...     w = optax.apply_updates(w, updates)
        >>> fast, slow = (array.weights(quiet, a) for a in view(state).values())
        >>> f"{w[0, 0]:.3f} = {slow[0, 0]:.3f} + 0.4 * {abs(fast[0, 0]):.3f}"
        '0.300 = 0.300 + 0.4 * 0.000'
    """
    number("gamma", gamma, above=0)
    return tiki_taka(fast, slow, key=key, gamma=gamma, rate=rate, every=every, **others)


def residual_learning_v2(
    fast: PyTree[Crossbar],
    slow: PyTree[Crossbar],
    *,
    threshold: PyTree[Scalar],
    key: Key[Array, ""],
    gamma: Scalar = 0.4,
    momentum: Scalar = 0.9,
    **others: Any,
) -> optax.GradientTransformationExtraArgs:
    r"""`chopped_tiki_taka` with the fast array in the weight (RL-v2).

    $$ W_i = C_i + \gamma\,c_i A_i $$

    The read-out of the pair of arrays gives $C + \gamma A$; what is added digitally is
    $\gamma\,(c - 1)\,A$ (STATED), so that the chopper cancels: an update moves the
    weight by $\gamma\,c\,c\,\Delta W = \gamma\,\Delta W$ whatever the sign under which
    it was written. Only at a turn itself does the weight jump, by $-2\gamma\,c A$
    (DERIVED, tested).

    Args:
        fast: what the arrays $A$ are made of.
        slow: what the arrays $C$ are made of.
        threshold: $\theta > 0$, weight units; a number or a prefix tree.
        key: typed key.
        gamma: $\gamma > 0$; the published one has 1 over the number of states added.
        momentum: of the buffer; 0.9 is the published one (STATED).
        **others: the rest of `chopped_tiki_taka`.

    Raises:
        ValueError: as `chopped_tiki_taka`, and on a `gamma` that is not positive.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar
        >>> quiet = Crossbar(device=AdditiveError(write_noise=0.0))
        >>> tx = residual_learning_v2(
        ...     quiet, quiet, threshold=9.0, key=jax.random.key(0), flip=0.0
        ... )
        >>> w = jnp.zeros((1, 1))
        >>> tx.update(w + 0.5, tx.init(w), w)[0]
        Array([[0.2]], dtype=float32)
    """
    number("gamma", gamma, above=0)
    return chopped_tiki_taka(
        fast,
        slow,
        threshold=threshold,
        key=key,
        gamma=gamma,
        momentum=momentum,
        **others,
    )
