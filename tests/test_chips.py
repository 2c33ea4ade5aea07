"""Populations of chips: their spread, their stuck cells, and chip 17."""

import chex
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from scipy import stats

import eapu_jax as ej
from tests.statistics import assert_mean, assert_rate, assert_variance

PARAMS = {"a": jnp.zeros((4, 8)), "b": jnp.zeros((8, 4)), "bias": jnp.zeros(4)}
NOMINAL = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0, read_noise=0.5))
SPREAD = ej.Spread(
    chip_to_chip={"write_noise": 0.3},
    cell_to_cell={"read_noise": 0.2},
    stuck_rate=0.1,
    stuck_levels=(-40.0, 0.0, 20.0),
)
KEY = jr.key(42)


@pytest.fixture(scope="module")
def chips():
    """Four thousand of them."""
    return ej.sample_chips(KEY, 4000, NOMINAL, PARAMS, SPREAD)


def one(chips, i):
    return jax.tree.map(lambda x: x[i] if jnp.ndim(x) else x, chips)


# Chip 17


def test_chip_17_alone_is_chip_17_among_thousands(chips):
    alone = ej.sample_chip(KEY, 17, NOMINAL, PARAMS, SPREAD)
    chex.assert_trees_all_close(alone, one(chips, 17), rtol=1e-6)
    stuck = lambda c: c["a"].stuck  # noqa: E731
    assert np.array_equal(stuck(alone), stuck(one(chips, 17)))


def test_a_population_is_the_head_of_a_larger_one(chips):
    few = ej.sample_chips(KEY, 5, NOMINAL, PARAMS, SPREAD)
    head = jax.tree.map(lambda x: x[:5] if jnp.ndim(x) else x, chips)
    chex.assert_trees_all_close(few, head, rtol=1e-6)


def test_the_index_of_a_chip_may_be_traced():
    draw = jax.jit(lambda i: ej.sample_chip(KEY, i, NOMINAL, PARAMS, SPREAD))
    number = ej.sample_chip(KEY, 3, NOMINAL, PARAMS, SPREAD)
    chex.assert_trees_all_close(draw(3), number, rtol=1e-6)


def test_chip_17_trains_alone_as_among_others():
    spread = ej.Spread(chip_to_chip={"write_noise": 0.3})
    w, dw = jnp.zeros((8, 8)), jnp.full((8, 8), 0.01)

    def train(i):
        chip = ej.sample_chip(KEY, i, NOMINAL, w, spread)
        tx = ej.program(chip, key=jr.fold_in(jr.key(0), i))
        return tx.update(dw, tx.init(w), w)[0]

    together = jax.jit(jax.vmap(train))(jnp.arange(20))
    np.testing.assert_allclose(together[17], jax.jit(train)(17), rtol=1e-5)
    assert not np.array_equal(together[17], together[18])


def test_two_chips_and_two_populations_differ(chips):
    a, b = one(chips, 0)["a"], one(chips, 1)["a"]
    assert a.device.write_noise != b.device.write_noise
    assert not np.array_equal(a.stuck, b.stuck)
    other = ej.sample_chip(jr.key(43), 0, NOMINAL, PARAMS, SPREAD)["a"]
    assert a.device.write_noise != other.device.write_noise


# Spreads


def test_chip_to_chip_spread_has_the_nominal_mean_and_the_stated_deviation(chips):
    noise = np.asarray(chips["a"].device.write_noise)
    assert_mean(noise, 2.0)
    assert_variance(noise, 2.0**2 * (np.exp(0.3**2) - 1))
    assert_mean(np.log(noise / 2.0), -(0.3**2) / 2)
    assert_variance(np.log(noise / 2.0), 0.3**2)


def test_cell_to_cell_spread_has_the_nominal_mean_and_the_stated_deviation(chips):
    noise = np.ravel(chips["b"].device.read_noise[:2000])
    assert_mean(noise, 0.5)
    assert_variance(np.log(noise / 0.5), 0.2**2)


def test_a_chip_is_one_device_in_all_its_layers(chips):
    first, second, digital = (chips[k].device.write_noise for k in ("a", "b", "bias"))
    assert np.array_equal(first, second)
    assert np.array_equal(first, digital)


def test_cells_stray_independently(chips):
    log = np.log(np.asarray(chips["a"].device.read_noise) / 0.5) + 0.2**2 / 2
    assert_mean(log[:, 0, 0] * log[:, 0, 1], 0)
    other = np.log(np.asarray(chips["b"].device.read_noise) / 0.5) + 0.2**2 / 2
    assert_mean(log[:, 0, 0] * other[:, 0, 0], 0)


def test_both_spreads_of_one_constant_multiply():
    both = ej.Spread(
        chip_to_chip={"write_noise": 0.3}, cell_to_cell={"write_noise": 0.4}
    )
    chips = ej.sample_chips(KEY, 4000, NOMINAL, PARAMS, both)
    log = np.log(np.asarray(chips["a"].device.write_noise) / 2.0)
    assert_variance(log[:, 0, 0], 0.3**2 + 0.4**2)
    assert_variance(log[:, 0, 0] - log[:, 1, 1], 2 * 0.4**2)


def test_constants_without_a_spread_stay_nominal(chips):
    assert np.all(chips["a"].r_wg == NOMINAL.r_wg)
    plain = ej.sample_chip(KEY, 0, NOMINAL, PARAMS, ej.Spread())
    assert plain["a"].device == NOMINAL.device
    assert plain["a"].stuck is None


def test_shapes_suffice_to_draw_a_chip():
    shapes = jax.eval_shape(lambda: PARAMS)
    drawn = ej.sample_chip(KEY, 0, NOMINAL, shapes, SPREAD)
    expected = ej.sample_chip(KEY, 0, NOMINAL, PARAMS, SPREAD)
    chex.assert_trees_all_equal(drawn, expected)


@pytest.mark.parametrize(
    "device", [ej.VerifyRelaxation(), ej.SoftBounds()], ids=["verify", "soft bounds"]
)
def test_every_device_has_chips(device):
    spread = ej.Spread(chip_to_chip={"read_noise": 0.1}, stuck_rate=0.5)
    crossbar = ej.Crossbar(device=device)
    chips = ej.sample_chips(KEY, 3, crossbar, PARAMS, spread)
    keys = jr.split(KEY, 3)

    def write(chip, key):
        tx = ej.program(chip, key=key)
        return tx.update(PARAMS, tx.init(PARAMS), PARAMS)[0]

    moved = jax.jit(jax.vmap(write))(chips, keys)
    assert moved["a"].shape == (3, 4, 8)


PULSED = [ej.SoftBounds, ej.LinearStep, ej.ExponentialStep, ej.Ferroelectric]


@pytest.mark.parametrize("kind", PULSED)
@pytest.mark.parametrize("within", [False, True])
def test_whoever_writes_knows_the_nominal_steps_alone(kind, within):
    """A cell whose step strays gets as many pulses as any: its change strays, too."""
    device, prefix = kind(pulse=0.5, down_ratio=0.8), ""
    if within:
        device, prefix = ej.Wearing(device=device), "device."
    sigma = {prefix + "pulse": 0.3, prefix + "down_ratio": 0.2}
    spread = ej.Spread(chip_to_chip=sigma, cell_to_cell=sigma)
    chip = ej.sample_chip(KEY, 0, ej.Crossbar(device=device), PARAMS, spread)["a"]
    start = chip.device.init(KEY, jnp.full((4, 8), 20.0))
    _, up = chip.device.write(KEY, start, jnp.full((4, 8), 5.0))
    _, down = chip.device.write(KEY, start, jnp.full((4, 8), -4.0))
    np.testing.assert_array_equal(up.up, 10)
    np.testing.assert_array_equal(down.down, 10)
    assert chip.device.smallest_request() == 0.25
    drawn = chip.device.device if within else chip.device
    assert drawn.pulse.shape == (4, 8)
    assert np.ptp(drawn.pulse) > 0.1


def test_the_change_of_a_cell_is_that_of_its_own_step():
    flat = {"slope_up": 0.0, "slope_down": 0.0, "write_noise": 0.0}
    device = ej.LinearStep(pulse=0.5, down_ratio=0.8, **flat)
    spread = ej.Spread(cell_to_cell={"pulse": 0.3, "down_ratio": 0.2})
    own = ej.sample_chip(KEY, 0, ej.Crossbar(device=device), PARAMS, spread)["a"].device
    start = own.init(KEY, jnp.zeros((4, 8)))
    for dg, step in ((5.0, own.pulse), (-4.0, own.pulse * own.down_ratio)):
        moved = np.asarray(own.write(KEY, start, jnp.full((4, 8), dg))[0].g)
        np.testing.assert_allclose(moved, np.sign(dg) * 10 * step, rtol=1e-5)


def test_steps_that_are_reckoned_with_are_two():
    with pytest.raises(ValueError, match=r"SoftBounds\.reckoned must be PulseSteps"):
        ej.SoftBounds(reckoned=(0.5, 0.5))
    with pytest.raises(ValueError, match=r"PulseSteps\.down must be > 0, got 0"):
        ej.PulseSteps(down=0.0)


# Normal spread, and bounds


@pytest.mark.parametrize("sigma", [0.1, 0.2])
def test_a_normal_spread_has_the_nominal_mean_and_the_stated_deviation(sigma):
    spread = ej.Spread(chip_to_chip={"write_noise": sigma}, law="normal")
    chips = ej.sample_chips(KEY, 20_000, NOMINAL, PARAMS, spread)
    factor = np.asarray(chips["a"].device.write_noise, float) / 2.0
    assert_mean(factor, 1.0)
    assert stats.kstest(factor, stats.norm(1, sigma).cdf).pvalue > 1e-6


def test_a_wide_normal_spread_is_cut_off_where_signs_would_change():
    spread = ej.Spread(cell_to_cell={"write_noise": 1.5}, law="normal")
    drawn = ej.sample_chips(KEY, 500, NOMINAL, PARAMS, spread)["a"].device.write_noise
    factor = np.ravel(np.asarray(drawn, float)) / 2.0
    law = stats.truncnorm(-1 / 1.5, 1 / 1.5, loc=1, scale=1.5)
    assert stats.kstest(factor, law.cdf).pvalue > 1e-6
    assert np.all(factor >= 0)


def test_an_unknown_law_is_refused():
    with pytest.raises(ValueError, match=r"Spread\.law must be one of"):
        ej.Spread(law="uniform")


@pytest.mark.parametrize("law", ["lognormal", "normal"])
@pytest.mark.parametrize("both", [True, False])
def test_every_window_stays_a_window(law, both):
    device = ej.SoftBounds(g_min=10.0, g_max=14.0)
    sigmas = {"g_min": 0.5, "g_max": 0.5} if both else {"g_min": 0.8}
    spread = ej.Spread(chip_to_chip=sigmas, cell_to_cell=sigmas, law=law)
    crossbar = ej.Crossbar(device=device, encoding=ej.SingleCell(reference=12.0))
    chips = ej.sample_chips(KEY, 500, crossbar, PARAMS, spread)
    for name in ("a", "bias"):
        drawn = chips[name].device
        assert np.all(np.asarray(drawn.g_min) < np.asarray(drawn.g_max))


def test_ends_of_a_window_that_have_crossed_change_places():
    device = ej.SoftBounds(g_min=10.0, g_max=14.0)
    crossbar = ej.Crossbar(device=device, encoding=ej.SingleCell(reference=12.0))
    spread = ej.Spread(chip_to_chip={"g_min": 0.8})
    drawn = ej.sample_chips(KEY, 4000, crossbar, PARAMS, spread)["a"].device
    crossed = np.asarray(drawn.g_max) > 14.001
    above = stats.lognorm(0.8, scale=10 * np.exp(-0.32)).sf(14.0)
    assert_rate(np.sum(crossed), 4000, above)
    np.testing.assert_allclose(np.asarray(drawn.g_min)[crossed], 14.0, rtol=1e-6)


def test_a_window_that_has_not_crossed_is_as_drawn():
    crossbar = ej.Crossbar(device=ej.SoftBounds(g_min=-80.0, g_max=80.0))
    spread = ej.Spread(chip_to_chip={"g_min": 0.2, "g_max": 0.2})
    drawn = ej.sample_chips(KEY, 4000, crossbar, PARAMS, spread)["a"].device
    assert_mean(drawn.g_min, -80.0)
    assert_mean(drawn.g_max, 80.0)
    assert_mean((drawn.g_min + 80) * (drawn.g_max - 80), 0.0)


def test_a_drawn_constant_stays_within_its_own_bounds():
    device = ej.StochasticSwitching(probability=0.9)
    crossbar = ej.Crossbar(device=device, encoding=ej.SingleCell(reference=240.0))
    for law in ("lognormal", "normal"):
        spread = ej.Spread(cell_to_cell={"probability": 0.5}, law=law)
        drawn = ej.sample_chip(KEY, 0, crossbar, jnp.zeros((50, 50)), spread).device
        assert np.all((drawn.probability >= 0) & (drawn.probability <= 1))
        assert np.mean(drawn.probability == 1) > 0.1


def test_the_device_within_a_device_has_its_spread_too():
    device = ej.Wearing(device=ej.FiniteLevels(device=ej.SoftBounds(), levels=16))
    crossbar = ej.Crossbar(device=device)
    sigmas = {"endurance": 0.2, "device.device.pulse": 0.3}
    spread = ej.Spread(chip_to_chip=sigmas, cell_to_cell={"device.device.g_max": 0.1})
    chips = ej.sample_chips(KEY, 2000, crossbar, PARAMS, spread)
    soft = chips["a"].device.device.device
    assert_variance(np.log(np.asarray(soft.pulse, float)), 0.3**2)
    assert_variance(np.log(np.asarray(chips["a"].device.endurance, float)), 0.2**2)
    assert soft.g_max.shape == (2000, 4, 8)
    with pytest.raises(ValueError, match=r"has only .*device\.device\.pulse"):
        ej.sample_chip(KEY, 0, crossbar, PARAMS, ej.Spread(chip_to_chip={"pulse": 0.1}))


# Chips at work


def test_every_chip_writes_with_its_own_error():
    w = jnp.zeros((64, 64))
    spread = ej.Spread(chip_to_chip={"write_noise": 0.5})
    chips = ej.sample_chips(KEY, 6, NOMINAL, w, spread)

    def write(chip, key):
        tx = ej.program(chip, key=key)
        return tx.update(w + 1.0, tx.init(w), w)[0]

    written = jax.jit(jax.vmap(write))(chips, jr.split(jr.key(1), 6))
    error = written.reshape(6, -1) - 1.0
    expected = (chips.device.write_noise / 80) ** 2
    assert_variance(80 * error, 80**2 * expected, axis=1)


# Stuck cells


def test_cells_stick_at_the_stated_rate_and_levels(chips):
    stuck, level = np.asarray(chips["b"].stuck), np.asarray(chips["b"].stuck_at)
    assert_rate(np.sum(stuck), stuck.size, 0.1)
    for value in SPREAD.stuck_levels:
        assert_rate(np.sum(stuck & (level == value)), stuck.size, 0.1 / 3)


def test_digital_leaves_have_no_stuck_cells(chips):
    assert chips["bias"].stuck is None


def test_stuck_cells_never_move_and_healthy_ones_do():
    w = jnp.zeros((16, 16))
    spread = ej.Spread(stuck_rate=0.3, stuck_levels=(-16.0, 24.0))
    chip = ej.sample_chip(KEY, 0, NOMINAL, w, spread)
    tx = optax.chain(optax.sgd(0.1), ej.program(chip, key=jr.key(0)))
    state, path = tx.init(w), []
    for _ in range(5):
        updates, state = tx.update(jnp.ones((16, 16)), state, w)
        w = optax.apply_updates(w, updates)
        path.append(w)
    stuck = np.asarray(chip.stuck)
    level = np.asarray(chip.stuck_at)[stuck] / 80
    np.testing.assert_allclose(np.stack(path)[:, stuck], np.tile(level, (5, 1)))
    assert np.all(np.diff(np.stack(path)[:, ~stuck], axis=0) != 0)


@pytest.mark.parametrize(("rate", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_none_or_all_may_be_stuck(rate, share):
    chip = ej.sample_chip(KEY, 0, NOMINAL, PARAMS, ej.Spread(stuck_rate=rate))["a"]
    stuck = np.zeros(1) if chip.stuck is None else chip.stuck
    assert np.mean(stuck) == share
