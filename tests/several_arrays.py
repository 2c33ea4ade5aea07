"""Every rule with several arrays per weight, all on one crossbar: for tests."""

import jax
import jax.numpy as jnp
import optax

import eapu_jax as ej

QUIET = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0))
THETA = 0.5 / 80  # a pulse of SoftBounds, weight units

RULES = {
    "tiki_taka": lambda c, key, **k: ej.tiki_taka(c, c, key=key, **k),
    "tiki_taka, part of the weight": lambda c, key, **k: ej.tiki_taka(
        c, c, key=key, gamma=0.3, every=3, **k
    ),
    "tiki_taka_v2": lambda c, key, **k: ej.tiki_taka_v2(
        c, c, key=key, threshold=THETA, **k
    ),
    "chopped_tiki_taka": lambda c, key, **k: ej.chopped_tiki_taka(
        c, c, key=key, threshold=THETA, **k
    ),
    "agad": lambda c, key, **k: ej.agad(c, c, key=key, threshold=THETA, reads=2, **k),
    "residual_learning": lambda c, key, **k: ej.residual_learning(c, c, key=key, **k),
    "residual_learning_v2": lambda c, key, **k: ej.residual_learning_v2(
        c, c, key=key, threshold=THETA, flip=0.5, **k
    ),
    "multi_tile": lambda c, key, **k: ej.multi_tile(
        [c] * 4, key=key, every=[4, 2, 1], **k
    ),
    "low_rank_tiki_taka": lambda c, key, **k: ej.low_rank_tiki_taka(
        c, c, rank=2, key=key, **k
    ),
    "track_symmetric_point": lambda c, key, **k: ej.track_symmetric_point(
        c, c, key=key, flip=0.5, **k
    ),
}


def followed(tx, asks, w):
    """Weights and states before the first update and after each."""

    @jax.jit
    def step(w, state, asked):
        updates, state = tx.update(asked, state, w)
        return optax.apply_updates(w, updates), state

    path = [(w, tx.init(w))]
    for asked in asks:
        path.append(step(*path[-1], jnp.asarray(asked)))
    return path


def stand(crossbar, state, path=""):
    """What every tile of a weight stands for, by name."""
    return {t: ej.array.weights(crossbar, a[path]) for t, a in state.tiles.items()}
