"""Cells that are set to loaded weights are fresh cells, each with draws of its own."""

import jax
import jax.numpy as jnp
import numpy as np

import eapu_jax as ej


def test_chips_and_steps_draw_the_fresh_cells_of_their_own():
    wearing = ej.Wearing(device=ej.AdditiveError(), endurance=1e6)
    crossbar = ej.Crossbar(device=wearing)
    w = {"kernel": jnp.zeros((4, 4))}

    def lives(key):
        tx = ej.program(crossbar, key=key, foreign="set")
        loaded = {"kernel": w["kernel"] + 0.5}
        _, state = tx.update({"kernel": jnp.zeros((4, 4))}, tx.init(w), loaded)
        cells = ej.view(state)["kernel"].cells
        return [np.asarray(x) for x in jax.tree.leaves(cells) if x.dtype == jnp.float32]

    a, b = lives(jax.random.key(0)), lives(jax.random.key(1))
    assert any(not np.array_equal(x, y) for x, y in zip(a, b, strict=True))
