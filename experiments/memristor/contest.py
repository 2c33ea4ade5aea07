"""Which rules meet on which devices, and how they are tuned."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from flax import linen as nn

from eapu_jax import cost
from experiments.learning.rules import ADAPTERS, SEVERAL, adapted, hardware
from experiments.memristor.training import PRESETS, network, prepared

NAMES = {
    "ideal": "digital, no array",
    "noisy": "noisy backpropagation",
    "eapu": "EaPU",
    "eapu_residual": "EaPU, 3-bit residual",
    "drop_below": "deterministic threshold, small updates dropped",
    "lift_above": "deterministic threshold, small updates lifted",
    "manhattan": "Manhattan",
    "sign_threshold": "sign above a threshold (STELLAR-like)",
    "stochastic_rounding": "stochastic rounding",
    "stochastic_sparse": "stochastic sparse momentum",
    "pulse_train": "stochastic pulse trains",
    "mixed_precision": "mixed precision, digital residual",
    "hidden_integer": "hidden integer",
    "tiki_taka": "Tiki-Taka",
    "tiki_taka_v2": "Tiki-Taka v2",
    "chopped_tiki_taka": "chopped Tiki-Taka (c-TTv2)",
    "agad": "AGAD",
    "residual_learning": "residual learning",
    "residual_learning_v2": "residual learning v2",
    "track_symmetric_point": "symmetric-point tracking",
    "low_rank_tiki_taka": "low-rank Tiki-Taka",
    "multi_tile": "multi-tile residual learning",
    "digital_adapters": "frozen array, digital adapters",
    "eapu_adapters": "frozen array, EaPU on adapters",
}
"""What a reader calls a rule. MADEM, a rival in the paper, is UNIDENTIFIED: none of
these is it, and none is called so."""

SGD = (*SEVERAL, "digital_adapters")
"""Rules that the literature trains with SGD: no digital moments beside the arrays.
Every other has Adam before it; so has EaPU in the paper."""


def carried(device: str, rules: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the rules that a device can carry."""
    return tuple(rule for rule in rules if refusal(device, rule) is None)


def refusal(device: str, rule: str) -> str | None:
    """Why a device cannot carry a rule, in the words of the rule; None: it can."""
    try:
        tail = hardware(jr.key(0), rule, PRESETS[device], jnp.float32(1.0))
        params = adapted(jr.key(0), rule, {"kernel": jnp.zeros((8, 8))})
        jax.eval_shape(tail.init, params)
    except ValueError as error:
        return str(error)
    return None


DRAWING = (
    *("eapu", "eapu_residual", "stochastic_rounding", "stochastic_sparse"),
    *("pulse_train", "hidden_integer", "eapu_adapters"),
)
"""Rules that draw a word for every weight and step (DERIVED from how ours do)."""


def machine(rule: str) -> cost.Machine:
    """Where a rule computes its products: in an array, or without one on a GPU."""
    return cost.machine(mac="gpu_h100_mac") if rule == "ideal" else cost.machine()


class Size(NamedTuple):
    """How large a network is.

    Attributes:
        weights: in matrices.
        macs: multiplications of one image, forwards.
    """

    weights: int
    macs: int


def work(
    run: Mapping[str, float], rule: str, *, steps: int, batch: int, size: Size
) -> cost.Work:
    """What the training of one chip took.

    Args:
        run: `pulses`, `reads`, `bits` of a run of `rivals`.
        rule: its rule.
        steps: of the training.
        batch: images per step.
        size: of the network.
    """
    return cost.Work(
        pulses=round(run["pulses"]),
        reads=round(run["reads"]),
        macs=3 * steps * batch * size.macs,
        random_bits=32.0 * steps * size.weights * (rule in DRAWING),
        digital_bits=2.0 * run["bits"] * steps * size.weights,
    )


def size(point: Any) -> Size:
    """Count weights and multiplications of the network of a point."""
    found = []

    def see(call, args, kwargs, context):
        y = call(*args, **kwargs)
        if isinstance(context.module, nn.Dense):
            inputs, outputs = args[0].shape[-1], y.shape[-1]
            found.append((inputs * outputs, args[0].size * outputs))
        return y

    x = jax.ShapeDtypeStruct((1, *prepared(point).x_train.shape[1:]), jnp.float32)
    with nn.intercept_methods(see):
        jax.eval_shape(network(point).init, jr.key(0), x)
    return Size(*(sum(column) for column in zip(*found, strict=True)))


ENTRANTS = tuple(NAMES)


def kind(rule: str) -> str:
    """The camp of a rule: "digital", "gate", "residual", "several", "adapters"."""
    if rule == "ideal":
        return "digital"
    if rule in SEVERAL:
        return "several"
    if rule in ADAPTERS:
        return "adapters"
    return "residual" if rule in RESIDUAL else "gate"


RESIDUAL = ("mixed_precision", "eapu_residual", "hidden_integer")
"""Rules that keep digitally what they have not yet written."""
