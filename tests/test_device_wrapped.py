"""What finite levels, wear and retention do to the device within."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

import eapu_jax as ej
from tests.statistics import assert_mean, assert_rate, assert_variance

N = 20_000
QUIET = ej.AdditiveError(write_noise=0.0, g_min=0.0, g_max=30.0)
KEY = jr.key(0)
write = jax.jit(lambda device, key, cells, dg: device.write(key, cells, dg))


def stand(device, g, n=N):
    return device.init(jr.key(9), jnp.full(n, g))


# Finite levels


@pytest.mark.parametrize("levels", [2, 4, 16, 64])
def test_cells_stand_on_evenly_spaced_levels_always(levels):
    device = ej.FiniteLevels(
        device=ej.AdditiveError(write_noise=1.0, g_min=0.0, g_max=30.0), levels=levels
    )
    cells = device.init(KEY, jnp.linspace(-5.0, 35.0, N))
    for key in jr.split(KEY, 3):
        number = np.asarray(cells.g, float) / 30 * (levels - 1)
        np.testing.assert_allclose(number, np.rint(number), atol=1e-4)
        cells, _ = write(device, key, cells, jnp.linspace(-20.0, 20.0, N))


def test_a_quiet_write_lands_on_the_level_next_to_its_target():
    device = ej.FiniteLevels(device=QUIET, levels=4)
    dg = jnp.linspace(-40.0, 40.0, N)
    landed = np.asarray(write(device, KEY, stand(device, 10.0), dg)[0].g)
    levels = np.array([0.0, 10.0, 20.0, 30.0])
    nearest = levels[np.argmin(np.abs(10 + np.asarray(dg)[:, None] - levels), 1)]
    tie = np.abs((np.asarray(dg) % 10) - 5) < 1e-3
    np.testing.assert_array_equal(landed[~tie], nearest[~tie])


def test_an_error_larger_than_half_a_level_misses_it_as_often_as_it_must():
    inner = ej.AdditiveError(write_noise=4.0, g_min=-150.0, g_max=150.0)
    device = ej.FiniteLevels(device=inner, levels=31)
    landed = write(device, KEY, stand(device, 0.0), jnp.full(N, 12.0))[0].g
    hit = np.sum(np.abs(np.asarray(landed) - 10.0) < 0.1)
    assert_rate(hit, N, 1 - 2 * stats.norm.sf(5 / 4))


def test_a_device_that_falls_short_ends_at_the_level_it_reached():
    soft = ej.SoftBounds(g_min=0.0, g_max=30.0, pulse=1.0, write_noise=0.0)
    device = ej.FiniteLevels(device=soft, levels=31)
    landed = write(device, KEY, stand(device, 15.0, 1), jnp.full(1, 15.0))[0].g
    assert float(landed[0]) == round(30 - 15 * (1 - 1 / 15) ** 15)


def test_a_cell_on_its_level_gets_no_pulse():
    device = ej.FiniteLevels(device=QUIET, levels=4)
    cells = stand(device, 30.0)
    _, pulses = write(device, KEY, cells, jnp.full(N, 50.0))
    assert not np.any(pulses.sent)


def test_levels_need_a_closed_window_and_at_least_two():
    with pytest.raises(ValueError, match=r"FiniteLevels\.device\.g_min must be finite"):
        ej.FiniteLevels(device=ej.AdditiveError())
    with pytest.raises(ValueError, match=r"FiniteLevels\.levels must be >= 2, got 1"):
        ej.FiniteLevels(device=QUIET, levels=1)


# Wear


def test_endurance_is_log_normal():
    cells = stand(ej.Wearing(device=QUIET, endurance=1e4, spread=0.5), 0.0)
    law = stats.lognorm(0.5, scale=1e4)
    assert stats.kstest(np.asarray(cells.endurance, float), law.cdf).pvalue > 1e-6


def test_a_cell_moves_until_it_is_worn_and_never_after():
    device = ej.Wearing(device=QUIET, endurance=4.0, spread=0.5)
    cells = fresh = stand(device, 0.0)
    for key in jr.split(KEY, 12):
        cells, pulses = write(device, key, cells, jnp.ones(N))
        assert np.all(pulses.sent)
    served = np.minimum(np.ceil(np.asarray(fresh.endurance)), 12)
    np.testing.assert_array_equal(cells.inner.g, served)
    assert np.all(np.asarray(cells.low) == 12)


def test_every_pulse_of_a_train_wears():
    soft = ej.SoftBounds(g_min=0.0, g_max=30.0, pulse=0.5, write_noise=0.0)
    device = ej.Wearing(device=soft, endurance=15.0, spread=0.0)
    cells = stand(device, 15.0)
    seen = []
    for sign in (1.0, -1.0, 1.0):
        cells, pulses = write(device, KEY, cells, jnp.full(N, sign * 5.0))
        seen.append(float(cells.inner.g[0]))
        assert int(pulses.up[0] + pulses.down[0]) == 10
    assert seen[0] > 15.0 > seen[1] == seen[2]
    assert int(cells.low[0]) == 30


def test_counts_of_wear_do_not_overflow():
    device = ej.Wearing(device=QUIET, endurance=1e15, spread=0.0)
    cells = stand(device, 0.0)
    full = cells._replace(low=jnp.full(N, 2**32 - 1, jnp.uint32))
    cells, _ = write(device, KEY, full, jnp.ones(N))
    assert np.all(np.asarray(cells.high) == 1)
    assert not np.any(np.asarray(cells.low))
    assert np.all(cells.inner.g == 1.0)
    worn = cells._replace(high=jnp.full(N, 232831, jnp.uint32))  # 2**32 times is 1e15
    assert np.all(device.worn(worn))


def test_a_worn_cell_still_drifts():
    device = ej.Wearing(device=ej.PhaseChange(), endurance=1e-3, spread=0.0)
    cells, _ = write(device, KEY, stand(device, 10.0), jnp.ones(N))
    cells, _ = write(device, KEY, cells, jnp.ones(N))
    late = device.advance(KEY, cells, 1e5)
    assert np.all(device.conductance(late) < device.conductance(cells))


# Retention


def test_an_exponential_leak_has_its_time_constant_and_its_level():
    device = ej.ExponentialRetention(device=QUIET, level=5.0, time_constant=30.0)
    g = np.linspace(0, 30, 7)
    cells = device.init(KEY, jnp.asarray(g, jnp.float32))
    for dt in (1.0, 30.0, 1e6):
        left = device.conductance(device.advance(KEY, cells, dt))
        np.testing.assert_allclose(left, 5 + (g - 5) * np.exp(-dt / 30), rtol=1e-5)


def test_a_power_leak_has_its_exponent_and_begins_anew_at_a_write():
    device = ej.PowerRetention(device=QUIET, level=2.0, exponent=0.3, onset=4.0)
    cells = device.advance(KEY, device.advance(KEY, stand(device, 20.0, 2), 7.0), 93.0)
    left = 2 + 18 * (1 + 100 / 4) ** -0.3
    np.testing.assert_allclose(device.conductance(cells), left, rtol=1e-5)
    cells, _ = device.write(KEY, cells, jnp.array([3.0, 0.0]))
    assert cells.age.tolist() == [0.0, 100.0]
    late = device.conductance(device.advance(KEY, cells, 12.0))
    expected = [2 + (left + 1) * 4**-0.3, 2 + 18 * (1 + 112 / 4) ** -0.3]
    np.testing.assert_allclose(late, expected, rtol=1e-5)


@pytest.mark.parametrize("wrapper", [ej.ExponentialRetention, ej.PowerRetention])
def test_a_level_outside_the_window_is_refused(wrapper):
    with pytest.raises(ValueError, match=r"Retention\.level must be >= 0, got -1"):
        wrapper(device=QUIET, level=-1.0)
    with pytest.raises(ValueError, match=r"Retention\.level must be <= 30, got 31"):
        wrapper(device=QUIET, level=31.0)


@pytest.mark.parametrize("wrapper", [ej.ExponentialRetention, ej.PowerRetention])
def test_a_leaking_device_may_be_made_inside_a_program(wrapper):
    made = jax.jit(lambda g: wrapper(device=QUIET, level=2.0).init(KEY, g))
    assert jnp.array_equal(jax.tree.leaves(made(jnp.ones(3)))[0], jnp.ones(3))


# Jumps


def jumped(device, times, n=N):
    """What is left of cells that stood at 24 uS, after these waits in a row."""
    cells = stand(device, 24.0, n)
    for key, dt in zip(jr.split(jr.key(4), len(times)), times, strict=True):
        cells = jax.jit(device.advance)(key, cells, dt)
    return np.asarray(device.conductance(cells), float) / 24


@pytest.mark.parametrize("rate", [0.05, 1.0])
@pytest.mark.parametrize(
    "times", [(3.0,), (1e6,), (2.0, 1.0), (10.0, 90.0, 999_900.0), (5e5, 0.0, 5e5)]
)
def test_cells_have_jumped_as_a_poisson_process_in_log_time(rate, times):
    device = ej.Jumping(device=QUIET, rate=rate, lowest=0.5, onset=2.0)
    left = jumped(device, times)
    expected = 1 - np.exp(-rate * np.log10(1 + sum(times) / 2))
    assert_rate(np.sum(left < 1), N, expected)


@pytest.mark.parametrize(
    "times", [(1e6,), pytest.param((10.0,) * 40, marks=pytest.mark.slow)]
)
def test_what_a_jump_leaves_is_uniform_however_often_a_cell_has_jumped(times):
    device = ej.Jumping(device=QUIET, rate=3.0, lowest=0.6)
    left = jumped(device, times)
    left = left[left < 1]
    assert len(left) > 0.9 * N
    assert_mean(left, 0.8)
    assert_variance(left, 0.4**2 / 12)
    assert stats.kstest(left, stats.uniform(0.6, 0.4).cdf).pvalue > 1e-6


def test_a_write_starts_from_where_the_cell_stands_and_jumps_begin_anew():
    device = ej.Jumping(device=QUIET, rate=50.0, lowest=0.5)
    cells = device.advance(KEY, stand(device, 20.0), 1e6)
    before = np.asarray(device.conductance(cells), float)
    some = np.arange(N) % 2 == 0
    cells, _ = device.write(KEY, cells, jnp.where(some, 2.0, 0.0))
    now = np.asarray(device.conductance(cells), float)
    np.testing.assert_allclose(now, before + 2 * some, rtol=1e-5)
    np.testing.assert_array_equal(cells.age, np.where(some, 0, np.float32(1e6)))
    soon = np.asarray(device.conductance(device.advance(KEY, cells, 0.01)), float)
    chance = 1 - np.exp(-50 * np.log10(1.01))
    assert_rate(np.sum(soon[some] != now[some]), some.sum(), chance)
    assert np.all(soon[~some] == now[~some])  # 1e6 s old: no decade has passed


def test_no_jump_leads_out_of_the_window():
    inner = ej.AdditiveError(write_noise=0.0, g_min=8.0, g_max=30.0)
    device = ej.Jumping(device=inner, rate=100.0, lowest=0.5)
    g = device.conductance(device.advance(KEY, stand(device, 10.0), 1e6))
    assert_rate(np.sum(np.asarray(g) == 8.0), N, 0.6)  # factors of 0.5 to 0.8


def test_a_jump_moves_what_is_read_and_how_noisily():
    device = ej.Jumping(device=ej.AdditiveError(read_noise=0.1), rate=100.0)
    cells = device.advance(KEY, stand(device, 50.0), 1e6)
    noise = device.read(jr.key(1), cells) - device.conductance(cells)
    assert_mean(noise, 0.0)
    assert_variance(noise, 0.1**2)


def test_a_jump_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Jumping\.lowest must be > 0, got 0"):
        ej.Jumping(device=QUIET, lowest=0.0)


# In an array


def test_wrapped_devices_train_with_their_state():
    device = ej.Wearing(
        device=ej.FiniteLevels(device=ej.SoftBounds(), levels=16), endurance=40.0
    )
    crossbar = ej.Crossbar(device=device, r_wg=1 / 80)
    w = jnp.zeros((8, 8))
    tx = ej.program(crossbar, key=KEY)
    state = tx.init(w)
    step = jax.jit(tx.update)
    for _ in range(12):
        updates, state = step(jnp.full((8, 8), 0.2), state, w)
        w = w + updates
    wear = jax.tree.leaves(ej.view(state))
    assert np.all(np.isfinite(w))
    assert len(wear) > 4


def test_cells_of_several_arrays_share_one_buffer_and_keep_their_own_state():
    crossbar = ej.Crossbar(device=ej.Wearing(device=ej.SoftBounds(), endurance=5.0))
    params = {"a": jnp.zeros((3, 4)), "b": jnp.zeros((5, 2))}
    tx = ej.program(crossbar, key=KEY)
    state = tx.init(params)
    asked = {"a": jnp.zeros((3, 4)), "b": jnp.full((5, 2), 0.1)}
    _, state = tx.update(asked, state, params)
    assert not np.any(ej.view(state)["a"].cells.low)
    assert np.all(np.asarray(ej.view(state)["b"].cells.low) == 16)


def test_no_time_moves_no_cell_whose_device_rounds_what_is_put_into_it():
    device = ej.ExponentialRetention(device=ej.PhaseChange(), time_constant=1e9)
    aged = device.advance(KEY, stand(device, 7.0), 1e5)
    still = device.advance(KEY, aged, 0.0)
    jax.tree.map(np.testing.assert_array_equal, still, aged)
