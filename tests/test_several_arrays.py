"""What every rule with several arrays per weight must obey, beside `test_transforms`.

A new rule is covered by a line in RULES of `tests/several_arrays.py`.
"""

import io
from functools import cache

import chex
import flax.serialization
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from eapu_jax.ledger import value
from tests.several_arrays import QUIET, RULES, THETA, followed, stand

NOISY = ej.Crossbar(
    device=ej.SoftBounds(g_min=-120.0, g_max=120.0, write_noise=0.3, read_noise=0.5)
)
W = {"bias": jnp.ones(8), "kernel": jnp.linspace(-0.5, 0.5, 48).reshape(6, 8)}
BEST = jnp.full((6, 8), 0.1)
KEY = jr.key(0)
each = pytest.mark.parametrize("name", RULES)
QUICK = ("tiki_taka", "residual_learning_v2", "multi_tile")  # one of each machinery
most_slowly = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
        for name in RULES
    ],
)


def slopes(w):
    return {"bias": w["bias"], "kernel": w["kernel"] - BEST}


def chain(name, crossbar=NOISY, key=KEY, **others):
    return optax.chain(optax.sgd(0.05), RULES[name](crossbar, key, **others))


def step_of(tx):
    def step(w, state):
        updates, state = tx.update(slopes(w), state, w)
        return optax.apply_updates(w, updates), state

    return step


@cache
def program_of(name, crossbar="noisy"):
    """What most tests run: one program of each rule, compiled once."""
    tx = chain(name, {"noisy": NOISY, "quiet": QUIET}[crossbar])
    return tx, jax.jit(step_of(tx))


@cache
def path_of(name, crossbar="noisy"):
    """Weights and states of 60 steps down a quadratic, of 24 without noise."""
    tx, step = program_of(name, crossbar)
    path = [(W, tx.init(W))]
    for _ in range(60 if crossbar == "noisy" else 24):
        path.append(step(*path[-1]))
    return path


@cache
def bare(name, way="compiled"):
    """A quiet rule on one array of weights, and its update, compiled once."""
    tx = RULES[name](QUIET, KEY)
    return tx, jax.jit(tx.update) if way == "compiled" else tx.update


def trained(tx, steps):
    step, held = jax.jit(step_of(tx)), (W, tx.init(W))
    for _ in range(steps):
        held = step(*held)
    return held


def read_out(name, crossbar, state):
    """The weight by the sum that the docstrings state."""
    held = stand(crossbar, state, "kernel")
    memory = {n: kept["kernel"] for n, kept in state.memory.items()}
    if name == "multi_tile":
        return sum(0.5**n * held[f"tile{n}"] for n in range(4))
    if name == "low_rank_tiki_taka":
        return held["slow"] + held["down"] @ held["up"]
    gamma = {"tiki_taka, part of the weight": 0.3}
    gamma |= dict.fromkeys(
        ["residual_learning", "residual_learning_v2", "track_symmetric_point"], 0.4
    )
    fast = held["fast"] - memory.get("point", 0)
    return held["slow"] + gamma.get(name, 0.0) * memory.get("chop", 1) * fast


@most_slowly
def test_params_stay_the_read_out_and_nothing_seems_changed_from_outside(name):
    w, state = path_of(name)[60]
    np.testing.assert_allclose(
        w["kernel"], read_out(name, NOISY, state[1]), rtol=0, atol=1e-5
    )
    assert ej.totals(state)["foreign"] == 0
    assert ej.totals(state)["up"] > 0
    np.testing.assert_allclose(w["bias"], 0.95**60, rtol=1e-5)


@most_slowly
def test_eager_and_compiled_see_the_same_read_out(name):
    tx, _ = program_of(name)
    w, state = path_of(name)[9]
    _, state = tx.update(slopes(w), state, w)
    assert ej.totals(state)["foreign"] == 0


@each
def test_every_array_is_viewed_and_counted(name):
    _, state = path_of(name)[12]
    tiles = state[1].tiles
    seen = ej.view(state)
    assert set(seen) == {f"kernel@{tile}" for tile in tiles}
    assert (
        set(ej.writes_per_cell(state)) == set(seen) == set(ej.layer_update_ratio(state))
    )
    totals = ej.totals(state)
    for kind in ("up", "down", "reads", "written"):
        by_hand = sum(value(getattr(a["kernel"].ledger, kind)) for a in tiles.values())
        assert totals[kind] == by_hand
    cells = sum(a["kernel"].ledger.writes.size for a in tiles.values())
    written = totals["written"] / cells
    np.testing.assert_allclose(ej.update_ratio(state), written, rtol=1e-6)
    pulses = (totals["up"] + totals["down"]) / cells
    np.testing.assert_allclose(ej.pulses_per_cell(state), pulses, rtol=1e-6)
    assert 0 < written <= 1
    assert ej.lifetime_factor(ej.writes_per_cell(state), 12) > 0


READS = {
    "tiki_taka, part of the weight": 12 // 3,
    "multi_tile": 12 // 4 + 12 // 2 + 12,
    "low_rank_tiki_taka": 2 * 12,
}


@each
def test_every_read_of_a_transfer_is_counted(name):
    _, state = path_of(name)[12]
    assert ej.totals(state)["reads"] == READS.get(name, 12)


@each
def test_writes_of_cells_add_up_to_those_of_the_updates(name):
    path = [state for _, state in path_of(name)]
    written = sum(ej.totals(state)["written"] for state in path)
    assert written == sum(int(n.sum()) for n in ej.writes_per_cell(path[-1]).values())


@most_slowly
@pytest.mark.parametrize("way", ["eager", "compiled"])
def test_what_is_changed_from_outside_is_asked_of_the_slow_array(name, way):
    """Counted, written, and never reverted; by the tile that carries the weight."""
    (tx, update), w = bare(name, way), W["kernel"]
    slow = "tile0" if name == "multi_tile" else "slow"
    state, changed, nothing = tx.init(w), w.at[2, 3].add(0.25), jnp.zeros_like(w)
    updates, after = update(nothing, state, changed)
    np.testing.assert_allclose(updates, 0, atol=1e-6)
    assert ej.totals(after)["foreign"] == ej.totals(after)["written"] == 1
    was, now = (stand(QUIET, s)[slow][2, 3] for s in (state, after))
    np.testing.assert_allclose(now - was, 0.25, rtol=1e-5)
    _, again = update(nothing, after, changed)
    assert ej.totals(again)["foreign"] == 1


def test_what_is_changed_on_one_chip_of_many_is_asked_there_alone():
    def chip(w, changed):
        tx = RULES["tiki_taka"](QUIET, KEY)
        return tx.update(jnp.zeros_like(w), tx.init(w), changed)

    many = jnp.stack([W["kernel"]] * 3)
    changed = many.at[1, 2, 3].add(0.25)
    for run in (jax.vmap(chip), jax.jit(jax.vmap(chip))):
        updates, state = run(many, changed)
        np.testing.assert_allclose(updates, 0, atol=1e-6)
        assert state.tiles["slow"][""].ledger.foreign[:, 1].tolist() == [0, 1, 0]


@most_slowly
def test_what_sends_no_pulse_stays_in_the_weights_and_is_asked_again(name):
    coarse = ej.Crossbar(device=ej.SoftBounds(pulse=8.0, write_noise=0.0))
    tx, w = RULES[name](coarse, KEY), W["kernel"]
    state, update = tx.init(w), jax.jit(tx.update)
    changed = w.at[2, 3].add(0.04)  # a pulse is 0.1
    for n in range(1, 4):
        updates, state = update(jnp.zeros_like(w), state, changed)
        np.testing.assert_allclose(updates, 0, atol=1e-6)
        assert ej.totals(state)["foreign"] == n
        assert ej.totals(state)["written"] == 0
    updates, state = update(jnp.zeros_like(w), state, w.at[2, 3].add(0.06))
    assert ej.totals(state)["written"] == 1
    assert updates[2, 3] > 0.02  # a whole pulse of it


@most_slowly
def test_chip_17_alone_is_chip_17_among_many(name):
    keys = jr.split(jr.key(3), 20)

    def chip(key):
        def step(held, _):
            w, state = held
            updates, state = tx.update(slopes(w), state, w)
            return (optax.apply_updates(w, updates), state), None

        tx = chain(name, key=key)
        w, state = jax.lax.scan(step, (W, tx.init(W)), length=5)[0]
        return w["kernel"], ej.writes_per_cell(state)

    together, writes = jax.jit(jax.vmap(chip))(keys)
    alone, counts = jax.jit(chip)(keys[17])
    np.testing.assert_allclose(together[17], alone, atol=1e-6)
    for path, n in counts.items():
        np.testing.assert_array_equal(writes[path][17], n)
    assert any(not np.array_equal(n[17], n[16]) for n in writes.values())


@most_slowly
def test_buffers_may_be_donated_and_the_key_lives_on(name):
    key = jr.key(5)
    tx, w = chain(name, key=key), jax.tree.map(jnp.array, W)
    give, held = jax.jit(step_of(tx), donate_argnums=(0, 1)), (w, tx.init(w))
    for _ in range(2):
        held = give(*held)
    assert np.all(np.isfinite(held[0]["kernel"]))
    jr.normal(key)


@most_slowly
@pytest.mark.parametrize("way", ["flax", "npz"])
def test_saved_half_way_it_goes_on_bit_for_bit(name, way):
    path, (_, step) = path_of(name), program_of(name)
    blank, half = path[0], path[20]
    if way == "flax":
        back = flax.serialization.from_bytes(blank, flax.serialization.to_bytes(half))
    else:
        file = io.BytesIO()
        np.savez(file, *jax.tree.leaves(half))
        file.seek(0)
        with np.load(file, allow_pickle=False) as saved:
            leaves = [jnp.asarray(saved[n]) for n in saved]
        back = jax.tree.unflatten(jax.tree.structure(blank), leaves)
    for _ in range(4):
        back = step(*back)
    chex.assert_trees_all_equal(back, path[24])


@each
def test_a_state_has_plain_arrays_only(name):
    leaves = jax.tree.leaves(chain(name).init(W))
    assert all(isinstance(x, jax.Array) for x in leaves)
    assert not any(jnp.issubdtype(x.dtype, jax.dtypes.prng_key) for x in leaves)


@most_slowly
def test_time_passes_for_the_arrays_that_leak(name):
    leaking = ej.Crossbar(
        device=ej.ExponentialRetention(device=QUIET.device, time_constant=1.0)
    )
    w, tx = W["kernel"], RULES[name](leaking, KEY, step_time=1.0)
    updates, _ = jax.jit(tx.update)(jnp.zeros_like(w), tx.init(w), w)
    np.testing.assert_allclose(w + updates, w / np.e, atol=1e-5)


@most_slowly
def test_arrays_of_every_encoding_serve(name):
    """Pairs, a reference column, copies; constants cell by cell; a scale by column."""
    sizes = 0.5 + 0.1 * jr.uniform(jr.key(1), (6, 8))
    device = ej.AdditiveError(write_noise=0.0)
    pairs = ej.Redundant(within=ej.DifferentialPair(policy="both"))
    for encoding in (pairs, ej.OffsetColumn()):
        crossbar = ej.Crossbar(device=device, encoding=encoding)
        w, state = trained(chain(name, crossbar), 7)
        ideal, _ = path_of(name, "quiet")[7]
        np.testing.assert_allclose(w["kernel"], ideal["kernel"], atol=1e-4)
        assert ej.totals(state)["foreign"] == 0
    if name == "low_rank_tiki_taka":
        return  # its arrays have two shapes
    device = ej.SoftBounds(pulse=sizes, g_min=-120.0, g_max=120.0)
    column = ej.AbsmaxRange(window=80.0, per="column")
    crossbar = ej.Crossbar(device=device, r_wg=column)
    _, state = trained(chain(name, crossbar), 7)
    assert ej.totals(state)["foreign"] == 0


@most_slowly
@pytest.mark.parametrize(
    "shape",
    [(2, 4, 3), *(pytest.param(s, marks=pytest.mark.slow) for s in [(5,), (1, 4)])],
)
def test_weights_of_any_shape_have_lines(name, shape):
    if name == "low_rank_tiki_taka" and (len(shape) < 2 or 1 in shape):
        pytest.skip("has no two axes of its rank")
    everywhere = lambda path, shape: "array"  # noqa: E731
    tx, w = RULES[name](NOISY, KEY, place=everywhere), jnp.full(shape, 0.3)
    path = followed(tx, [jnp.full(shape, -0.05)] * 6, w)
    assert np.all(np.isfinite(path[-1][0]))
    assert ej.totals(path[-1][1])["foreign"] == 0


@each
def test_crossbars_may_differ_from_layer_to_layer(name):
    if name == "multi_tile":
        rule = lambda c: ej.multi_tile([c, c], key=KEY)  # noqa: E731
    else:
        rule = lambda c: RULES[name](c, KEY)  # noqa: E731
    w = {"a": jnp.full((4, 4), 0.2), "b": jnp.full((4, 4), 0.2)}
    half = ej.Crossbar(device=QUIET.device, r_wg=1 / 40)
    state = rule({"a": QUIET, "b": half}).init(w)
    slow = state.tiles["tile0" if name == "multi_tile" else "slow"]
    assert (slow["a"].cells.g[0, 0], slow["b"].cells.g[0, 0]) == (16, 8)


@each
def test_it_is_the_last_link_and_the_only_one_that_writes(name):
    rule, w = RULES[name](QUIET, KEY), W
    for other in (RULES[name](QUIET, KEY), ej.program(QUIET, key=KEY)):
        for tx in (optax.chain(other, rule), optax.chain(rule, other)):
            with pytest.raises(ValueError, match="before `program`"):
                tx.update(slopes(w), tx.init(w), w)
    gated = optax.chain(rule, ej.eapu(0.1, key=KEY))
    with pytest.raises(ValueError, match="eapu must come before"):
        gated.update(slopes(w), gated.init(w), w)
    before = optax.chain(ej.eapu(0.1, key=KEY), rule)
    before.update(slopes(w), before.init(w), w)


@each
def test_params_are_needed_and_fit(name):
    tx = RULES[name](QUIET, KEY)
    state = tx.init(W)
    with pytest.raises(ValueError, match="writes on top of params: pass params"):
        tx.update(slopes(W), state)
    with pytest.raises(ValueError, match="params must have the structure"):
        tx.update(slopes(W), state, {"kernel": W["kernel"]})
    with pytest.raises(ValueError, match=r"params must have the shape \(6, 8\)"):
        tx.update(slopes(W), state, W | {"kernel": jnp.ones((5, 8))})


@most_slowly
def test_a_diverged_weight_shows_and_its_neighbours_go_on(name):
    (tx, update), w = bare(name), W["kernel"]
    asked, state = jnp.full_like(w, 0.01).at[0, 0].set(jnp.nan), tx.init(W["kernel"])
    for _ in range(25):
        updates, state = update(asked, state, w)
        w = optax.apply_updates(w, updates)
    found = np.isnan(w)
    assert found[0, 0]
    if name != "low_rank_tiki_taka":  # a product spreads it
        assert found.sum() == 1


@pytest.mark.parametrize("name", ["tiki_taka", "multi_tile"])
def test_rules_and_programs_in_one_state_are_counted_together(name):
    tx = optax.partition(
        {"rule": RULES[name](QUIET, KEY), "program": ej.program(QUIET, key=KEY)},
        {"a": "rule", "b": "program"},
    )
    w = {"a": jnp.zeros((4, 4)), "b": jnp.zeros((4, 4))}
    _, state = tx.update(jax.tree.map(lambda x: x + 0.1, w), tx.init(w), w)
    assert {path.partition("@")[0] for path in ej.view(state)} == {"a", "b"}
    assert "b" in ej.view(state)  # a single array keeps its key
    assert ej.totals(state)["up"] > 16


def test_twice_the_same_path_is_refused():
    rule = ej.tiki_taka(QUIET, QUIET, key=KEY)
    state = rule.init(W["kernel"]), rule.init(W["kernel"])
    with pytest.raises(ValueError, match="'@fast'"):
        ej.view(state)


def test_without_choppers_and_gamma_the_chopped_rule_is_the_buffered_one():
    how = {"threshold": THETA, "key": KEY}
    a = trained(ej.tiki_taka_v2(QUIET, QUIET, **how), 20)[0]
    b = trained(ej.chopped_tiki_taka(QUIET, QUIET, flip=0.0, **how), 20)[0]
    chex.assert_trees_all_close(a, b, atol=1e-6)
