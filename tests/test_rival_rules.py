"""What defines each rival rule, against oracles that know nothing of its code.

Closed forms, exact enumeration of small Markov chains and plain NumPy loops.
"""

from fractions import Fraction

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from scipy import stats

import eapu_jax as ej
from eapu_jax import cost
from tests.statistics import assert_mean, assert_rate, assert_variance, assert_within

N = 100_000
STEP = 2.0
UPDATES = np.array([-7.0, -2.0, -1.3, -0.1, 0.0, 0.02, 1.0, 2.0, 3.1])
IDEAL = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0), r_wg=0.5)
DRAWN = jr.key(7)


def rows(values, n=N):
    """One row of `n` cells for each value."""
    return jnp.tile(jnp.asarray(values, jnp.float32)[:, None], (1, n))


def once(tx, updates):
    return np.asarray(tx.update(updates, tx.init(updates))[0])


def along(tx, sequence, state=None):
    """All that is sent over a sequence of updates of one array, and the state."""
    state = tx.init(sequence[0]) if state is None else state

    def step(state, dw):
        with jax.numpy_dtype_promotion("standard"):  # Adam's
            sent, state = tx.update(dw, state)
        return state, sent

    state, sent = jax.jit(lambda s, x: jax.lax.scan(step, s, x))(state, sequence)
    return np.asarray(sent), state


def signs(t, n, seed=0, size=1.0):
    """Fair coins, +size or -size, of `n` weights over `t` updates."""
    coins = jr.rademacher(jr.key(seed), (t, 1, n), jnp.float32)
    return size * coins


# Manhattan, and signs above a threshold


def test_manhattan_is_the_sign_times_the_step():
    np.testing.assert_array_equal(
        once(ej.manhattan(0.25), rows(UPDATES, 3))[:, 0],
        [-0.25, -0.25, -0.25, -0.25, 0, 0.25, 0.25, 0.25, 0.25],
    )


@pytest.mark.parametrize(("policy", "worn"), [("plus", [1, 0]), ("both", [1, 1])])
def test_which_cells_manhattan_writes_is_for_the_pair_to_say(policy, worn):
    pair = ej.DifferentialPair(rest=10.0, policy=policy)
    device = ej.AdditiveError(write_noise=0.0)
    crossbar = ej.Crossbar(device=device, encoding=pair, r_wg=0.5)
    tx = optax.chain(ej.manhattan(0.25), ej.program(crossbar, key=DRAWN))
    w = jnp.zeros((4, 5))
    updates, state = tx.update(1e-3 * jnp.ones((4, 5)), tx.init(w), w)
    np.testing.assert_allclose(updates, 0.25, atol=1e-6)
    (writes,) = ej.writes_per_cell(state).values()
    np.testing.assert_array_equal(writes.mean((1, 2)), worn)


def test_signs_are_sent_above_the_threshold_and_nothing_else():
    tx = ej.sign_threshold(2.0, step=0.5)
    expected = [0.5 * np.sign(d) if abs(d) > 2 else 0 for d in UPDATES]
    np.testing.assert_array_equal(once(tx, rows(UPDATES, 3))[:, 0], expected)
    assert once(ej.sign_threshold(2.0), jnp.full((1, 1), 9.0)) == 2.0


# Stochastic rounding


def test_stochastic_rounding_is_right_in_the_mean_and_keeps_to_the_grid():
    sent = once(ej.stochastic_rounding(STEP, key=DRAWN), rows(UPDATES))
    size = np.abs(UPDATES) / STEP
    below, part = np.floor(size), size - np.floor(size)
    assert_mean(sent, UPDATES, axis=1)
    assert_rate((np.abs(sent) > STEP * below[:, None]).sum(1), N, part)
    steps = np.abs(sent) / STEP - below[:, None]
    assert set(np.unique(steps)) == {0, 1}
    assert_variance(sent, part * (1 - part) * STEP**2, axis=1)


def test_rounding_is_eapu_up_to_a_step_and_goes_on_rounding_above():
    rounded = once(ej.stochastic_rounding(STEP, key=DRAWN), rows(UPDATES))
    gated = once(ej.eapu(STEP, key=jr.key(8)), rows(UPDATES))
    small = np.abs(UPDATES) <= STEP
    p = np.abs(UPDATES[small]) / STEP
    for sent in rounded[small], gated[small]:
        assert_rate((sent != 0).sum(1), N, p)
        np.testing.assert_array_equal(np.abs(sent[sent != 0]), STEP)
    np.testing.assert_array_equal(gated[~small], np.asarray(rows(UPDATES))[~small])
    assert np.isin(np.abs(rounded[~small]), [2.0, 4.0, 6.0, 8.0]).all()


# Stochastic sparse updates with momentum


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_sparse_updates_follow_the_running_mean(momentum):
    asked, mean = [1.5, -0.5, 0.0, -8.0, -8.0, 1.0], 0.0
    tx = ej.stochastic_sparse(STEP, key=DRAWN, momentum=momentum)
    sent, _ = along(tx, jnp.stack([jnp.full((1, N), d) for d in asked]))
    assert set(np.unique(sent)) <= {-STEP, 0.0, STEP}
    for d, now in zip(asked, sent, strict=True):
        mean = momentum * mean + (1 - momentum) * d
        assert_mean(now[0], np.clip(mean, -STEP, STEP))
        assert_rate((now != 0).sum(), N, min(1, abs(mean) / STEP))


# Pulse trains


@pytest.mark.parametrize("length", [1, 4, 31])
@pytest.mark.parametrize("asked", [0.03, -0.9, 3.7, 200.0])
def test_pulses_of_a_train_are_binomial(length, asked):
    sent = once(ej.pulse_train(STEP, length, key=DRAWN), jnp.full((10, N // 10), asked))
    p = min(1, abs(asked) / (length * STEP))
    law = stats.binom(length, p)
    pulses = (np.sign(asked) * sent / STEP).ravel()
    for n in range(length + 1):
        assert_rate((pulses == n).sum(), N, law.pmf(n))
    assert_mean(sent.ravel(), np.sign(asked) * min(abs(asked), length * STEP))
    assert_variance(sent.ravel(), law.var() * STEP**2)


# Mixed precision


def test_mixed_precision_loses_nothing_bit_for_bit():
    """Dyadic numbers: no rounding anywhere, against exact fractions."""
    asked = np.random.default_rng(0).integers(-600, 600, (200, 1, 5)) / 1024
    sent, state = along(ej.mixed_precision(0.25), jnp.asarray(asked, jnp.float32))
    for cell in range(5):
        held = Fraction(0)
        for d, now in zip(asked[:, 0, cell], sent[:, 0, cell], strict=True):
            held += Fraction(float(d))
            pulses = int(held / Fraction(1, 4))  # towards zero
            held -= pulses * Fraction(1, 4)
            assert Fraction(float(now)) == pulses * Fraction(1, 4)
        assert Fraction(float(state.residual[""][0, cell])) == held


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_what_was_sent_and_the_residual_are_what_was_asked(dtype):
    asked = (0.02 * jr.normal(DRAWN, (500, 20, 10))).astype(dtype)
    sent, state = along(ej.mixed_precision(0.025), asked)
    (residual,) = state.residual.values()
    assert residual.dtype == jnp.float32
    total = np.asarray(asked, np.float64).sum(0)
    found = np.asarray(sent, np.float64).sum(0) + np.asarray(residual, np.float64)
    np.testing.assert_allclose(found, total, atol=500 * 2**-24 * 0.1)
    assert np.abs(residual).max() < 0.025 * (1 + 1e-2 * (dtype == jnp.bfloat16))


@pytest.mark.parametrize(
    "optimiser", [optax.sgd(0.1), optax.adam(0.03), optax.lion(0.01, weight_decay=0.0)]
)
def test_any_optimiser_may_stand_before_mixed_precision(optimiser):
    """Arrays without errors hold the digital weights, less than a step behind."""
    tx = optax.chain(
        optimiser, ej.mixed_precision(0.05), ej.program(IDEAL, key=jr.key(0))
    )
    slopes = jr.normal(DRAWN, (40, 6, 5))
    ends = []
    for one in optimiser, tx:
        w = jnp.zeros((6, 5))
        state, update = one.init(w), jax.jit(one.update)
        for slope in slopes:  # of a plane that turns: the same for both
            with jax.numpy_dtype_promotion("standard"):  # Adam's
                updates, state = update(slope, state, w)
            w = optax.apply_updates(w, updates)
        ends.append((np.asarray(w), state))
    (ideal, _), (held, state) = ends
    behind = ideal - held
    assert np.abs(behind).max() < 0.05 + 1e-6
    np.testing.assert_allclose(behind, state[1].residual[""], atol=1e-5)
    np.testing.assert_allclose(held / 0.05, np.round(held / 0.05), atol=1e-4)


# EaPU with a residual


def stepwise_writes(low, high, back, updates, moving=1.0):
    """Expected writes at every update of a counter that walks, enumerated.

    It starts at 0 and moves with the probability `moving`, up or down alike; above
    `high` or below `low` it is written and goes `back`.
    """
    size = high - low + 1
    moves, written = (1 - moving) * np.eye(size), np.zeros(size)
    chance = np.arange(low, high + 1) == 0
    for k in range(low, high + 1):
        for way in (-1, 1):
            to = k + way
            out = to > high or to < low
            written[k - low] += moving / 2 * out
            moves[k - low, (to - way * back if out else to) - low] += moving / 2
    found = []
    for _ in range(updates):
        found.append(chance @ written)
        chance = chance @ moves
    return np.array(found)


def test_no_bits_are_eapu():
    """The very law: size, probability, and no memory from update to update."""
    tx = ej.eapu_residual(STEP, bits=0, key=DRAWN)
    sent, state = along(tx, jnp.stack([rows(UPDATES, N // 5)] * 5))
    p = np.minimum(1, np.abs(UPDATES) / STEP)
    size = np.sign(UPDATES) * np.maximum(np.abs(UPDATES), STEP)
    for now in sent:
        assert_rate((now != 0).sum(1), N // 5, p)
        for row, pulse in zip(now, size, strict=True):
            np.testing.assert_array_equal(row[row != 0], np.float32(pulse))
    middle = sent[:, 6] != 0  # probability 1/2: as often twice running as not
    assert_rate((middle[1:] & middle[:-1]).sum(), 4 * N // 5, 1 / 4)
    assert not np.any(state.residual[""])


def test_many_bits_are_mixed_precision_bit_for_bit():
    """On multiples of the unit, of which none is the threshold itself."""
    asked = np.random.default_rng(1).integers(-2000, 2001, (300, 1, 20)) / 4096
    asked[0] += 1 / 8192  # every sum is odd in this unit: no tie
    asked = jnp.asarray(asked, jnp.float32)
    few, state = along(ej.eapu_residual(1.0, bits=24, key=DRAWN), asked)
    exact, held = along(ej.mixed_precision(1.0), asked)
    assert np.count_nonzero(exact) > 100
    np.testing.assert_array_equal(few, exact)
    residual = np.asarray(state.residual[""], float) / 2**23
    np.testing.assert_array_equal(residual, held.residual[""])


@pytest.mark.parametrize("bits", [0, 1, 2, 5, 24])
def test_a_residual_of_any_bits_is_right_in_the_mean(bits):
    asked = rows([0.3, -0.7, 0.05, 1.4, -1.9, -0.31], N // 5)[:, None]
    tx = ej.eapu_residual(STEP, bits=bits, key=DRAWN)
    sent, state = along(tx, asked)
    unit = STEP / max(1, 2 ** (bits - 1))
    residual = np.asarray(state.residual[""], float)
    total = sent.astype(float).sum(0) + unit * residual
    assert_mean(total[0], float(np.sum(asked[:, 0, 0])))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if bits else (0, 0)
    assert low <= residual.min() <= residual.max() <= high


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_writes_of_a_counter_are_those_enumerated_and_in_the_end_the_closed_form(bits):
    """Coins of half a unit: every other one counts."""
    half, t, n = 2 ** (bits - 1), 600, 4000
    tx = ej.eapu_residual(1.0, bits=bits, key=DRAWN)
    sent, _ = along(tx, signs(t, n, size=0.5 / half))
    expected = stepwise_writes(-half, half - 1, half, t, moving=0.5)
    assert_mean((sent != 0).sum(0)[0], expected.sum())
    assert expected[-1] == pytest.approx(0.5 / half / (half + 1), rel=1e-2)


def test_writes_of_mixed_precision_are_the_square_of_update_over_step():
    """Coins of a quarter of a step: four squared updates to a write, enumerated."""
    t, n = 400, 4000
    sent, _ = along(ej.mixed_precision(1.0), signs(t, n, size=0.25))
    expected = stepwise_writes(-3, 3, 4, t)
    assert_mean((sent != 0).sum(0)[0], expected.sum())
    assert expected[-2:].mean() == pytest.approx(0.25**2, rel=1e-3)


@pytest.mark.slow
def test_bits_between_eapu_and_mixed_precision_under_adam():
    """Pure noise: from 0.183 lr/threshold down to (lr/threshold)**2, bit by bit."""
    lr, theta, warm, t, n = 1e-3, 0.025, 300, 2000, 2000
    slopes = jr.normal(jr.key(3), (warm + t, 1, n))

    def ratio(rule):
        tx = optax.chain(optax.adam(lr), rule)
        return np.mean(along(tx, slopes)[0][warm:] != 0)

    few = [ratio(ej.eapu_residual(theta, b, key=DRAWN)) for b in (0, 1, 2, 3, 5, 12)]
    mixed = ratio(ej.mixed_precision(theta))
    expected = float(ej.laws.adam_update_ratio(lr, theta))
    assert_within(few[0], expected, np.sqrt(expected / (t * n)) + 0.01 * expected / 5)
    # 1/2, 1/3, 1/5 if they were independent; Adam's keep their sign for a while
    for part, left in zip((1 / 2, 1 / 3, 1 / 5), few[1:], strict=False):
        assert part < left / few[0] < 1.6 * part
    assert np.all(np.diff(few) < 0)
    assert few[-1] == pytest.approx(mixed, rel=0.03)
    # below 1: a walk of such steps overshoots the threshold before it is written
    assert 0.7 < mixed / (lr / theta) ** 2 < 1


# The hidden integer


@pytest.mark.parametrize("per_level", [1, 4, 5])
@pytest.mark.parametrize("every", [1, 3])
def test_the_array_follows_the_hidden_integer(every, per_level):
    step, states = 0.25, 40
    w = np.random.default_rng(2).uniform(-4, 4, (1, 50))
    asked = np.random.default_rng(3).normal(0, 1.0, (30, 1, 50)).astype(np.float32)
    tx = ej.hidden_integer(step, states, every, per_level=per_level)
    start = tx.init(jnp.asarray(w, jnp.float32))
    sent, state = along(tx, jnp.asarray(asked), start)
    for cell in range(50):
        h = min(max(round(w[0, cell] / step), -20), 19)
        level, writes = int(np.floor(h / per_level + 0.5)), 0
        for t in range(30):
            before = h
            h = min(max(h + round(float(asked[t, 0, cell]) / step), -20), 19)
            writes += h != before
            jump = 0
            if (t + 1) % every == 0:
                now = int(np.floor(h / per_level + 0.5))
                jump, level = now - level, now
            assert sent[t, 0, cell] == jump * per_level * step
        assert int(state.hidden[""][0, cell]) == h
        assert int(state.writes[""][0, cell]) == writes
    assert (np.abs(state.hidden[""]) >= 19).any()  # some are at their end


def test_writes_of_the_hidden_integer_do_not_overflow_and_say_how_long_it_lasts():
    tx = ej.hidden_integer(0.1, 256, 5)
    state = tx.init(jnp.zeros((1, 3)))
    for t in range(4):  # a change at each update, at every second, at none
        asked = jnp.array([[0.1, 0.1 * (t % 2), 0.0]])
        _, state = tx.update(asked, state)
    assert state.writes[""].tolist() == [[4, 2, 0]]
    known, loop = cost.read_constants(), {"value": 1, "low": 1, "high": 1}
    once = cost.Constant(**loop, source="open loop", label="ASSUMED")
    bears = known["endurance_ferroelectric"]
    [first, third] = cost.lifetime(
        state.writes, steps=4, pulses_per_write=once, endurance=bears, worn=(0, 0.4)
    )
    assert first.steps == (1e4, 1e7, 1e11)
    assert third.steps == (2e4, 2e7, 2e11)
    full = state._replace(writes={"": jnp.full((1, 3), 2**32 - 1, jnp.uint32)})
    _, state = tx.update(jnp.full((1, 3), 0.1), full)
    assert (np.asarray(state.writes[""]) == 2**32 - 1).all()


def test_by_chance_the_hidden_integer_is_right_in_the_mean_and_without_it_is_not():
    asked = jnp.full((10, 1, N // 10), 0.03)
    by_chance = ej.hidden_integer(0.1, 256, 10, key=DRAWN)
    sent, state = along(by_chance, asked, by_chance.init(0 * asked[0]))
    assert not sent[:-1].any()
    assert_mean(sent[-1, 0], 10 * 0.03)
    hidden = np.asarray(state.hidden[""], float)
    np.testing.assert_allclose(sent[-1], 0.1 * hidden, rtol=1e-6)
    nearest = ej.hidden_integer(0.1, 256, 10)
    assert not along(nearest, asked, nearest.init(0 * asked[0]))[0].any()


# What all of them share

RULES = {
    "manhattan": lambda s, **a: ej.manhattan(s, **a),
    "sign_threshold": lambda s, **a: ej.sign_threshold(s, s, **a),
    "stochastic_rounding": lambda s, **a: ej.stochastic_rounding(s, key=DRAWN, **a),
    "stochastic_sparse": lambda s, **a: ej.stochastic_sparse(s, key=DRAWN, **a),
    "pulse_train": lambda s, **a: ej.pulse_train(s, 4, key=DRAWN, **a),
    "mixed_precision": lambda s, **a: ej.mixed_precision(s, **a),
    "eapu_residual": lambda s, **a: ej.eapu_residual(s, 2, key=DRAWN, **a),
    "hidden_integer": lambda s, **a: ej.hidden_integer(s, 64, 1, key=DRAWN, **a),
}
each = pytest.mark.parametrize("name", RULES)
SMALLEST = {"eapu_residual": "threshold"}


def refused(tx, words, w=None):
    w = {"kernel": jnp.ones((4, 4))} if w is None else w
    for update in (tx.update, jax.jit(tx.update)):
        with pytest.raises(ValueError, match=words):
            update(w, tx.init(w), w)


@each
def test_a_rule_decides_once_and_before_the_array(name):
    rule, gate = RULES[name](0.1), ej.eapu(0.1, key=jr.key(1))
    array = ej.program(IDEAL, key=jr.key(2))
    refused(optax.chain(array, rule), f"{name} must come before `program`")
    refused(optax.chain(gate, rule), f"{name} must be the only gate .* `eapu`")
    refused(optax.chain(rule, gate), f"eapu must be the only gate .* `{name}`")


@each
def test_a_pulse_that_the_device_never_answers_is_refused(name):
    device = ej.SoftBounds(pulse=3.0, write_noise=1.0)
    least = float(device.smallest_request()) / 80
    chip = ej.program(ej.Crossbar(device=device), key=jr.key(2))
    what = f"{SMALLEST.get(name, 'step')} of {name} for 'kernel'"
    refused(optax.chain(RULES[name](0.9 * least), chip), what)
    tx, w = optax.chain(RULES[name](1.1 * least), chip), {"kernel": jnp.ones((4, 4))}
    tx.update(w, tx.init(w), w)


@each
@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), float("inf"), "1", {}])
def test_a_step_is_positive_and_finite(name, step):
    with pytest.raises(ValueError, match=r"(step|threshold) must be"):
        RULES[name](step)


@each
def test_a_step_fits_its_update(name):
    asked = {"kernel": jnp.ones((4, 4))}
    for tx in RULES[name](jnp.ones((3, 1))), RULES[name](jnp.ones((1, 4, 4))):
        with pytest.raises(ValueError, match=r"(step|threshold) of 'kernel' must fit"):
            tx.update(asked, tx.init(asked))
    w = {"kernel": jnp.ones((4, 4)), "other": jnp.ones((2, 2))}
    refused(RULES[name]({"kernel": 1.0}), r"(step|threshold) must be a prefix", w)


@each
def test_steps_may_differ_from_array_to_array(name):
    w = {"a": jnp.zeros((4, 4)), "b": jnp.zeros((4, 4))}
    asked = {"a": jnp.full((4, 4), 40.0), "b": jnp.full((4, 4), 40.0)}
    tx = RULES[name]({"a": 0.5, "b": 16.0})
    sent, _ = tx.update(asked, tx.init(w), w)
    alone = RULES[name](0.5)
    first, _ = alone.update({"a": asked["a"]}, alone.init({"a": w["a"]}))
    np.testing.assert_array_equal(sent["a"], first["a"])
    if name != "eapu_residual":  # passes what exceeds its threshold
        np.testing.assert_array_equal(sent["b"] % 16, 0)


@each
def test_a_place_of_ones_own_is_asked(name):
    w = {"kernel": jnp.full((4, 4), 0.03), "odd": jnp.full(4, 0.03)}
    only = lambda path, _: "array" if path == "odd" else "digital: not here"  # noqa: E731
    tx = RULES[name](0.05, place=only)
    sent, _ = tx.update(w, tx.init(w))
    np.testing.assert_array_equal(sent["kernel"], w["kernel"])
    assert not np.array_equal(sent["odd"], w["odd"])


@each
def test_a_chip_that_diverged_shows(name):
    asked = jnp.array([[jnp.nan, 0.3], [-0.3, 0.0]])
    tx = RULES[name](0.5)
    sent, _ = tx.update(asked, tx.init(0 * asked))
    np.testing.assert_array_equal(jnp.isnan(sent), jnp.isnan(asked))


@pytest.mark.parametrize(
    "name", ["stochastic_sparse", "mixed_precision", "eapu_residual", "hidden_integer"]
)
def test_a_rule_that_remembers_weights_is_given_them(name):
    tx, asked = RULES[name](0.1), {"kernel": jnp.ones((4, 4))}
    for other in {}, {"bias": jnp.ones(4)}, {"else": jnp.ones((4, 4))}:
        with pytest.raises(ValueError, match=f"{name} remembers every weight"):
            tx.update(asked, tx.init(other))


@pytest.mark.parametrize("name", ["stochastic_rounding", "stochastic_sparse"])
@pytest.mark.parametrize("key", [0, None, jr.split(DRAWN)])
def test_a_key_is_one_typed_key(name, key):
    with pytest.raises(ValueError, match="key must be"):
        getattr(ej, name)(0.1, key=key)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ej.pulse_train(0.1, 0, key=DRAWN), "length must be >= 1, got 0"),
        (lambda: ej.pulse_train(0.1, 1.5, key=DRAWN), "length must be a whole"),
        (lambda: ej.pulse_train(0.1, 4, key=0), "key must be a typed key"),
        (lambda: ej.eapu_residual(0.1, -1, key=DRAWN), "bits must be >= 0, got -1"),
        (lambda: ej.eapu_residual(0.1, 25, key=DRAWN), "bits must be <= 24, got 25"),
        (lambda: ej.eapu_residual(0.1, 2, key=0), "key must be a typed key"),
        (lambda: ej.hidden_integer(0.1, 1, 1), "states must be >= 2, got 1"),
        (lambda: ej.hidden_integer(0.1, 8, 0), "every must be >= 1, got 0"),
        (lambda: ej.hidden_integer(0.1, 8, 1, per_level=0), "per_level must be >= 1"),
        (lambda: ej.hidden_integer(0.1, 8, 1, key=0), "key must be a typed key"),
        (lambda: ej.sign_threshold(-1.0), "threshold must be > 0, got -1"),
        (lambda: ej.sign_threshold(1.0, 0.0), "step must be > 0, got 0"),
        (
            lambda: ej.stochastic_sparse(0.1, key=DRAWN, momentum=1.0),
            "momentum must be < 1, got 1",
        ),
    ],
)
def test_bounds_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_bits_and_lengths_may_be_swept():
    asked = jnp.full((8, 8), 0.7)

    def residual(bits):
        tx = ej.eapu_residual(1.0, bits, key=DRAWN)
        return tx.update(asked, tx.init(asked))[0]

    def train(length):
        tx = ej.pulse_train(0.2, length, key=DRAWN)
        return tx.update(asked, tx.init(asked))[0]

    for rule, numbers in ((residual, [0, 3]), (train, [2, 5])):
        together = jax.jit(jax.vmap(rule))(jnp.array(numbers))
        for n, x in zip(numbers, together, strict=True):
            np.testing.assert_allclose(x, rule(n), atol=1e-6)
