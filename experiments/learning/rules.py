"""Every update rule by name: what stands between the optimizer and the weights."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import jax
import jax.random as jr
import optax
from jaxtyping import Array, Key

import eapu_jax as ej
from eapu_jax.placement import Place


class Bench(NamedTuple):
    """What a rule is built on.

    Attributes:
        key: random draws of the rule.
        key_write: random draws of the writes of a single array.
        crossbar: of all layers, or a tree of them like the weights.
        threshold: smallest request that is worth a write, weight units.
        strength: the rule's own number, in units of its usual value.
        place: which leaves live on an array.
    """

    key: Key[Array, ""]
    key_write: Key[Array, ""]
    crossbar: Any
    threshold: jax.Array | float
    strength: jax.Array | float
    place: Place | None

    @property
    def step(self) -> Any:
        """The step of a rule that gates updates, weight units."""
        return self.threshold * self.strength

    @property
    def both(self) -> tuple[Any, Any]:
        """A fast and a slow array, made alike."""
        return self.crossbar, self.crossbar

    @property
    def transfers(self) -> dict[str, Any]:
        """What rules take that move one array to another."""
        return {"key": self.key, "place": self.place, "rate": self.strength}

    @property
    def buffered(self) -> dict[str, Any]:
        """The same, with a digital buffer between the arrays."""
        return self.transfers | {"threshold": self.threshold}

    def program(self) -> optax.GradientTransformationExtraArgs:
        """The write of a single array."""
        return ej.program(self.crossbar, key=self.key_write, place=self.place)

    def held(self) -> optax.GradientTransformation:
        """An array that is never written."""
        return optax.chain(optax.set_to_zero(), self.program())


RANK = 4
"""Of low-rank adapters and arrays: below the smallest side of our networks."""
TILES = 4
"""Of multi-tile residual learning; published networks have 7 and 8."""
TRAIN = 5
"""Slots of a pulse train (STATED in public code, see `eapu_jax.pulse_train`)."""
BITS = 3
"""Of the residual of `eapu_residual`."""
COUNTS = 8
"""Of a hidden integer, that are worth a level of the array."""

GATES: dict[str, Callable[[Bench], optax.GradientTransformation]] = {
    "noisy": lambda on: ej.write_all(),
    "eapu": lambda on: ej.eapu(on.step, key=on.key, place=on.place),
    "eapu_residual": lambda on: ej.eapu_residual(
        on.step, BITS, key=on.key, place=on.place
    ),
    "drop_below": lambda on: ej.drop_below(on.step, place=on.place),
    "lift_above": lambda on: ej.lift_above(on.step, place=on.place),
    "manhattan": lambda on: ej.manhattan(on.step, place=on.place),
    "sign_threshold": lambda on: ej.sign_threshold(on.step, place=on.place),
    "stochastic_rounding": lambda on: ej.stochastic_rounding(
        on.step, key=on.key, place=on.place
    ),
    "stochastic_sparse": lambda on: ej.stochastic_sparse(
        on.step, key=on.key, place=on.place
    ),
    "pulse_train": lambda on: ej.pulse_train(
        on.step, TRAIN, key=on.key, place=on.place
    ),
    "mixed_precision": lambda on: ej.mixed_precision(on.step, place=on.place),
    "hidden_integer": lambda on: ej.hidden_integer(
        on.step / COUNTS, 2**16, 10, per_level=COUNTS, key=on.key, place=on.place
    ),
}
"""What decides which cells of a single array are written."""

SEVERAL: dict[str, Callable[[Bench], optax.GradientTransformationExtraArgs]] = {
    "tiki_taka": lambda on: ej.tiki_taka(*on.both, **on.transfers),
    "tiki_taka_v2": lambda on: ej.tiki_taka_v2(*on.both, **on.buffered),
    "chopped_tiki_taka": lambda on: ej.chopped_tiki_taka(*on.both, **on.buffered),
    "agad": lambda on: ej.agad(*on.both, **on.buffered),
    "residual_learning": lambda on: ej.residual_learning(*on.both, **on.transfers),
    "residual_learning_v2": lambda on: ej.residual_learning_v2(*on.both, **on.buffered),
    "track_symmetric_point": lambda on: ej.track_symmetric_point(
        *on.both, **on.transfers
    ),
    "low_rank_tiki_taka": lambda on: ej.low_rank_tiki_taka(
        *on.both, rank=RANK, **on.transfers
    ),
    "multi_tile": lambda on: ej.multi_tile(
        [on.crossbar] * TILES, key=on.key, place=on.place, rate=0.1 * on.strength
    ),
}
"""Rules with several arrays per weight."""

ADAPTERS: dict[str, Callable[[Bench], optax.GradientTransformation]] = {
    "digital_adapters": lambda on: optax.identity(),
    "eapu_adapters": lambda on: optax.chain(
        ej.eapu(on.step, key=on.key), ej.program(on.crossbar, key=jr.fold_in(on.key, 2))
    ),
}
"""What moves the adapters beside arrays that stay as they are."""

RULES = ("ideal", *GATES, *SEVERAL, *ADAPTERS)

Make = Callable[[Bench], optax.GradientTransformation]


def hardware(
    key: Key[Array, ""],
    rule: str,
    crossbar: Any,
    threshold: jax.Array | float,
    *,
    strength: jax.Array | float = 1.0,
    place: Place | None = None,
    own: Mapping[str, Make] | None = None,
) -> optax.GradientTransformationExtraArgs:
    """What stands between the optimizer and the weights under `rule`.

    Args:
        key: random draws of the rule and of the writes.
        rule: "ideal" (nothing is written); one of `GATES`, among them "noisy" (every
            update is written), "eapu" and the authors' deterministic ablations
            "drop_below" and "lift_above"; of `SEVERAL`; or of `ADAPTERS`, for
            weights that `adapted` has prepared.
        crossbar: of all layers, or a tree of them like the weights; several arrays of
            one weight are made alike.
        threshold: ΔW_th in units of the weights: what rules with a step take for it.
        strength: the rule's own number in units of its usual value: of the step, or
            of the rate of transfer between several arrays.
        place: which leaves live on an array; `eapu_jax.place` when None.
        own: rule -> how to make it, with other numbers than those here.

    Returns:
        The tail of the chain.

    Raises:
        ValueError: if `rule` is unknown, or the device cannot carry it.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {RULES}, got {rule!r}")
    if rule in ADAPTERS and place is not None:
        raise ValueError(
            f"rule = {rule!r} puts adapters beside all arrays: it goes with no digital "
            f"layers and no place of one's own, got {place!r}"
        )
    if rule == "ideal":
        return optax.with_extra_args_support(optax.identity())
    key_rule, key_write = jr.split(key)
    on = Bench(key_rule, key_write, crossbar, threshold, strength, place)
    make = {**GATES, **SEVERAL, **ADAPTERS, **(own or {})}[rule]
    if rule in SEVERAL:
        return optax.with_extra_args_support(make(on))
    if rule in GATES:
        return optax.chain(make(on), on.program())
    parts: dict[Hashable, optax.GradientTransformation] = {
        "frozen": on.held(),
        "adapter": make(on),
        "digital": optax.identity(),
    }
    return optax.partition(parts, ej.adapter_labels)


def adapted(key: Key[Array, ""], rule: str, params: Any) -> Any:
    """The weights that a rule starts from: with adapters where it moves these."""
    return ej.adapt(key, params, RANK) if rule in ADAPTERS else params


def before(
    rule: str, optimizer: optax.GradientTransformation
) -> optax.GradientTransformation:
    """The optimizer before a rule: it keeps nothing for arrays that are frozen."""
    if rule not in ADAPTERS:
        return optimizer
    parts: dict[Hashable, Any] = dict.fromkeys(("adapter", "digital"), optimizer)
    return optax.partition(parts | {"frozen": optax.set_to_zero()}, ej.adapter_labels)
