"""Every update rule: one epoch of the digits MLP, many chips side by side."""

from typing import Any

import jax
import jax.random as jr
import optax

from benchmarks.clock import interleaved, row
from benchmarks.eapu import CROSSBAR, LEARNING_RATE, THRESHOLD, digits, init, trainer
from experiments.learning.rules import RULES, adapted, before, hardware

OTHERS = "aihwkit: 86 to 595 ms, by rule, recorded on another day"


def rows(chips: int = 64, repeats: int = 5) -> list[dict[str, Any]]:
    """CPU milliseconds of a chip-epoch: digits 64-32-10, batch 32, 45 steps."""
    xs, ys = digits(batch=32, steps=45)
    layers = init(jr.key(0), (64, 32, 10))

    def trained(rule: str):
        params = adapted(jr.key(1), rule, layers)

        def chip(key):
            optimizer = before(rule, optax.adam(LEARNING_RATE))
            tail = hardware(key, rule, CROSSBAR, THRESHOLD)
            return trainer(optax.chain(optimizer, tail), xs, ys)(params)

        return jax.jit(jax.vmap(chip))

    keys = jr.split(jr.key(2), chips)
    runs = {rule: trained(rule) for rule in RULES if rule != "ideal"}
    took = interleaved({r: lambda f=f: f(keys) for r, f in runs.items()}, repeats)
    per = {rule: 1e3 * seconds / chips for rule, seconds in took.items()}
    slowest = max(per, key=lambda rule: per[rule])
    name = f"chip-epoch, digits 64-32-10, {chips} chips vmapped"
    return [
        row(
            f"{name}: the slowest rule",
            per[slowest],
            "CPU ms",
            target="<= 5",
            note=f"{slowest}. {OTHERS}",
        ),
        *(row(f"{name}: {rule}", value, "CPU ms") for rule, value in per.items()),
    ]
