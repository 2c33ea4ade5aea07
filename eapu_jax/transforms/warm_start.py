"""Tiles that are turned on one after the other, where the loss stops falling."""

import jax
import jax.numpy as jnp

from eapu_jax.transforms.several import Several

RISING, RISE = 4, 1e-4
"""So many tiles are turned on by a loss that rises by more than this (STATED)."""
WINDOW, STALLS, SLACK = 5, 2, 0.01
"""The others where of so many changes of the loss as many fall by at most this
(STATED)."""


def first_alone(w: jax.Array) -> dict[str, jax.Array]:
    """Only the first tile is awake; no loss was seen."""
    del w
    nothing = jnp.zeros((), jnp.int32)
    return {
        "awake": nothing + 1,
        "looks": nothing,
        "sum": jnp.zeros(()),
        "losses": jnp.zeros(WINDOW + 1),
    }


def followed(one: Several, every: int, tiles: int) -> Several:
    """Add the loss of an update; after so many of them wake the next tile, if due.

    What is compared are means over `every` updates, an epoch in the public code. When a
    tile wakes, they are forgotten (STATED).

    Raises:
        ValueError: if the update was not told its loss.
    """
    if one.value is None:
        raise ValueError(
            "multi_tile with a warm_start needs the loss of the step: "
            "update(updates, state, params, value=loss)"
        )
    held = one.memory
    total = held["sum"] + jnp.asarray(one.value, held["sum"].dtype)
    ends = (one.step + 1) % every == 0
    losses = jnp.append(held["losses"][1:], total / every)
    looks = held["looks"] + 1
    wakes = ends & _due(losses, looks, held["awake"]) & (held["awake"] < tiles)
    new = {
        "awake": held["awake"] + wakes.astype(jnp.int32),
        "looks": jnp.where(wakes, 0, jnp.where(ends, looks, held["looks"])),
        "sum": jnp.where(ends, 0, total),
        "losses": jnp.where(ends, losses, held["losses"]),
    }
    return one._replace(memory=held | new)


def _due(losses: jax.Array, looks: jax.Array, awake: jax.Array) -> jax.Array:
    """Whether the loss says that the tiles that are awake have done their part."""
    change = jnp.diff(losses)
    rises = (looks > 1) & (change[-1] > RISE)
    stalls = (looks > WINDOW) & (jnp.sum(change >= -SLACK) >= STALLS)
    return jnp.where(awake <= RISING, rises, stalls)
