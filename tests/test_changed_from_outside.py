"""A weight changed from outside is found wherever it lies, whatever has diverged."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import eapu_jax as ej
from eapu_jax.transforms import few

EXACT = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0), r_wg=1 / 80)
SHAPE = (90, 61)  # as many cells as pay for the few to be written by themselves
SIZE = 90 * 61


def test_wherever_in_a_large_array_it_lies():
    """Nothing is asked: the arrays are looked through in parts, and a rest."""
    w = 0.2 * jr.normal(jr.key(0), SHAPE)
    tx = ej.program(EXACT, key=jr.key(1))
    state, nothing = tx.init(w), jnp.zeros(SHAPE)

    @jax.jit
    def later(place):
        changed = w.ravel().at[place].add(1e-3).reshape(SHAPE)
        return tx.update(nothing, state, changed)[1]

    places = [*range(0, SIZE, SIZE // 24), SIZE - 1]
    found = [ej.totals(later(place))["foreign"] for place in places]
    assert found == [1] * len(places)


@pytest.mark.parametrize("way", ["few", "all"])
def test_what_has_diverged_does_not_widen_what_passes_for_rounding(way, monkeypatch):
    """Weights of a thousandth: a change by the rounding of 1 is no rounding of theirs.

    What diverged is found with the change and without.
    """
    if way == "all":
        monkeypatch.setattr(few, "pays", lambda *_: False)
    w = 1e-3 * jr.uniform(jr.key(0), SHAPE)
    tx = ej.program(EXACT, key=jr.key(1))
    asked = jnp.zeros(SHAPE).at[3, 5].set(jnp.nan)
    update = jax.jit(tx.update)
    moves, state = update(asked, tx.init(w), w)
    assert np.isnan(moves).sum() == 1
    changed = w.at[80, 60].add(float(jnp.finfo(jnp.float32).eps))
    before = ej.totals(update(jnp.zeros(SHAPE), state, w)[1])["foreign"]
    after = ej.totals(update(jnp.zeros(SHAPE), state, changed)[1])["foreign"]
    assert after - before == 1


def test_cells_of_a_large_array_are_set_without_a_pulse():
    w = 0.2 * jr.normal(jr.key(0), SHAPE)
    tx = ej.program(ej.Crossbar(), key=jr.key(1), foreign="set")
    loaded = w.at[80, 60].set(0.5)
    moves, state = jax.jit(tx.update)(jnp.zeros(SHAPE), tx.init(w), loaded)
    assert (ej.totals(state)["foreign"], ej.totals(state)["written"]) == (1, 0)
    assert not moves.any()
    np.testing.assert_allclose(ej.view(state)[""].cells.g, 80 * loaded, rtol=1e-5)
