"""The identities I1 to I16 of error-aware probabilistic updating.

Units are chosen so that nothing can be mistaken for anything else: threshold 2,
write error 1 (2 uS at half a weight unit per uS), updates on both sides.
"""

import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from scipy import stats

import eapu_jax as ej
from tests.statistics import assert_mean, assert_rate, assert_variance, assert_within

THETA, SIGMA, N = 2.0, 1.0, 100_000
SHAPE = (256, 256)
UPDATES = np.array([-7.0, -2.0, -1.3, -0.1, 0.0, 0.02, 1.0, 2.0, 3.1])
PROBABILITY = np.minimum(1, np.abs(UPDATES) / THETA)
SAMPLING = np.abs(UPDATES) * np.maximum(THETA - np.abs(UPDATES), 0)
NOISY = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0), r_wg=0.5)
QUIET = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0), r_wg=0.5)


def requests(n=N):
    """One row of `n` cells for each update."""
    return jnp.tile(jnp.asarray(UPDATES, jnp.float32)[:, None], (1, n))


def one_step(tx, updates, params=None):
    params = jnp.zeros_like(updates) if params is None else params
    return tx.update(updates, tx.init(params), params)[0]


def chip(threshold, crossbar=NOISY, seed=0):
    key_gate, key_write = jr.split(jr.key(seed))
    return optax.chain(
        ej.eapu(threshold, key=key_gate), ej.program(crossbar, key=key_write)
    )


def writes(state):
    """Of every cell of the only array."""
    (found,) = ej.writes_per_cell(state).values()
    return np.asarray(found)


def train(tx, sequence, n=N):
    """The end of a walk along fixed updates, and the state; one compiled scan."""

    def step(carry, d):
        w, state = carry
        updates, state = tx.update(jnp.full_like(w, d), state, w)
        return (optax.apply_updates(w, updates), state), None

    w = jnp.zeros((1, n))
    walk = jax.jit(lambda c: jax.lax.scan(step, c, jnp.asarray(sequence, jnp.float32)))
    return walk((w, tx.init(w)))[0]


@pytest.fixture
def as_optax_needs():
    """optax.adam raises a float to an integer power, which strict mode refuses."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture(scope="module")
def steps():
    return np.asarray(one_step(ej.eapu(THETA, key=jr.key(0)), requests()))


@pytest.fixture(scope="module")
def moved():
    return np.asarray(one_step(chip(THETA), requests()))


# I1, I2, I3: the gate alone


def test_i1_written_with_probability_proportional_to_the_update(steps):
    assert_rate((steps != 0).sum(1), N, PROBABILITY)


def test_i1_zero_update_is_never_written(steps):
    assert not steps[UPDATES == 0].any()


def test_i1_very_rare_writes_are_not_inflated_by_the_grid_of_the_dice():
    def hits(key):
        dw = jnp.full((1000, 1000), 1e-9)
        return jnp.sum(one_step(ej.eapu(1.0, key=key), dw) != 0)

    total = jnp.sum(jax.lax.map(hits, jr.split(jr.key(1), 100)))
    assert stats.poisson.sf(int(total) - 1, 0.1) > 1e-6


def test_i1_library_law():
    law = ej.laws.write_probability(jnp.asarray(UPDATES), THETA)
    np.testing.assert_allclose(law, PROBABILITY, rtol=1e-6)


def test_i2_unbiased_on_both_sides_of_the_threshold(steps):
    assert_mean(steps, UPDATES, axis=1)


def test_i2_unbiased_after_the_noisy_write(moved):
    assert_mean(moved, UPDATES, axis=1)


def test_i3_sampling_variance(steps):
    assert_variance(steps, SAMPLING, axis=1)


def test_i3_library_law():
    law = ej.laws.step_variance(jnp.asarray(UPDATES), THETA)
    np.testing.assert_allclose(law, SAMPLING, rtol=1e-6, atol=1e-6)


# I4, I5, I6: the gate and the device


def test_i4_total_variance(moved):
    assert_variance(moved, SAMPLING + PROBABILITY * SIGMA**2, axis=1)


def test_i4_noisy_backpropagation_pays_the_full_error_every_step():
    tx = optax.chain(ej.write_all(), ej.program(NOISY, key=jr.key(2)))
    moved = one_step(tx, requests())
    assert_mean(moved, UPDATES, axis=1)
    assert_variance(moved, np.where(UPDATES == 0, 0, SIGMA**2), axis=1)


def test_i4_library_law():
    law = ej.laws.total_variance(jnp.asarray(UPDATES), THETA, SIGMA)
    expected = SAMPLING + PROBABILITY * SIGMA**2
    np.testing.assert_allclose(law, expected, rtol=1e-6, atol=1e-6)


def test_i5_variance_is_least_where_the_threshold_equals_the_error():
    d, ratios = 0.05, np.array([0.25, 0.5, 1.0, 2.0, 4.0])

    def at(ratio):
        return one_step(chip(ratio * SIGMA), jnp.full((1, N), d))[0]

    moved = jax.jit(jax.vmap(at))(jnp.asarray(ratios, jnp.float32))
    expected = d * SIGMA * (ratios + 1 / ratios) - d**2
    assert_variance(moved, expected, axis=1)
    assert np.argmin(np.var(moved, axis=1)) == 2


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.5])
def test_i5_library_law_is_flat_at_its_optimum(sigma):
    slope = jax.grad(ej.laws.total_variance, argnums=1)
    assert abs(slope(0.05, sigma, sigma)) < 1e-6
    assert slope(0.05, 0.8 * sigma, sigma) < 0 < slope(0.05, 1.25 * sigma, sigma)


def test_i6_gain_over_noisy_backpropagation_is_error_over_twice_the_update():
    d, s = 1.8e-4, 0.025
    gain = s**2 / ej.laws.total_variance(d, s, s)
    np.testing.assert_allclose(gain, s / (2 * d), rtol=0.01)


# How sparse


def test_i7_update_ratio_is_the_mean_update_over_the_threshold():
    dw = 0.2 * jr.normal(jr.key(3), SHAPE)
    tx = chip(THETA)
    _, state = tx.update(dw, tx.init(dw), dw)
    p = np.abs(np.asarray(dw, float)) / THETA
    error = np.sqrt(np.sum(p * (1 - p))) / p.size
    assert_within(ej.update_ratio(state), p.mean(), error)
    assert_within(np.mean(writes(state)), p.mean(), error)


@pytest.mark.usefixtures("as_optax_needs")
def test_i8_adam_on_noise_writes_a_known_share_of_the_cells():
    lr, theta, n_steps, burn_in = 0.05, 0.1, 3000, 1000
    tx = optax.chain(optax.adam(lr), chip(theta))

    def step(carry, t):
        w, state = carry
        gradient = jr.normal(jr.fold_in(jr.key(4), t), (8, 128))
        updates, state = tx.update(gradient, state, w)
        return (optax.apply_updates(w, updates), state), ej.update_ratio(state)

    w = jnp.zeros((8, 128))
    start = w, tx.init(w)
    _, ratio = jax.jit(lambda s: jax.lax.scan(step, s, jnp.arange(n_steps)))(start)
    blocks = np.asarray(ratio[burn_in:]).reshape(20, -1).mean(1)
    assert_mean(blocks, np.sqrt(0.1 / 1.9) * np.sqrt(2 / np.pi) * lr / theta)


@pytest.mark.parametrize(
    ("lr", "ratio"), [(1e-3, 7.3e-3), (1e-4, 7.3e-4), (1e-5, 7.3e-5), (1e-6, 7.3e-6)]
)
def test_i8_library_law_gives_the_tabulated_ratios(lr, ratio):
    np.testing.assert_allclose(ej.laws.adam_update_ratio(lr, 0.025), ratio, rtol=0.01)


def test_i8_adam_constant_is_0_183():
    assert round(float(ej.laws.adam_update_ratio(1.0, 1.0)), 3) == 0.183


# I9, I10: many steps

SEQUENCE = np.array([0.1, -0.4, 1.5, 0.9, -1.0, 0.3, -0.05, 2.0, 0.7, -3.0])
CHANCES = np.minimum(1, np.abs(SEQUENCE) / THETA)


@pytest.fixture(scope="module")
def walk():
    return train(chip(THETA, seed=5), SEQUENCE)


def test_i9_counts_are_poisson_binomial(walk):
    counts = writes(walk[1])[0]
    assert_mean(counts, CHANCES.sum())
    assert_variance(counts, np.sum(CHANCES * (1 - CHANCES)))


def test_i9_counts_follow_the_whole_poisson_binomial_law(walk):
    pmf = np.ones(1)
    for p in CHANCES:
        pmf = np.convolve(pmf, [1 - p, p])
    counts = writes(walk[1])[0]
    seen = np.bincount(counts, minlength=pmf.size)
    assert_rate(seen, N, pmf)


def test_i10_walk_has_the_summed_mean_and_variance(walk):
    sampling = np.abs(SEQUENCE) * np.maximum(THETA - np.abs(SEQUENCE), 0)
    assert_mean(walk[0][0], SEQUENCE.sum())
    assert_variance(walk[0][0], np.sum(sampling + CHANCES * SIGMA**2))


def test_i10_noisy_backpropagation_diffuses_as_the_root_of_time():
    tx = optax.chain(ej.write_all(), ej.program(NOISY, key=jr.key(6)))
    w, _ = train(tx, SEQUENCE)
    assert_mean(w[0], SEQUENCE.sum())
    assert_variance(w[0], SEQUENCE.size * SIGMA**2)


def test_i10_noiseless_walk_has_the_enumerated_law():
    ends, chances = [], []
    sequence = [0.5, -1.2, 3.0, 0.8]
    for hits in itertools.product([0, 1], repeat=4):
        p = [min(1, abs(d) / THETA) for d in sequence]
        hops = [np.sign(d) * max(abs(d), THETA) for d in sequence]
        ends.append(np.dot(hits, hops))
        chances.append(
            np.prod([q if h else 1 - q for q, h in zip(p, hits, strict=True)])
        )
    w, _ = train(chip(THETA, QUIET, seed=7), sequence)
    for end in set(ends):
        chance = sum(c for e, c in zip(ends, chances, strict=True) if e == end)
        assert_rate(np.sum(np.isclose(w[0], end, atol=1e-4)), N, chance)


def published_step(rng, w, dw, clip_value, noise_std, r_wg):
    """The rule as published, in NumPy and microsiemens."""
    theta, sigma = clip_value * r_wg, noise_std * r_wg
    write = np.abs(dw) >= rng.uniform(size=dw.shape) * theta
    step = np.where(np.abs(dw) < theta, np.sign(dw) * theta, dw) * write
    return w + step + (step != 0) * sigma * rng.standard_normal(dw.shape)


def test_walk_is_distributed_as_the_published_rule(walk):
    rng = np.random.default_rng(0)
    w = np.zeros(N)
    for d in SEQUENCE:
        w = published_step(rng, w, np.full(N, d), 4.0, 2.0, 0.5)
    assert stats.ks_2samp(w, np.asarray(walk[0][0])).pvalue > 1e-6


# I11, I12: invariance and limits


def test_i11_only_threshold_and_error_in_weight_units_matter():
    dw = 0.01 * jr.normal(jr.key(8), SHAPE)
    wide = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0), r_wg=1 / 160)
    narrow = ej.Crossbar(device=ej.AdditiveError(write_noise=1.0), r_wg=1 / 80)
    a = one_step(chip(2.0 / 160, wide), dw)
    b = one_step(chip(1.0 / 80, narrow), dw)
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)
    assert np.any(a != 0)


@pytest.mark.parametrize("crossbar", [NOISY, QUIET], ids=["noisy", "quiet"])
def test_i12_vanishing_threshold_is_plain_writing(crossbar):
    dw = jr.normal(jr.key(9), SHAPE)
    both = jax.jit(lambda theta: one_step(chip(theta, crossbar, seed=3), dw))
    key_write = jr.split(jr.key(3))[1]
    plain = optax.chain(ej.write_all(), ej.program(crossbar, key=key_write))
    alone = jax.jit(lambda dw: one_step(plain, dw))(dw)
    np.testing.assert_allclose(both(0.0), alone, rtol=1e-6, atol=1e-6)


def test_i12_vanishing_threshold_without_noise_is_the_plain_optimizer():
    dw = jr.normal(jr.key(10), SHAPE)
    gate = jax.jit(lambda theta: one_step(ej.eapu(theta, key=jr.key(0)), dw))
    assert jnp.array_equal(gate(0.0), dw)
    np.testing.assert_allclose(one_step(chip(1e-9, QUIET), dw), dw, atol=1e-6)


def test_i12_infinite_threshold_never_writes():
    dw = jr.normal(jr.key(11), (1000, 1000))
    gate = ej.eapu(1e30, key=jr.key(0))
    assert not np.any(jax.jit(lambda dw: one_step(gate, dw))(dw))


# I13 to I16: what a step may be


def test_i13_unwritten_cells_are_bit_identical():
    w = jr.normal(jr.key(12), SHAPE) * 0.37
    dw = 0.3 * jr.normal(jr.key(13), w.shape)
    tx = chip(THETA)
    updates, state = tx.update(dw, tx.init(w), w)
    written = writes(state) == 1
    changed = np.asarray(optax.apply_updates(w, updates) != w)
    assert np.array_equal(changed, written)
    assert 0 < written.mean() < 0.5


def test_i13_noise_falls_only_on_written_cells():
    dw = 0.3 * jr.normal(jr.key(13), SHAPE)
    key_gate, _ = jr.split(jr.key(0))
    step = one_step(ej.eapu(THETA, key=key_gate), dw)
    moved = one_step(chip(THETA), dw)
    assert jnp.array_equal(step != 0, moved != 0)
    noise = np.asarray(moved - step)[np.asarray(step) != 0]
    assert stats.kstest(noise, stats.norm(0, SIGMA).cdf).pvalue > 1e-6


def test_i13_a_step_is_nothing_the_threshold_or_the_update(steps):
    small = np.abs(UPDATES) < THETA
    assert np.isin(steps[small], np.float32([0, THETA, -THETA])).all()
    assert np.array_equal(steps[~small], np.asarray(requests())[~small])
    assert np.all(steps * UPDATES[:, None] >= 0)


def test_i14_write_set_grows_with_the_update():
    dw = jr.normal(jr.key(14), SHAPE)
    few, many = (one_step(ej.eapu(THETA, key=jr.key(0)), c * dw) for c in (0.5, 1.5))
    assert np.all((many != 0) | (few == 0))
    assert np.sum(many != 0) > np.sum(few != 0)


def test_i14_write_set_shrinks_with_the_threshold():
    dw = jr.normal(jr.key(14), SHAPE)
    many, few = (one_step(ej.eapu(t, key=jr.key(0)), dw) for t in (1.0, 4.0))
    assert np.all((many != 0) | (few == 0))
    assert np.sum(many != 0) > np.sum(few != 0)


@pytest.mark.usefixtures("as_optax_needs")
@pytest.mark.parametrize(
    "leaf", [jnp.arange(5.0) / 7, jnp.asarray(0.3)], ids=["1-D", "0-D"]
)
def test_i15_digital_leaves_get_the_plain_optimizer_exactly(leaf):
    params = {"w": jnp.ones((4, 4)), "b": leaf}
    ideal = optax.adam(0.1)
    on_chip = optax.chain(optax.adam(0.1), chip(THETA))
    a, b = params, params
    state_a, state_b = ideal.init(a), on_chip.init(b)
    for t in range(3):
        g = jax.tree.map(lambda x, t=t: jnp.cos(x + t), params)
        updates, state_a = ideal.update(g, state_a, a)
        a = optax.apply_updates(a, updates)
        updates, state_b = on_chip.update(g, state_b, b)
        b = optax.apply_updates(b, updates)
    assert jnp.array_equal(a["b"], b["b"])
    assert not jnp.array_equal(a["w"], b["w"])


def test_i16_weights_keep_no_grid():
    w = jr.uniform(jr.key(15), SHAPE)
    moved = w + one_step(ej.eapu(THETA, key=jr.key(0)), jnp.full_like(w, 0.5), w)
    np.testing.assert_allclose(moved % THETA, w % THETA, atol=1e-6)


def test_i16_large_updates_are_not_rounded_to_multiples_of_the_threshold():
    dw = jnp.linspace(THETA, 4 * THETA, 65_536).reshape(SHAPE)
    assert jnp.array_equal(one_step(ej.eapu(THETA, key=jr.key(0)), dw), dw)


# The random draws


def test_cells_leaves_and_steps_have_dice_of_their_own():
    dw = {"a": jnp.ones(SHAPE), "b": jnp.ones(SHAPE)}
    tx = ej.eapu(THETA, key=jr.key(16))
    first, state = tx.update(dw, tx.init(dw), dw)
    second, _ = tx.update(dw, state, dw)
    hits = [np.asarray(x != 0, float) for x in (first["a"], first["b"], second["a"])]
    hits += [np.roll(hits[0], 1, 0), np.roll(hits[0], 1, 1)]
    for x, y in itertools.combinations(hits, 2):
        assert_rate(np.sum(x * y), x.size, 0.25)


def test_gate_and_device_given_the_same_key_still_draw_apart():
    dw = jnp.full((16, 32), 1.0)
    gate, write = (
        f(x, key=jr.key(17)) for f, x in ((ej.eapu, THETA), (ej.program, NOISY))
    )
    noise = np.asarray(one_step(optax.chain(gate, write), dw) - one_step(gate, dw))
    assert stats.kstest(noise[noise != 0], stats.norm(0, SIGMA).cdf).pvalue > 1e-6
