"""What every memristor model must obey, whatever it is made of.

A new device is covered by a line in DEVICES. What each one claims for itself is in
the files `test_device_*.py`.
"""

import dataclasses
import math

import chex
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

import eapu_jax as ej
from tests.statistics import assert_mean, assert_second_moment, assert_variance
from tests.toys import RelativeError

ADDITIVE = ej.AdditiveError(write_noise=2.0, read_noise=0.3, g_min=-60.0, g_max=70.0)
SOFT = ej.SoftBounds(read_noise=0.3, down_ratio=1.5)
DEVICES = {
    "additive": ej.AdditiveError(write_noise=2.0, read_noise=0.3),
    "additive, windowed": ADDITIVE,
    "verify, relaxation": ej.VerifyRelaxation(read_noise=0.3),
    "verify, windowed": ej.VerifyRelaxation(read_noise=0.3, g_min=-60.0, g_max=70.0),
    "soft bounds": SOFT,
    "linear step": ej.LinearStep(read_noise=0.3, slope_up=0.1, slope_down=0.6),
    "exponential step": ej.ExponentialStep(read_noise=0.3, down_ratio=0.7),
    "state-dependent error": ej.StateDependentError(read_noise=0.3),
    "phase change": ej.PhaseChange(read_noise=0.3),
    "ferroelectric": ej.Ferroelectric(read_noise=0.3, down_ratio=0.8),
    "magnetic": ej.StochasticSwitching(read_noise=0.3, levels=5),
    "16 levels": ej.FiniteLevels(device=ADDITIVE, levels=16),
    "4 levels of soft bounds": ej.FiniteLevels(device=SOFT, levels=4),
    "wearing": ej.Wearing(device=ADDITIVE),
    "leaking": ej.ExponentialRetention(device=ADDITIVE, time_constant=300.0),
    "leaking by a power": ej.PowerRetention(device=SOFT, exponent=0.1),
    "jumping": ej.Jumping(device=ADDITIVE, rate=2.0),
    "a stranger's": RelativeError(read_noise=0.3),
    "wearing, of 16 levels": ej.Wearing(
        device=ej.FiniteLevels(device=SOFT, levels=16), endurance=1e12
    ),
}
VOLATILE = [name for name in DEVICES if DEVICES[name].volatile]
SPARSE = ["additive", "soft bounds", "linear step", "exponential step", "ferroelectric"]
N = 20_000

each = pytest.mark.parametrize("name", DEVICES)
each_volatile = pytest.mark.parametrize("name", VOLATILE)
each_sparse = pytest.mark.parametrize("name", SPARSE)

init = jax.jit(lambda device, key, g: device.init(key, g))
write = jax.jit(lambda device, key, cells, dg: device.write(key, cells, dg))
advance = jax.jit(lambda device, key, cells, dt: device.advance(key, cells, dt))
read = jax.jit(lambda device, key, cells: device.read(key, cells))
at = jax.jit(lambda device, cells: device.conductance(cells))


def window(device):
    """Where the cells of a test stand, µS: the window, or a part of an open one."""
    low, high = float(device.g_min), float(device.g_max)
    return (low if np.isfinite(low) else -60.0), (high if np.isfinite(high) else 70.0)


def places(device, shape=N):
    """Conductances inside the window, µS."""
    low, high = window(device)
    i = jnp.arange(np.prod(shape), dtype=jnp.float32).reshape(shape)
    wave = jnp.sin(i + 0.3)  # never half way between two levels
    return low + (high - low) * (0.5 + 0.4 * wave)


def fresh(device, shape=N):
    return init(device, jr.key(7), places(device, shape))


def requests(device, shape=N):
    """Changes of either sign, large enough to be sent; a third is none. µS."""
    low, high = window(device)
    size = max(0.1 * (high - low), 1.5 * float(device.smallest_request()))
    i = jnp.arange(np.prod(shape), dtype=jnp.float32).reshape(shape)
    sign = jnp.where(jnp.sin(5 * i) > 0, 1.0, -1.0)
    return jnp.where(i % 3 == 0, 0, sign * size * (1 + 0.3 * jnp.cos(i)))


def served(device, dg):
    """Which requests lie in a direction in which the device can be pulsed."""
    return (dg != 0) & np.isin(np.sign(dg), device.directions)


def life(device, key, g, dg, dt=10.0):
    """A fresh cell is written, waits and is read: everything that it can do."""
    keys = jr.split(key, 4)
    cells = device.init(keys[0], g)
    cells, _ = device.write(keys[1], cells, dg)
    cells = device.advance(keys[2], cells, dt)
    return device.read(keys[3], cells)


lived = jax.jit(life)


# What is written


@each
def test_a_cell_without_a_pulse_comes_back_bit_for_bit(name):
    device = DEVICES[name]
    cells, dg = fresh(device), requests(device)
    written, pulses = write(device, jr.key(0), cells, dg)
    quiet = ~pulses.sent
    for old, new in zip(*map(jax.tree.leaves, (cells, written)), strict=True):
        assert np.array_equal(old[quiet], new[quiet])
    assert np.all(quiet[np.asarray(dg) == 0])


@each
def test_pulses_have_the_direction_that_was_asked_and_the_device_has(name):
    device = DEVICES[name]
    dg = requests(device)
    _, pulses = write(device, jr.key(0), fresh(device), dg)
    up, down = np.asarray(pulses.up).astype(int), np.asarray(pulses.down).astype(int)
    assert np.all((up >= 0) & (down >= 0))
    assert not np.any(up[dg <= 0])
    assert not np.any(down[dg >= 0])
    assert not np.any(np.asarray(pulses.sent)[~served(device, dg)])
    assert np.mean(np.asarray(pulses.sent)[served(device, dg)]) > 0.5


@each
def test_a_cell_that_moved_was_pulsed_and_most_pulsed_cells_move(name):
    device = DEVICES[name]
    cells = fresh(device)
    written, pulses = write(device, jr.key(0), cells, requests(device))
    moved = np.asarray(at(device, written) != at(device, cells))
    sent = np.asarray(pulses.sent)
    assert not np.any(moved & ~sent)
    assert np.mean(moved[sent]) > 0.6


@each
def test_more_than_the_smallest_request_is_answered_in_every_direction(name):
    device = DEVICES[name]
    cells, sign = fresh(device), jnp.sign(requests(device))
    sent = {}
    for share in (0.999, 1.001):
        dg = share * float(device.smallest_request()) * sign
        sent[share] = np.asarray(write(device, jr.key(0), cells, dg)[1].sent)
    ways = [np.asarray(sign == d) for d in device.directions]
    if device.smallest_request() > 0:
        assert all(np.mean(sent[1.001][way]) > 0.7 for way in ways)
    assert any(not np.any(sent[0.999][way]) for way in ways)


@each
@pytest.mark.parametrize("push", [-5.0, -0.02, 0.02, 5.0])
def test_cells_stay_in_their_window(name, push):
    device = DEVICES[name]
    low, high = window(device)
    dg = jnp.full(N, push * (high - low))
    cells, _ = write(device, jr.key(0), fresh(device), dg)
    for now in (cells, advance(device, jr.key(1), cells, 1e3)):
        g = at(device, now)
        assert np.all((g >= device.g_min) & (g <= device.g_max))


@each
def test_fresh_cells_begin_in_the_window_and_where_they_were_put(name):
    device = DEVICES[name]
    low, high = window(device)
    g = at(device, init(device, jr.key(0), jnp.linspace(low - 50, high + 50, N)))
    assert np.all((g >= device.g_min) & (g <= device.g_max))
    again = at(device, init(device, jr.key(1), g))
    np.testing.assert_allclose(again, g, rtol=1e-5, atol=1e-5)


@each
@pytest.mark.parametrize("asked", [np.nan, np.inf, -np.inf])
def test_what_has_diverged_shows(name, asked):
    device = DEVICES[name]
    dg = jnp.where(jnp.arange(N) % 2 == 0, asked, 0)
    written, _ = write(device, jr.key(0), fresh(device), dg)
    lost = np.isnan(at(device, written))
    one_sided_down = asked == -np.inf and -1 not in device.directions
    assert np.array_equal(lost, np.arange(N) % 2 == (2 if one_sided_down else 0))


@each
def test_put_moves_a_cell_and_keeps_what_else_it_remembers(name):
    device = DEVICES[name]
    cells, _ = write(device, jr.key(0), fresh(device), requests(device))
    cells = advance(device, jr.key(1), cells, 100.0)
    moved = device.put(cells, places(device))
    np.testing.assert_allclose(at(device, moved), places(device), rtol=1e-5, atol=1e-5)
    assert jax.tree.structure(moved) == jax.tree.structure(cells)


# Time


@each
def test_no_time_no_change(name):
    device = DEVICES[name]
    cells, _ = write(device, jr.key(0), fresh(device), requests(device))
    cells = advance(device, jr.key(1), cells, 30.0)
    for a, b in zip(
        *map(jax.tree.leaves, (cells, advance(device, jr.key(2), cells, 0.0))),
        strict=True,
    ):
        assert np.array_equal(a, b)


@each
def test_only_volatile_devices_move_by_themselves(name):
    device = DEVICES[name]
    cells = fresh(device)
    moved = at(device, advance(device, jr.key(0), cells, 100.0)) != at(device, cells)
    assert np.mean(moved) > 0.9 if device.volatile else not np.any(moved)


@each_volatile
def test_waiting_twice_is_waiting_once_for_the_sum(name):
    device = DEVICES[name]
    low, high = window(device)
    cells = init(device, jr.key(0), jnp.full(N, (low + high) / 2))
    once = at(device, advance(device, jr.key(1), cells, 3000.0))
    first = advance(device, jr.key(2), cells, 20.0)
    twice = at(device, advance(device, jr.key(3), first, 2980.0))
    if np.std(once) < 1e-3:  # nothing random
        np.testing.assert_allclose(once, twice, rtol=1e-5, atol=1e-5)
    else:
        assert stats.ks_2samp(once, twice).pvalue > 1e-6
        assert_variance(twice, np.var(np.float64(once)), sigmas=7)


@each_volatile
def test_waiting_in_many_steps_is_waiting_once(name):
    device = DEVICES[name]
    low, high = window(device)
    cells = init(device, jr.key(0), jnp.full(N, (low + high) / 2))

    @jax.jit
    def wait(cells):
        keys = jr.split(jr.key(1), 100)
        step = lambda c, key: (device.advance(key, c, 30.0), None)  # noqa: E731
        return jax.lax.scan(step, cells, keys)[0]

    once, often = at(device, advance(device, jr.key(2), cells, 3000.0)), wait(cells)
    often = at(device, often)
    if np.std(once) < 1e-3:
        np.testing.assert_allclose(once, often, rtol=1e-4, atol=1e-4)
    else:
        assert stats.ks_2samp(once, often).pvalue > 1e-6


# Reading


@each
def test_read_noise_has_mean_zero_and_its_deviation(name):
    device = DEVICES[name]
    cells = fresh(device)
    noise = np.float64(read(device, jr.key(0), cells)) - np.float64(at(device, cells))
    assert_mean(noise, 0)
    assert_variance(noise, 0.3**2)
    np.testing.assert_allclose(np.broadcast_to(device.read_std(cells), N), 0.3)


# Programs


@each
def test_device_is_a_pure_pytree(name):
    device = DEVICES[name]
    leaves, treedef = jax.tree.flatten(device)
    assert jax.tree.unflatten(treedef, leaves) == device
    jax.tree.map(lambda _: None, device)
    jax.tree.unflatten(treedef, [object()] * len(leaves))


@each
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("shape", [(), (7,), (2, 3, 4)])
def test_every_leaf_has_the_shape_of_the_cells_and_keeps_its_precision(
    name, dtype, shape
):
    device = DEVICES[name]
    g, key = jax.ShapeDtypeStruct(shape, dtype), jr.key(0)
    cells = jax.eval_shape(device.init, key, g)
    written, pulses = jax.eval_shape(device.write, key, cells, g)
    aged = jax.eval_shape(lambda c: device.advance(key, c, 1.0), cells)
    for state in (cells, written, aged):
        chex.assert_trees_all_equal_shapes_and_dtypes(state, cells)
    assert all(leaf.shape == shape for leaf in jax.tree.leaves((cells, pulses)))
    for see in (device.conductance, lambda c: device.read(key, c)):
        seen = jax.eval_shape(see, cells)
        assert (seen.shape, seen.dtype) == (shape, dtype)


@each
def test_many_chips_do_what_each_does_alone(name):
    device = DEVICES[name]
    g, dg = places(device, (8, 5)), requests(device, (8, 5))
    scales = (1.0, 0.9)
    chips = [jax.tree.map(lambda c, k=k: jnp.float32(c) * k, device) for k in scales]
    keys = jr.split(jr.key(0))
    stacked = jax.tree.map(lambda *c: jnp.stack(c), *chips)
    together = jax.jit(jax.vmap(life, (0, 0, None, None)))(stacked, keys, g, dg)
    for i, chip in enumerate(chips):
        alone = lived(chip, keys[i], g, dg)
        np.testing.assert_allclose(together[i], alone, rtol=1e-4, atol=1e-4)


@each
def test_constants_may_be_given_cell_by_cell(name):
    device = DEVICES[name]
    g, dg = places(device, (8, 5)), requests(device, (8, 5))
    each_cell = jax.tree.map(lambda c: jnp.full(g.shape, c, jnp.float32), device)
    np.testing.assert_allclose(
        lived(each_cell, jr.key(0), g, dg),
        lived(jax.tree.map(jnp.float32, device), jr.key(0), g, dg),
        rtol=1e-5,
        atol=1e-4,
    )


@each
def test_one_trace_serves_every_key_state_and_constant(name):
    device = jax.tree.map(jnp.float32, DEVICES[name])
    g, dg = places(DEVICES[name], (8, 5)), requests(DEVICES[name], (8, 5))
    lived(device, jr.key(0), g, dg)
    traced = lived._cache_size()
    lived(jax.tree.map(lambda c: 0.9 * c, device), jr.key(1), g + 1, dg)
    assert lived._cache_size() == traced


@each
def test_a_life_is_the_same_inside_jit(name):
    device = DEVICES[name]
    args = device, jr.key(3), places(device, (8, 5)), requests(device, (8, 5))
    np.testing.assert_allclose(life(*args), lived(*args), rtol=1e-4, atol=1e-4)


@each
def test_slopes_in_the_constants_are_finite_differences(name, x64):
    """And those in conductance and request are finite; all from one program."""
    device = jax.tree.map(float, DEVICES[name])
    leaves, treedef = jax.tree.flatten(device)
    g = places(device, (8, 5)).astype(float)
    dg = requests(device, (8, 5)).astype(float)

    def loss(values, g, dg):
        seen = life(jax.tree.unflatten(treedef, values), jr.key(0), g, dg)
        return jnp.sum(seen * jnp.cos(seen / 40))

    slope_at = jax.jit(jax.value_and_grad(loss, (0, 1, 2)))
    _, (slopes, *others) = slope_at(leaves, g, dg)
    assert all(np.all(np.isfinite(other)) for other in others)
    for i, (value, slope) in enumerate(zip(leaves, slopes, strict=True)):
        if not np.isfinite(value):
            continue
        h = 1e-6 * (1 + abs(value))
        near = ([*leaves[:i], value + s, *leaves[i + 1 :]] for s in (h, -h))
        up, down = (slope_at(values, g, dg)[0] for values in near)
        np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-4, atol=1e-5)


# Arrays large enough, and writes rare enough, that devices draw for the few


def rare(every=50, dg=6.0, shape=(256, 512)):
    """Changes of one cell in so many, µS."""
    i = jnp.arange(math.prod(shape)).reshape(shape)
    return jnp.where(i % every == 0, dg, 0.0)


def standing(device, shape):
    low, high = window(device)
    return init(device, jr.key(0), jnp.full(shape, (low + high) / 2))


@each_sparse
def test_rarely_written_cells_err_as_crowded_ones(name):
    device = DEVICES[name]
    cells = standing(device, (256, 512))
    few = at(device, write(device, jr.key(0), cells, rare())[0])[rare() != 0]
    many = write(device, jr.key(1), cells, jnp.full((256, 512), 6.0))[0]
    assert stats.ks_2samp(few, np.ravel(at(device, many))).pvalue > 1e-6


@each_sparse
def test_rarely_written_cells_err_independently(name):
    device, cells = DEVICES[name], standing(DEVICES[name], (32, 64))
    some = jnp.array([0, 1, 2, 64, 128, 129, 1984, 2047])
    dg = jnp.zeros(32 * 64).at[some].set(6.0).reshape(32, 64)

    @jax.jit
    @jax.vmap
    def errors(key):
        return device.conductance(device.write(key, cells, dg)[0]).ravel()[some]

    error = np.asarray(errors(jr.split(jr.key(2), 4000)), float)
    error = (error - error.mean(0)) / error.std(0)
    assert_second_moment(error, np.eye(8))


@each_sparse
def test_rarely_written_cells_leave_the_others_alone(name):
    device, cells = DEVICES[name], standing(DEVICES[name], (256, 512))
    written = write(device, jr.key(3), cells, rare())[0]
    moved = np.asarray(at(device, written) != at(device, cells))
    assert not np.any(moved[rare() == 0])
    assert np.mean(moved[rare() != 0]) > 0.9


@each_sparse
def test_slopes_of_rare_writes_are_finite_differences(name, x64):
    device = jax.tree.map(float, DEVICES[name])
    cells, dg = standing(device, (32, 64)), rare(shape=(32, 64))
    cells = jax.tree.map(lambda x: x.astype(float), cells)
    field = "domains" if name == "ferroelectric" else "write_noise"

    @jax.jit
    @jax.value_and_grad
    def loss(value):
        one = dataclasses.replace(device, **{field: value})
        g = one.conductance(one.write(jr.key(0), cells, dg.astype(float))[0])
        return jnp.sum(g * jnp.cos(g / 40))

    value = getattr(device, field)
    h = 1e-6 * (1 + value)
    expected = (loss(value + h)[0] - loss(value - h)[0]) / (2 * h)
    np.testing.assert_allclose(loss(value)[1], expected, rtol=1e-4, atol=1e-5)
