"""Tiles wake one after the other, when the loss says so, and never sleep again.

The oracle goes over the losses in plain Python, epoch by epoch, as the public code of
arXiv 2510.02516 is read.
"""

from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from eapu_jax.ledger import value
from tests.several_arrays import QUIET, stand

TILES, EVERY, STEPS = 7, 3, 120
KEY, W = jr.key(0), jnp.linspace(-0.4, 0.4, 12).reshape(4, 3)
NOISY = ej.Crossbar(device=ej.SoftBounds(pulse=0.5, write_noise=0.3, read_noise=0.5))


def rule(crossbar=QUIET, tiles=TILES, **how):
    given = {"every": [8, 4, 4, 2, 2, 1][-(tiles - 1) :], "warm_start": EVERY} | how
    return ej.multi_tile([crossbar] * tiles, key=KEY, **given)


def followed(losses, crossbar=QUIET, tiles=TILES, dw=0.02):
    """Tiles awake after every update, and writes of every tile."""
    tx = rule(crossbar, tiles)

    def step(held, loss):
        w, state = held
        asked = jnp.full_like(w, dw)
        updates, state = tx.update(asked, state, w, value=loss)
        writes = [a[""].ledger.writes.sum() for a in state.tiles.values()]
        held = optax.apply_updates(w, updates), state
        return held, (state.memory["awake"][""], jnp.stack(writes))

    (w, state), seen = jax.lax.scan(step, (W, tx.init(W)), losses)
    return seen, w, state


KINDS = {"quiet": (QUIET, TILES), "noisy": (NOISY, 3)}


@cache
def program(kind):
    return jax.jit(jax.vmap(lambda losses: followed(losses, *KINDS[kind])))


def curves():
    """Losses of several kinds: noise, a slow fall, a fast fall, steps, divergence."""
    rng, t = np.random.default_rng(0), np.arange(STEPS)
    noise = rng.normal(size=(4, STEPS))
    return np.stack(
        [
            1 + noise[0],
            2 - 0.001 * t + 0.0001 * noise[1],
            5 - 0.04 * t,
            3 - 0.02 * t + 0.05 * noise[2],
            np.where(t < 60, 2 - 0.02 * t, 0.8 + 0.02 * noise[3]),
            np.where(t < 30, 1 + noise[0], np.nan),
        ]
    ).astype(np.float32)


def by_hand(losses):
    """Tiles awake after every update."""
    awake, history, found = 1, [], []
    for n, epoch in enumerate(losses.reshape(-1, EVERY)):
        found += [awake] * (EVERY - 1)
        history.append(float(epoch.mean()))
        if awake <= 4:
            due = len(history) > 1 and history[-1] - history[-2] > 1e-4
        else:
            last = np.diff(history[-6:])
            due = len(history) > 5 and sum(d >= -0.01 for d in last) >= 2
        if due and awake < TILES:
            awake, history = awake + 1, []
        found.append(awake)
        assert len(found) == EVERY * (n + 1)
    return found


def test_tiles_wake_when_the_loss_says_so_on_every_chip_by_itself():
    (awake, _), _, _ = program("quiet")(curves())
    expected = np.array([by_hand(one) for one in curves()])
    np.testing.assert_array_equal(awake, expected)
    assert (np.diff(awake) >= 0).all()
    ends = set(awake[:, -1].tolist())
    assert {1, TILES} <= ends
    assert len(ends) > 2  # the curves tell the chips apart


@pytest.mark.parametrize("kind", KINDS)
def test_a_tile_that_sleeps_is_never_written(kind):
    (awake, writes), _, _ = program(kind)(curves())
    before = np.concatenate([np.ones_like(awake[:, :1]), awake[:, :-1]], 1)
    tiles = np.arange(KINDS[kind][1])
    sleeps = tiles >= before[..., None]
    assert not writes[sleeps].any()
    finest = tiles == before[..., None] - 1
    grown = np.diff(writes.astype(int), axis=1, prepend=0)
    assert (grown[finest] > 0).mean() > 0.5  # rounded to whole pulses at random
    assert (grown[finest] > 0).all() or kind == "noisy"


def test_the_last_tile_awake_gets_the_updates_and_hands_them_on():
    """In plain NumPy, from the tiles awake."""
    losses = curves()[0]
    tx, w = rule(every=1, rate=0.1, tiles=3), W
    held, awake = np.stack([W, 0 * W, 0 * W]), by_hand(losses)
    state, update = tx.init(w), jax.jit(tx.update)
    for t in range(40):
        dw = 0.03 * np.cos(t + np.arange(12.0)).reshape(4, 3)
        updates, state = update(jnp.float32(dw), state, w, value=losses[t])
        w, now = w + updates, min(awake[t - 1] if t else 1, 3)
        held[now - 1] += dw
        for n in reversed(range(now - 1)):
            held[n, t % 4] += 0.1 * held[n + 1, t % 4]
        for n in range(3):
            found = stand(QUIET, state)[f"tile{n}"]
            np.testing.assert_allclose(found, held[n], atol=2e-5)
        expected = held[0] + held[1] / 2 + held[2] / 4
        np.testing.assert_allclose(w, expected, atol=2e-5)
    assert now == 3
    assert ej.totals(state)["foreign"] == 0


def test_reads_of_sleeping_tiles_are_not_counted():
    falls = jnp.linspace(5.0, 1.0, 12)  # nothing wakes
    _, _, state = jax.jit(lambda losses: followed(losses, tiles=3))(falls)
    assert [value(a[""].ledger.reads) for a in state.tiles.values()] == [0] * 3


def test_without_a_warm_start_the_loss_changes_nothing():
    tx = ej.multi_tile([NOISY] * 2, key=KEY)
    state, asked = tx.init(W), jnp.full_like(W, 0.02)
    told, untold = tx.update(asked, state, W, value=3.0), tx.update(asked, state, W)
    jax.tree.map(np.testing.assert_array_equal, told, untold)


def test_a_chain_hands_the_loss_on_and_a_missing_one_is_named():
    tx = optax.chain(optax.sgd(0.1), rule(tiles=3))
    state = tx.init(W)
    _, after = tx.update(W, state, W, value=2.0)
    assert float(after[1].memory["sum"][""]) == 2.0
    with pytest.raises(ValueError, match="needs the loss of the step"):
        tx.update(W, state, W)


@pytest.mark.parametrize(
    ("bad", "words"), [(0, ">= 1, got 0"), (1.5, "a whole number"), ("3", "number")]
)
def test_the_time_between_looks_is_a_count(bad, words):
    with pytest.raises(ValueError, match=f"warm_start must be .*{words}"):
        rule(warm_start=bad)
