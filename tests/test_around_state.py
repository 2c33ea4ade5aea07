"""Training that is saved half way and goes on bit for bit, in every file format.

What a training loop holds is saved whole: weights, the optax state with its arrays,
and the typed key of the loop itself.
"""

import equinox as eqx
import flax.serialization
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest

import eapu_jax as ej

CLOSED = ej.AdditiveError(write_noise=2.0, g_min=-80.0, g_max=80.0)
SIGNED = {
    "additive error": ej.AdditiveError(write_noise=2.0),
    "wearing, of 16 levels": ej.Wearing(
        device=ej.FiniteLevels(device=CLOSED, levels=16), endurance=1e3
    ),
}
CROSSBARS = {name: ej.Crossbar(device=d, r_wg=1 / 40) for name, d in SIGNED.items()}
CROSSBARS["phase change, in pairs"] = ej.Crossbar(
    device=ej.PhaseChange(),
    encoding=ej.DifferentialPair(policy="up"),
    r_wg=ej.AbsmaxRange(window=10.0),
)
CROSSBARS["soft bounds, in pairs"] = ej.Crossbar(
    device=ej.SoftBounds(),
    encoding=ej.DifferentialPair(),
    r_wg=ej.AbsmaxRange(window=20.0, per="column"),
)


@pytest.fixture(autouse=True)
def as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


def loop(crossbar):
    """What a training loop starts with, and one step of it."""
    gate = ej.eapu(0.2, key=jr.key(1))
    array = ej.program(crossbar, key=jr.key(2), step_time=60.0)
    tx = optax.chain(optax.adam(0.05), gate, array)
    w = {"kernel": jnp.linspace(-0.4, 0.4, 64).reshape(8, 8), "bias": jnp.ones(8)}

    @jax.jit
    def step(held):
        key, w, state = held["key"], held["w"], held["state"]
        key, draw = jr.split(key)
        slopes = jax.tree.map(lambda x: x + jr.normal(draw, x.shape), w)
        updates, state = tx.update(slopes, state, w)
        return {"key": key, "w": optax.apply_updates(w, updates), "state": state}

    return {"key": jr.key(3), "w": w, "state": tx.init(w)}, step


def steps(step, held, n):
    for _ in range(n):
        held = step(held)
    return held


def is_key(x):
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def worded(held):
    """The same with typed keys as their words, for formats that know arrays only."""
    return jax.tree.map(lambda x: jr.key_data(x) if is_key(x) else x, held)


def keyed(worded, like):
    def wrap(x, leaf):
        return jr.wrap_key_data(jnp.asarray(x)) if is_key(leaf) else x

    return jax.tree.map(wrap, worded, like)


def through_orbax(held, blank, path):
    with ocp.StandardCheckpointer() as checkpoint:
        checkpoint.save(path / "folder", held)
        checkpoint.wait_until_finished()
        return checkpoint.restore(path / "folder", blank)


def through_npz(held, blank, path):
    np.savez(path / "file.npz", *jax.tree.leaves(worded(held)))
    with np.load(path / "file.npz", allow_pickle=False) as file:
        leaves = [jnp.asarray(file[name]) for name in file]
    return keyed(jax.tree.unflatten(jax.tree.structure(blank), leaves), blank)


def through_flax_bytes(held, blank, path):
    (path / "file").write_bytes(flax.serialization.to_bytes(worded(held)))
    saved = (path / "file").read_bytes()
    return keyed(flax.serialization.from_bytes(worded(blank), saved), blank)


def through_flax_dict(held, blank, path):
    del path
    saved = flax.serialization.to_state_dict(worded(held))
    return keyed(flax.serialization.from_state_dict(worded(blank), saved), blank)


def through_equinox(held, blank, path):
    eqx.tree_serialise_leaves(path / "file", worded(held))
    return keyed(eqx.tree_deserialise_leaves(path / "file", worded(blank)), blank)


WAYS = {
    "orbax": through_orbax,
    "npz": through_npz,
    "flax bytes": through_flax_bytes,
    "flax dict": through_flax_dict,
    "equinox": through_equinox,
}


@pytest.fixture(scope="module", params=CROSSBARS)
def training(request):
    with jax.numpy_dtype_promotion("standard"):
        start, step = loop(CROSSBARS[request.param])
        half = steps(step, start, 3)
        return start, step, half, steps(step, half, 3)


def assert_same_bits(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(*(jax.tree.leaves(worded(t)) for t in (a, b)), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


@pytest.mark.parametrize("way", WAYS)
def test_saved_half_way_it_goes_on_bit_for_bit(training, way, tmp_path):
    start, step, half, end = training
    restored = WAYS[way](half, start, tmp_path)
    assert_same_bits(restored, half)
    assert_same_bits(steps(step, restored, 3), end)


def test_what_is_saved_moves_the_cells_and_their_counts(training):
    start, _, half, end = training
    for a, b in ((start, half), (half, end)):
        before, after = (ej.view(x["state"])["kernel"] for x in (a, b))
        assert not np.array_equal(
            *(jax.tree.leaves(x.cells)[0] for x in (before, after))
        )
        assert after.ledger.writes.sum() > before.ledger.writes.sum()


@pytest.mark.parametrize("name", CROSSBARS)
def test_a_state_has_plain_arrays_only(name):
    start, _ = loop(CROSSBARS[name])
    for leaf in jax.tree.leaves(start["state"]):
        assert isinstance(leaf, jax.Array)
        assert not is_key(leaf)


def test_arrays_by_themselves_can_be_saved_too(tmp_path):
    crossbar, w = CROSSBARS["soft bounds, in pairs"], {"kernel": jnp.eye(8)}
    _, blank = ej.deploy(jr.key(0), crossbar, w)
    written, _ = ej.array.write(jr.key(1), crossbar, blank["kernel"], w["kernel"])
    for name, way in WAYS.items():
        (tmp_path / name).mkdir()
        restored = way({"kernel": written}, blank, tmp_path / name)
        assert_same_bits(restored, {"kernel": written})


def test_a_chip_can_be_saved_with_what_it_is_made_of(tmp_path):
    w = {"kernel": jnp.zeros((8, 8)), "bias": jnp.zeros(8)}
    spread = ej.Spread(cell_to_cell={"write_noise": 0.3}, stuck_rate=0.2)
    chip, other = (
        ej.sample_chip(jr.key(0), n, ej.Crossbar(), w, spread) for n in (0, 1)
    )
    for way in (through_orbax, through_npz, through_equinox):
        (tmp_path / way.__name__).mkdir()
        chip, other = (jax.tree.map(jnp.asarray, x) for x in (chip, other))
        assert_same_bits(way(chip, other, tmp_path / way.__name__), chip)
