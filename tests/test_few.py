"""Cells written by themselves become what they become among all that are written."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from eapu_jax import devices
from eapu_jax.transforms import few
from tests import haste

WINDOW = {"g_min": -40.0, "g_max": 40.0}
NOISY = devices.AdditiveError(write_noise=2.0, **WINDOW)
DEVICES = {
    "soft bounds": devices.SoftBounds(**WINDOW),
    "switching": devices.StochasticSwitching(**WINDOW, levels=41),
    "levels": devices.FiniteLevels(device=NOISY, levels=33),
    "wearing": devices.Wearing(device=NOISY, endurance=2.0),
    "linear": devices.LinearStep(**WINDOW),
}
QUICK = ("wearing",)  # a state beside the conductance
FAST = [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
        for name in DEVICES]  # fmt: skip
PARAMS = {
    "a": 0.2 * jr.normal(jr.key(1), (90, 61)),
    "b": 0.2 * jr.normal(jr.key(2), (3, 200)),
}
RATES = {"none": 0.0, "rare": 1e-3, "few": 0.02, "many": 0.4}


def updates(rate, step=0):
    """Updates of up to two thresholds, of a mean that writes the share `rate`."""
    keys = jr.split(jr.fold_in(jr.key(3), step))
    spread = {
        p: jr.normal(k, x.shape) for (p, x), k in zip(PARAMS.items(), keys, strict=True)
    }
    return jax.tree.map(lambda z: 0.05 * rate * z, spread)


KEY = jr.key(4)


def chain(crossbar, key=KEY):
    gate = ej.eapu(0.05, key=jr.fold_in(key, 0))
    return optax.chain(gate, ej.program(crossbar, key=jr.fold_in(key, 1)))


def trained(tx, rate, steps=4, params=PARAMS):
    """Weights and state after some updates."""

    def step(carry, i):
        w, state = carry
        moves, state = tx.update(updates(rate, i), state, w)
        return (optax.apply_updates(w, moves), state), None

    return jax.lax.scan(step, (params, tx.init(params)), jnp.arange(steps))[0]


def learned(key, rate):
    """A chip of additive errors after some updates of a mean that writes `rate`."""
    return trained(chain(ej.Crossbar(device=NOISY, r_wg=0.02), key), rate)


def compiled():
    """Of any chip and rate, as for users: fusing has broken its laws before."""
    program = jax.jit(lambda key, rate: learned(key, rate))
    with haste.as_for_users():
        return program.lower(KEY, jnp.float32(0)).compile()


@pytest.fixture(scope="module")
def alone():
    """Few cells by themselves."""
    return compiled()


@pytest.fixture(scope="module")
def among_all():
    """All cells at once: a function of its own, jax would give back the other."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(few, "pays", lambda *_: False)
        return compiled()


def both_ways(monkeypatch, run):
    """The same by few cells and by all."""
    alone = jax.jit(lambda: run())()
    monkeypatch.setattr(few, "pays", lambda *_: False)
    return alone, jax.jit(lambda: run())()


def assert_same(alone, together):
    (w, state), (v, other) = alone, together
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-6), w, v)
    for path, array in ej.view(state).items():
        one = ej.view(other)[path]
        np.testing.assert_array_equal(array.ledger.writes, one.ledger.writes)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-4),
            array.cells,
            one.cells,
        )
    assert ej.totals(state) == ej.totals(other)


@pytest.mark.parametrize("name", FAST)
def test_every_device_lands_where_it_lands_among_all(monkeypatch, name):
    """From weights at the levels there are: while any is foreign, all are written."""
    crossbar = ej.Crossbar(device=DEVICES[name], r_wg=0.02)
    tx = chain(crossbar)
    arrays = ej.view(tx.init(PARAMS))
    start = {p: ej.array.weights(crossbar, one) for p, one in arrays.items()}
    alone, together = both_ways(monkeypatch, lambda: trained(tx, 0.02, params=start))
    assert ej.totals(alone[1])["foreign"] == 0
    assert_same(alone, together)


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_however_many_are_asked(alone, among_all, rate):
    assert_same(alone(KEY, jnp.float32(rate)), among_all(KEY, jnp.float32(rate)))


@pytest.mark.slow
def test_without_a_gate_those_are_asked_that_are_not_zero():
    """`write_all` says that all are asked: it then looks for none, with equal ends."""

    def sparse(updates, _):
        return jax.tree.map(lambda x: jnp.where(jnp.abs(x) > 0.002, x, 0), updates)

    def ends(gate):
        write = ej.program(ej.Crossbar(r_wg=0.02), key=jr.fold_in(KEY, 1))
        tx = optax.chain(optax.stateless(sparse), gate, write)
        return jax.jit(lambda: trained(tx, 0.02))()

    alone, together = ends(optax.identity()), ends(ej.write_all())
    assert 0 < ej.totals(alone[1])["written"] < 400
    assert_same(alone, together)


def test_stuck_cells_and_constants_of_a_cell_and_of_an_array(monkeypatch):
    spread = ej.Spread(
        cell_to_cell={"write_noise": 0.3}, chip_to_chip={"g_max": 0.1},
        stuck_rate=0.05,
    )  # fmt: skip
    base = ej.Crossbar(device=NOISY, r_wg=0.02)
    chip = ej.sample_chip(jr.key(6), 0, base, PARAMS, spread)
    assert_same(*both_ways(monkeypatch, lambda: trained(chain(chip), 0.02)))


def test_a_stuck_cell_that_is_asked_moves_no_weight():
    """Not even by what the weight is off by rounding."""
    stuck = jnp.zeros((90, 61), bool).at[3, 5].set(True)
    tx = ej.program(ej.Crossbar(stuck_at=20.0, stuck=stuck, r_wg=0.02), key=KEY)
    w = PARAMS["a"].at[3, 5].set(jnp.nextafter(jnp.float32(0.4), 1.0))
    asked = jnp.zeros_like(w).at[3, 5:7].set(0.1)
    moves, state = jax.jit(tx.update)(asked, tx.init(w), w)
    assert moves[3, 5] == 0 != moves[3, 6]
    assert ej.totals(state)["foreign"] == 0
    assert ej.totals(state)["written"] == 2


def test_constants_of_a_cell_are_its_own_where_few_are_written():
    noise = jnp.zeros((90, 61)).at[3, 5].set(2.0)
    tx = ej.program(ej.Crossbar(device=ej.AdditiveError(write_noise=noise)), key=KEY)
    w = jnp.zeros((90, 61))
    moves, _ = jax.jit(tx.update)(w.at[3, 5:7].set(0.1), tx.init(w), w)
    np.testing.assert_allclose(moves[3, 6], 0.1, rtol=1e-5)
    assert abs(moves[3, 5] - 0.1) > 1e-4


def test_a_chip_among_many_is_the_chip_alone(alone):
    keys, rates = jr.split(jr.key(8), 4), jnp.array(list(RATES.values()))
    w, state = jax.jit(jax.vmap(learned))(keys, rates)
    for n in range(4):
        v, one = alone(keys[n], rates[n])
        jax.tree.map(
            lambda a, b, n=n: np.testing.assert_allclose(a[n], b, 0, 2e-6), w, v
        )
        among = jax.tree.map(lambda x, n=n: x[n], state)
        assert ej.totals(among) == ej.totals(one)


EXACT = ej.Crossbar(device=devices.AdditiveError(write_noise=0.0), r_wg=1 / 64)


@pytest.fixture(scope="module")
def exact():
    """Gate and array of a device without error, and its update, compiled once."""
    tx = chain(EXACT)
    return tx, jax.jit(tx.update)


def test_the_decisions_are_those_of_eapu_alone(exact):
    """A device without error makes of the pulses what `eapu` says they are."""
    tx, update = exact
    gate = ej.eapu(0.05, key=jr.fold_in(KEY, 0))
    pulses, _ = gate.update(updates(0.02), gate.init(PARAMS))
    moves, state = update(updates(0.02), tx.init(PARAMS), PARAMS)
    for path, pulse in pulses.items():
        assert 0 < (pulse != 0).sum() < pulse.size // 10
        np.testing.assert_allclose(moves[path], pulse, atol=1e-6)
        np.testing.assert_array_equal(ej.writes_per_cell(state)[path], pulse != 0)


EVERY = np.random.default_rng(0).uniform(0.05, 0.2, (90, 61)).astype(np.float32)
THRESHOLDS = {
    "one per array": {"a": 0.05, "b": 0.2},
    "one per array, of 32 rows": {"a": 0.05, "b": 0.2, "c": 0.1},
    "one per weight": {"a": EVERY, "b": 0.2},
}


@pytest.mark.parametrize(
    "thresholds",
    [
        pytest.param(t, id=name, marks=[pytest.mark.slow] * (name == "one per array"))
        for name, t in THRESHOLDS.items()
    ],
)
def test_thresholds_of_arrays_and_of_weights_are_their_own(thresholds):
    """The gate alone decides without the arrays, and by the quotient itself."""
    asked = updates(0.02)
    if "c" in thresholds:  # 22 + 3 + 7 rows: as many as a group has bits in a word
        asked["c"] = jnp.full((7, 256), 2e-3)
    w = jax.tree.map(jnp.zeros_like, asked)
    gate = ej.eapu(thresholds, key=KEY)
    tx = optax.chain(gate, ej.program(EXACT, key=jr.fold_in(KEY, 1)))
    moves, state = jax.jit(tx.update)(asked, tx.init(w), w)
    for path, pulse in gate.update(asked, gate.init(w))[0].items():
        np.testing.assert_allclose(moves[path], pulse, atol=1e-6)
        np.testing.assert_array_equal(ej.writes_per_cell(state)[path], pulse != 0)


def test_one_weight_changed_from_outside_is_seen_among_many(exact):
    tx, update = exact
    w, state = PARAMS, tx.init(PARAMS)
    nothing = jax.tree.map(jnp.zeros_like, w)
    _, state = update(nothing, state, w)
    assert ej.totals(state)["foreign"] == 0
    changed = w | {"b": w["b"].at[2, 7].add(1e-4)}
    moves, state = update(nothing, state, changed)
    assert ej.totals(state)["foreign"] == ej.totals(state)["written"] == 1
    np.testing.assert_allclose(moves["b"], 0, atol=1e-7)  # the array followed
    assert not moves["a"].any()
    _, state = update(nothing, state, optax.apply_updates(changed, moves))
    assert ej.totals(state)["foreign"] == 1


def test_where_all_are_asked_a_change_from_outside_is_written_too(monkeypatch):
    stuck = jnp.full((3, 200), False).at[1, 7].set(True)
    crossbar = {"a": ej.Crossbar(device=NOISY, r_wg=0.02)}
    crossbar["b"] = ej.Crossbar(device=NOISY, r_wg=0.02, stuck_at=3.0, stuck=stuck)
    tx = optax.chain(ej.write_all(), ej.program(crossbar, key=KEY))
    shift = jnp.array([0.0, 0.3])  # of two chips the second is changed
    beyond = PARAMS | {"a": PARAMS["a"].at[7, 8].set(2.0)}  # of the window: seen, too

    def run():
        w, state = trained(tx, 0.4, steps=1, params=beyond)

        def chip(shift):
            changed = w | {"a": w["a"].at[5, 6].add(shift)}
            moves, after = tx.update(updates(0.4, 1), state, changed)
            return optax.apply_updates(changed, moves), after

        return jax.vmap(chip)(shift)

    alone, together = both_ways(monkeypatch, run)
    for n in range(2):
        assert_same(*(jax.tree.map(lambda x, n=n: x[n], x) for x in (alone, together)))
        seen = ej.view(jax.tree.map(lambda x, n=n: x[n], alone[1]))["a"].ledger.foreign
        assert ej.ledger.value(seen) == 1 + n


def test_a_diverged_update_shows_and_spares_its_neighbours(exact):
    tx, update = exact
    asked = jax.tree.map(jnp.zeros_like, PARAMS)
    asked["a"] = asked["a"].at[3, 5].set(jnp.nan)
    moves, _ = update(asked, tx.init(PARAMS), PARAMS)
    assert jnp.isnan(moves["a"][3, 5])
    assert jnp.isnan(moves["a"]).sum() == 1
    assert not moves["b"].any()


@pytest.mark.slow
def test_outside_jit_no_update_compiles_a_loop(exact, caplog):
    """Its body holds numbers of this update: it would be compiled at every call."""
    tx, _ = exact
    chips = jax.tree.map(lambda x: x[None], (updates(0.02), tx.init(PARAMS), PARAMS))
    with jax.log_compiles():
        tx.update(updates(0.02), tx.init(PARAMS), PARAMS)
        jax.vmap(tx.update)(*chips)
    assert "jit(while)" not in caplog.text


MAPS = {
    "jit": lambda f: jax.jit(f),
    "vmap of jit": lambda f: jax.vmap(jax.jit(f)),
    "jit of vmap": lambda f: jax.jit(jax.vmap(f)),
    "jit of jvp": lambda f: jax.jit(lambda *x: jax.jvp(f, x, x)),
}


@pytest.mark.parametrize("mapped", MAPS.values(), ids=MAPS)
def test_within_jit_few_are_written_alone_whatever_maps_it(mapped, monkeypatch):
    """Else `alone` and `among_all` above would be one and the same."""
    seen, pays = [], few.pays
    monkeypatch.setattr(few, "pays", lambda *x: seen.append(pays(*x)) or seen[-1])
    tx = chain(EXACT)

    def moves(scale):
        asked = jax.tree.map(lambda x: scale.mean() * x, updates(0.02))
        return tx.update(asked, tx.init(PARAMS), PARAMS)[0]["a"]

    jax.eval_shape(mapped(moves), jnp.ones((2, 3)))
    assert seen
    assert all(seen)


def test_a_loop_over_few_cells_has_derivatives_in_reverse():
    """A cell that is pulsed lands at `w + rate x + write_noise n`: slopes x and n."""
    asked = jax.tree.map(lambda x: jnp.where(x > 0.08, x, 0), updates(1.0))

    def landed(rate, write_noise):
        device = devices.AdditiveError(write_noise=write_noise)
        tx = ej.program(ej.Crossbar(device=device, r_wg=0.02), key=KEY)
        scaled = jax.tree.map(lambda x: rate * x, asked)
        moves, state = tx.update(scaled, tx.init(PARAMS), PARAMS)
        return moves["a"].sum(), (moves["a"], ej.writes_per_cell(state)["a"])

    both = jax.jit(jax.grad(landed, argnums=(0, 1), has_aux=True))
    (of_rate, of_noise), (moves, written) = both(1.0, 2.0)
    assert 0 < jnp.mean(written > 0) < 1 / 8
    np.testing.assert_allclose(of_rate, asked["a"].sum(), rtol=1e-5)
    error = jnp.where(written > 0, moves - asked["a"], 0).sum()
    np.testing.assert_allclose(of_noise, error / 2.0, rtol=1e-3, atol=1e-4)


def test_a_change_from_outside_is_seen_in_many_arrays_too():
    """More than are looked at one by one: these are packed."""
    params = {f"{n}": jnp.full((16, 16), 0.1) for n in range(9)}
    tx = ej.program(EXACT, key=KEY)
    nothing = jax.tree.map(jnp.zeros_like, params)
    state = tx.init(params)
    changed = params | {"7": params["7"].at[2, 3].add(1e-3)}
    update = jax.jit(tx.update)
    for weights, foreign in ((params, 0), (changed, 1)):
        assert ej.totals(update(nothing, state, weights)[1])["foreign"] == foreign
