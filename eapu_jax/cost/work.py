"""What a training or an inference did, as counts: the one ledger of all rules."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree

from eapu_jax import ledger as ledgers
from eapu_jax.array import ArrayState
from eapu_jax.array import weights as read_out
from eapu_jax.checks import number, whole
from eapu_jax.counts import totals, view
from eapu_jax.crossbar import Crossbar, crossbars_at
from eapu_jax.product_counts import product_counts, vectors_into
from eapu_jax.transforms.lines import lines_of

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
        down: those of the pulses that asked for less; None where it is not told.
        writes: of cells, of one pulse or more each; None: as many as pulses.
        vectors: that arrays multiply one after another, layer by layer, a vector of
            every pass counted; None where it is not told.
        words: digital numbers kept for a weight, beside the array.
    """

    pulses: int = 0
    reads: int = 0
    macs: int = 0
    dac: int = 0
    adc: int = 0
    random_bits: float = 0.0
    digital_bits: float = 0.0
    down: int | None = None
    writes: int | None = None
    vectors: int | None = None
    words: float = 0.0

    @property
    def up(self) -> int | None:
        """Those of the pulses that asked for more; None where it is not told."""
        return None if self.down is None else self.pulses - self.down

    @property
    def written(self) -> int:
        """Writes of cells: as many as pulses, where they are not told apart."""
        return self.pulses if self.writes is None else self.writes


def checked(work: Work) -> Work:
    """The same work, if its counts make sense.

    Raises:
        ValueError: on a count that is no number or negative, or parts of the pulses
            that are more than all of them.
    """
    if not isinstance(work, Work):
        raise ValueError(f"work must be a Work, got {work!r}")
    counts: dict[str, Any] = work._asdict()
    for name, count in counts.items():
        if count is not None or name not in ("down", "writes", "vectors"):
            number(f"Work.{name}", _rounded(count), at_least=0)
    for name in ("down", "writes"):
        part = counts[name]
        if part is not None and part > work.pulses:
            raise ValueError(f"Work.{name} must be <= {work.pulses} pulses, got {part}")
    return work


def _rounded(count: Any) -> Any:
    """An integer of any length as a number that has bounds, if it may be one."""
    plain = isinstance(count, int) and not isinstance(count, bool)
    return float(count) if plain and count.bit_length() < 127 else count


def training_work(
    state: PyTree,
    crossbar: PyTree[Crossbar],
    *,
    steps: int,
    vectors: int | Mapping[str, int],
    bits_per_weight: float = 0.0,
    random_bits_per_weight: float = 0.0,
    words_per_weight: float = 0.0,
) -> Work:
    """The work of a training, from what its arrays counted. Not traced.

    Args:
        state: an optax state after the training, with that of `program` in it.
        crossbar: as given to `program`.
        steps: how many the training had.
        vectors: per step, into every array or by path: the batch; times the places
            of its output for a convolution.
        bits_per_weight: that the optimizer and the rule keep for a weight; each is
            read and written once a step. Adam: 64; see `eapu_jax.digital_words`.
        random_bits_per_weight: drawn by the rule for a weight and step. EaPU: 32.
        words_per_weight: numbers that these bits are. Adam: 2.

    Raises:
        ValueError: on counts that make no sense.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import Crossbar, program
        >>> w, tx = jnp.zeros((2, 2)), program(Crossbar(), key=jax.random.key(0))
        >>> _, state = tx.update(jnp.array([[0.0, 0.1], [-0.2, 0.3]]), tx.init(w), w)
        >>> work = training_work(state, Crossbar(), steps=1, vectors=16)
        >>> work.pulses, work.down, work.writes, work.macs, work.adc
        (3, 1, 3, 192, 64)
    """
    whole("steps", steps, at_least=0)
    number("bits_per_weight", bits_per_weight, at_least=0)
    number("random_bits_per_weight", random_bits_per_weight, at_least=0)
    number("words_per_weight", words_per_weight, at_least=0)
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
        reads=sum(_cells_read(p, a, shapes[p]) for p, a in arrays.items()),
        macs=PASSES * steps * products.macs,
        dac=conversions,
        adc=conversions,
        random_bits=float(random_bits_per_weight) * weights * steps,
        digital_bits=2.0 * bits_per_weight * weights * steps,
        down=counts["down"],
        writes=sum(_writes(array) for array in arrays.values()),
        vectors=PASSES * steps * _in_turn(vectors, shapes),
        words=float(words_per_weight),
    )


def inference_work(
    crossbar: PyTree[Crossbar],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    vectors: int | Mapping[str, int],
) -> Work:
    """The work of an inference: products forwards, with their conversions.

    Nothing is written, drawn or kept. Putting the weights onto the array before is
    work of its own: `Work(pulses=...)`.

    Args:
        crossbar: one, or a tree of them by path.
        shapes: of the weights by path; the last axis are the columns.
        vectors: multiplied in all, into every array or by path (a convolution: one
            per place of its output).

    Raises:
        ValueError: on shapes or vectors that make no sense.

    Example:
        >>> from eapu_jax import Crossbar
        >>> shapes = {"first": (64, 32), "second": (32, 10)}
        >>> work = inference_work(Crossbar(), shapes, vectors=100)
        >>> work.macs, work.dac, work.adc, work.vectors, work.pulses
        (236800, 9600, 4200, 200, 0)
    """
    products = product_counts(crossbar, shapes, vectors)
    in_turn = _in_turn(vectors, shapes)
    return Work(
        macs=products.macs, dac=products.dac, adc=products.adc, down=0, vectors=in_turn
    )


def _cells_read(path: str, array: ArrayState, shape: tuple[int, ...]) -> int:
    """Reads of single cells: of all, or of a line where a rule has several arrays."""
    lines = lines_of(shape) if "@" in path else 1
    return ledgers.value(array.ledger.reads) * array.ledger.writes.size // max(lines, 1)


def _writes(array: ArrayState) -> int:
    return int(np.asarray(array.ledger.writes).sum(dtype=np.uint64))


def _in_turn(vectors: int | Mapping[str, int], paths: Any) -> int:
    """Vectors one after another: the arrays of one weight take them together."""
    layers: dict[str, int] = {}
    for path in paths:
        layer = path.partition("@")[0]
        layers[layer] = max(layers.get(layer, 0), vectors_into(vectors, path))
    return sum(layers.values())
