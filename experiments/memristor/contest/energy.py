"""What the training of one chip took in the contest, in joules."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from flax import linen as nn

from eapu_jax import cost
from experiments.learning.rules import ADAPTERS, RANK, TILES
from experiments.memristor.training import crossbar, network, prepared

DRAWING = (
    *("eapu", "eapu_residual", "stochastic_rounding", "stochastic_sparse"),
    *("pulse_train", "hidden_integer", "eapu_adapters"),
)
"""Rules that draw a word for every weight and step (DERIVED from how ours do)."""

IN_THE_WEIGHT = {
    "residual_learning": 2,
    "residual_learning_v2": 2,
    "track_symmetric_point": 2,
    "multi_tile": TILES,
}
"""Arrays that every product of a rule goes through, where they are not one."""


class Size(NamedTuple):
    """How large a network is on its device.

    Attributes:
        weights: in matrices.
        macs: multiplications in cells of one image, forwards.
        thin: the same in pairs of rank `RANK` beside them.
    """

    weights: int
    macs: int
    thin: int


def size(point: Any) -> Size:
    """Count weights and multiplications of the network of a point."""
    found = []

    def see(call, args, kwargs, context):
        y = call(*args, **kwargs)
        if isinstance(context.module, nn.Dense):
            vectors = args[0].size // args[0].shape[-1]
            found.append((args[0].shape[-1], y.shape[-1], vectors))
        return y

    x = jax.ShapeDtypeStruct((1, *prepared(point).x_train.shape[1:]), jnp.float32)
    with nn.intercept_methods(see):
        jax.eval_shape(network(point).init, jr.key(0), x)
    cells = _cells_per_weight(point)
    return Size(
        sum(i * o for i, o, _ in found),
        sum(i * o * n for i, o, n in found) * cells,
        sum(RANK * (i + o) * n for i, o, n in found) * cells,
    )


def _cells_per_weight(point: Any) -> int:
    w = jax.ShapeDtypeStruct((8, 8), jnp.float32)
    cells = jax.eval_shape(lambda w: crossbar(point).encoding.to_cells(w, 1.0), w)
    return cells.size // w.size


def joules(
    run: Mapping[str, float], rule: str, *, steps: int, batch: int, size: Size
) -> cost.Band:
    """The energy of a training; NaN where its chip diverged.

    Products of the weights are made in arrays (without one, on a GPU), those of
    digital adapters on a GPU; moments and residuals are read and written once a step.

    Args:
        run: `pulses`, `reads`, `bits` of a run of `rivals`.
        rule: its rule.
        steps: of the training.
        batch: images per step.
        size: of the network.
    """
    if not math.isfinite(run["pulses"]):  # a chip that diverged
        return cost.Band(math.nan, math.nan, math.nan)
    images, (array, gpu) = 3 * steps * batch, _machines()
    thin = size.thin if rule in ADAPTERS or rule == "low_rank_tiki_taka" else 0
    digital = thin if rule == "digital_adapters" else 0
    work = cost.Work(
        pulses=round(run["pulses"]),
        reads=round(run["reads"]),
        macs=images * (size.macs * IN_THE_WEIGHT.get(rule, 1) + thin - digital),
        random_bits=32.0 * steps * size.weights * (rule in DRAWING),
        digital_bits=2.0 * run["bits"] * steps * size.weights,
    )
    on = gpu if rule == "ideal" else array
    beside = cost.energy(cost.Work(macs=images * digital), gpu)
    return cost.total(cost.energy(work, on)) + cost.total(beside)


@cache
def _machines() -> tuple[cost.Machine, cost.Machine]:
    """An array, and a GPU at its datasheet peak; constants are read once."""
    return cost.machine(), cost.machine(mac="gpu_h100_mac")
