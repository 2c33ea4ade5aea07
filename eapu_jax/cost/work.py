"""What a training or an inference did, as counts: the one ledger of all rules."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import jax
from jaxtyping import PyTree

from eapu_jax.array import weights as read_out
from eapu_jax.checks import number, whole
from eapu_jax.counts import totals, view
from eapu_jax.crossbar import Crossbar, crossbars_at
from eapu_jax.product_counts import product_counts

PASSES = 3
"""Products of a training step with one vector: forwards, backwards, and the outer
product that is the gradient, which costs as many multiplications (DERIVED)."""


class Work(NamedTuple):
    """Counts; exact integers, but for the random and the digital bits.

    Attributes:
        pulses: sent to cells, of either sign.
        reads: of single cells, beside those in products.
        macs: multiplications with their additions.
        dac: inputs converted.
        adc: outputs converted.
        random_bits: drawn.
        digital_bits: moved from and to the memory of the optimizer and the rule.
    """

    pulses: int = 0
    reads: int = 0
    macs: int = 0
    dac: int = 0
    adc: int = 0
    random_bits: float = 0.0
    digital_bits: float = 0.0


def training_work(
    state: PyTree,
    crossbar: PyTree[Crossbar],
    *,
    steps: int,
    vectors: int | Mapping[str, int],
    bits_per_weight: float = 0.0,
    random_bits_per_weight: float = 0.0,
) -> Work:
    """The work of a training, from what its arrays counted. Not traced.

    Args:
        state: an optax state after the training, with that of `program` in it.
        crossbar: as given to `program`.
        steps: how many the training had.
        vectors: per step, into every array or by path: the batch; times the places
            of its output for a convolution.
        bits_per_weight: that the optimizer and the rule keep for a weight; each is
            read and written once a step. Adam: 64.
        random_bits_per_weight: drawn by the rule for a weight and step. EaPU: 32.

    Raises:
        ValueError: on counts that make no sense.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar, program
        >>> w, tx = jnp.zeros((2, 2)), program(Crossbar(), key=jax.random.key(0))
        >>> _, state = tx.update(jnp.array([[0.0, 0.1], [-0.2, 0.3]]), tx.init(w), w)
        >>> work = training_work(state, Crossbar(), steps=1, vectors=16)
        >>> work.pulses, work.macs, work.adc
        (3, 192, 64)
    """
    whole("steps", steps, at_least=0)
    number("bits_per_weight", bits_per_weight, at_least=0)
    number("random_bits_per_weight", random_bits_per_weight, at_least=0)
    counts, arrays = totals(state), view(state)
    crossbars = crossbars_at(crossbar, list(arrays))
    shapes = {
        p: jax.eval_shape(read_out, crossbars[p], arrays[p]).shape for p in arrays
    }
    products = product_counts(crossbar, shapes, vectors)
    weights = sum(math.prod(shape) for shape in shapes.values())
    conversions = steps * (products.dac + products.adc)  # back, they change places
    return Work(
        pulses=counts["up"] + counts["down"],
        reads=counts["reads"],
        macs=PASSES * steps * products.macs,
        dac=conversions,
        adc=conversions,
        random_bits=float(random_bits_per_weight) * weights * steps,
        digital_bits=2.0 * bits_per_weight * weights * steps,
    )
