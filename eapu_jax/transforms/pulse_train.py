"""Stochastic pulse trains, as far as a link of a chain can send them."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key, PyTree

from eapu_jax.checks import whole
from eapu_jax.devices.base import Scalar
from eapu_jax.placement import Place
from eapu_jax.transforms.asked import drawing
from prng.chance import happens
from prng.derive import folded


def pulse_train(
    step: PyTree[Scalar],
    length: int,
    *,
    key: Key[Array, ""],
    place: Place | None = None,
) -> optax.GradientTransformationExtraArgs:
    r"""Send a train of random pulses, as many in the mean as the update is worth.

    $$ \Delta W' = \mathrm{sign}(\Delta W)\,\lambda\,n, \qquad
       n \sim \mathrm{Binomial}\left(L, \min\left(1,
       \frac{|\Delta W|}{L \lambda}\right)\right) $$

    so $E[\Delta W'] = \Delta W$ up to $L\lambda$, where the train saturates, and the
    variance is $\lambda |\Delta W| (1 - |\Delta W| / (L \lambda))$. With $L = 1$ it is
    a step of fixed size with the probability of `eapu`.

    In the scheme of Gokmen and Vlasov rows and columns fire trains with probabilities
    proportional to $x$ and $\delta$, and a coincidence moves the weight by one step, so
    that the mean is the outer product (STATED by the documentation of aihwkit). A link
    of a chain sees the update alone: this binomial law, cell by cell independent, is a
    stand-in (INFERRED). **Left out is the correlation**: there the cells of a row share
    its train, and those of a column. In exchange the update may come from any
    optimiser. Lengths in public code are 5 and 8 (Wu et al., STATED).

    Args:
        step: $\lambda > 0$, the weight that one pulse is worth; a number or a prefix
            tree.
        length: $L \ge 1$, slots of a train.
        key: typed key. Under `vmap` build the transform inside the mapped function.
        place: which leaves live on an array; `eapu_jax.place` when None.

    Raises:
        ValueError: on a step that is not positive and finite, does not fit, or is
            never answered by the device, a length that is no whole number of at least
            1, a key that is not one typed key, or after `program` or another gate.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> tx = pulse_train(0.5, 4, key=jax.random.key(0))
        >>> update = jnp.array([[0.6, 9.0]] * 10_000)
        >>> pulses, _ = tx.update(update, tx.init(update))
        >>> [f"{float(x):.1f}" for x in pulses.mean(0)]
        ['0.6', '2.0']
    """
    whole("length", length, at_least=1)

    def rule(key, dw, size):
        p = jnp.abs(dw) / (size * jnp.asarray(length, dw.dtype))

        def slot(n, count):
            return count + happens(folded(key, n, n), p).astype(dw.dtype)

        count = jax.lax.fori_loop(0, length, slot, jnp.zeros_like(dw))
        return jnp.sign(dw) * size * count

    return drawing("pulse_train", rule, {"step": step}, place, "step", key)
