"""What the ledgers of a training say, and the memory beside its arrays."""

from typing import Any

import jax
import jax.numpy as jnp

import eapu_jax as ej
from eapu_jax import ledger
from eapu_jax.placement import Place, on_array
from experiments.learning.curves import Counts


def written(
    rule: str, params: Any, wear: Any, place: Place | None
) -> tuple[list[jax.Array], jax.Array]:
    """Writes of every cell, and the fraction written in the last step, by array."""
    if rule == "ideal":
        layers = list(on_array(params, place).values())
        return [jnp.zeros(w.shape, jnp.uint32) for w in layers], jnp.zeros(len(layers))
    ratios = list(ej.layer_update_ratio(wear).values())
    return list(ej.writes_per_cell(wear).values()), jnp.stack([*ratios, jnp.zeros(())])[
        :-1
    ]


def counted(rule: str, params: Any, state: Any, place: Place | None) -> Counts:
    """The counts of a training, from the states of optimizer and rule at its end."""
    arrays = {} if rule == "ideal" else ej.view(state)
    memory = (0.0, 0.0)
    if on_array(params, place):
        memory = ej.digital_words(state, params, place=place)

    def total(name: str, each: Any) -> jax.Array:
        every = [
            ledger.ratio(getattr(one.ledger, name), 1) * each(path, one.ledger.writes)
            for path, one in arrays.items()
        ]
        return sum(every, jnp.zeros(()))

    once: Any = lambda path, cells: 1.0  # noqa: E731
    up, down = total("up", once), total("down", once)
    return Counts(up, down, total("reads", _read_at_once), *memory)


def _read_at_once(path: str, cells: jax.Array) -> float:
    """Cells in a read: of several arrays per weight it is one line."""
    return float(cells.shape[-1] if "@" in path else cells.size)
