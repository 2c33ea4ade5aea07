"""What every memristor model must obey, then what each one claims for itself.

A new device is covered by a line in DEVICES.
"""

import dataclasses
import math
from functools import partial

import chex
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

import eapu_jax as ej
from tests.statistics import assert_mean, assert_second_moment, assert_variance

DEVICES = {
    "additive": ej.AdditiveError(write_noise=2.0, read_noise=0.3),
    "additive, windowed": ej.AdditiveError(
        write_noise=2.0, read_noise=0.3, g_min=-60.0, g_max=70.0
    ),
    "verify, relaxation": ej.VerifyRelaxation(read_noise=0.3),
    "verify, windowed": ej.VerifyRelaxation(read_noise=0.3, g_min=-60.0, g_max=70.0),
    "soft bounds": ej.SoftBounds(read_noise=0.3),
}
UNBIASED = [name for name in DEVICES if name != "soft bounds"]
VOLATILE = [name for name in DEVICES if DEVICES[name].volatile]
MANY = (200, 500)

each = pytest.mark.parametrize("name", DEVICES)
each_unbiased = pytest.mark.parametrize("name", UNBIASED)
each_volatile = pytest.mark.parametrize("name", VOLATILE)


def cells(shape=(8, 5)):
    """Conductances inside every window, µS."""
    return 50 * jnp.sin(jnp.arange(np.prod(shape), dtype=jnp.float32)).reshape(shape)


def requests(shape=(8, 5)):
    """Changes of either sign; every third cell is left alone. µS."""
    i = jnp.arange(np.prod(shape), dtype=jnp.float32).reshape(shape)
    return jnp.where(i % 3 == 0, 0, 6 * jnp.cos(i))


def constants(device):
    """The finite constants by name, and how to put others in their place."""
    named = {f.name: getattr(device, f.name) for f in dataclasses.fields(device)}
    return {k: v for k, v in named.items() if np.isfinite(v)}, partial(
        dataclasses.replace, device
    )


def write(device, key, g, dg):
    """Conductances after a request to fresh cells at `g`, µS."""
    cells, _ = device.write(key, device.init(jr.key(99), g), dg)
    return device.conductance(cells)


def wait(device, key, g, dt, age=0.0):
    """Conductances after `dt` (s) of cells that stand at `g`, written `age` ago."""
    cells = device.init(jr.key(99), g)
    if device.volatile:
        cells = cells._replace(age=jnp.full_like(g, age))
    return device.conductance(device.advance(key, cells, dt))


def deeds(device):
    """All that can be done to cells, as functions of (key, g)."""
    return {
        "write": lambda key, g: write(
            device, key, g, requests(g.shape).astype(g.dtype)
        ),
        "read": lambda key, g: device.read(key, device.init(jr.key(99), g)),
        "advance": lambda key, g: wait(device, key, g, 10.0, age=1.0),
    }


each_deed = pytest.mark.parametrize("deed", ["write", "read", "advance"])


def assert_slopes(loss, values):
    """The gradient of `loss` by name is its central difference."""
    for name, slope in jax.grad(loss)(values).items():
        h = 1e-6 * (1 + abs(values[name]))
        up, down = (loss({**values, name: values[name] + s}) for s in (h, -h))
        np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-4, atol=1e-5)


# Every device


@each
def test_a_cell_without_a_pulse_does_not_move(name):
    g = cells()
    written = write(DEVICES[name], jr.key(0), g, requests())
    moved = written != g
    assert not np.any(moved[requests() == 0])
    assert np.mean(moved[requests() != 0]) > 0.9


@each
def test_a_cell_is_pulsed_where_it_moves_and_only_there(name):
    device, g = DEVICES[name], cells((64, 64))
    asked = jnp.linspace(-1.0, 1.0, g.size).reshape(g.shape).at[::2].set(0)
    after, pulses = device.write(jr.key(0), device.init(jr.key(1), g), asked)
    np.testing.assert_array_equal(pulses.sent, device.conductance(after) != g)
    assert not np.any(pulses.up[asked <= 0])
    assert not np.any(pulses.down[asked >= 0])


@each
@pytest.mark.parametrize("push", [-500.0, -1.0, 1.0, 500.0])
def test_cells_stay_in_their_window(name, push):
    device = DEVICES[name]
    g = write(device, jr.key(0), cells(), jnp.full((8, 5), push))
    g = wait(device, jr.key(1), g, 1e3)
    assert np.all((g >= device.g_min) & (g <= device.g_max))


@each
def test_device_is_a_pure_pytree(name):
    device = DEVICES[name]
    leaves, treedef = jax.tree.flatten(device)
    assert len(leaves) == len(dataclasses.fields(device))
    assert jax.tree.unflatten(treedef, leaves) == device
    jax.tree.map(lambda _: None, device)
    jax.tree.unflatten(treedef, [object()] * len(leaves))


@each
@each_deed
def test_many_chips_do_what_each_does_alone(name, deed):
    chips = [
        jax.tree.map(lambda c, k=k: jnp.float32(c * k), DEVICES[name]) for k in (1, 2)
    ]
    keys, g = jr.split(jr.key(0)), cells()
    stacked = jax.tree.map(lambda *c: jnp.stack(c), *chips)
    together = jax.vmap(lambda d, k: deeds(d)[deed](k, g))(stacked, keys)
    for i, chip in enumerate(chips):
        alone = deeds(chip)[deed](keys[i], g)
        np.testing.assert_allclose(together[i], alone, rtol=1e-5, atol=1e-5)


@each
@each_deed
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("shape", [(), (7,), (2, 3, 4)])
def test_shape_and_dtype_are_kept(name, deed, dtype, shape):
    g = jax.ShapeDtypeStruct(shape, dtype)
    out = jax.eval_shape(deeds(DEVICES[name])[deed], jr.key(0), g)
    assert (out.shape, out.dtype) == (shape, dtype)


@each
def test_read_noise_has_mean_zero_and_its_deviation(name):
    device = DEVICES[name]
    read = device.read(jr.key(0), device.init(jr.key(1), jnp.full(MANY, 20.0)))
    assert_mean(np.ravel(read), 20.0)
    assert_variance(np.ravel(read), 0.3**2)


@each_unbiased
@pytest.mark.parametrize("dg", [-3.0, 0.4])
def test_a_write_lands_on_target_on_average(name, dg):
    written = write(DEVICES[name], jr.key(0), jnp.full(MANY, 20.0), jnp.full(MANY, dg))
    assert_mean(np.ravel(written), 20.0 + dg)


@each
@each_deed
def test_one_trace_serves_every_key_state_and_constant(name, deed):
    chex.clear_trace_counter()

    @jax.jit
    @chex.assert_max_traces(n=1)
    def act(device, key, g):
        return deeds(device)[deed](key, g)

    device = jax.tree.map(jnp.float32, DEVICES[name])
    act(device, jr.key(0), cells())
    act(jax.tree.map(lambda c: 1.5 * c, device), jr.key(1), cells() + 1)


@each
@each_deed
def test_slopes_in_the_constants_are_finite_differences(name, deed, x64):
    device = jax.tree.map(float, DEVICES[name])
    values, put = constants(device)

    def loss(values):
        g = deeds(put(**values))[deed](jr.key(0), cells().astype(float))
        return jnp.sum(g * jnp.cos(g / 40))

    assert_slopes(loss, values)


@each
@each_deed
def test_slopes_in_the_conductance_are_finite(name, deed):
    slope = jax.grad(lambda g: jnp.sum(deeds(DEVICES[name])[deed](jr.key(0), g)))
    assert np.all(np.isfinite(slope(cells())))


@each
def test_no_time_no_change(name):
    g = cells()
    assert jnp.array_equal(wait(DEVICES[name], jr.key(0), g, 0.0, age=3.0), g)


@each
def test_only_volatile_devices_move_by_themselves(name):
    device, g = DEVICES[name], cells()
    moved = wait(device, jr.key(0), g, 100.0, age=1.0) != g
    assert np.all(moved) if device.volatile else not np.any(moved)


@each
def test_a_write_is_the_same_write_inside_jit(name):
    act = partial(write, DEVICES[name])
    eager, compiled = (f(jr.key(3), cells(), requests()) for f in (act, jax.jit(act)))
    np.testing.assert_allclose(eager, compiled, rtol=1e-5, atol=1e-5)


# Arrays large enough, and writes rare enough, that devices draw for the few


def rare(every=50, dg=6.0, shape=(256, 512)):
    """Changes of one cell in so many, µS."""
    i = jnp.arange(math.prod(shape)).reshape(shape)
    return jnp.where(i % every == 0, dg, 0.0)


@each
def test_rarely_written_cells_err_as_crowded_ones(name):
    device, g = DEVICES[name], jnp.zeros((256, 512))
    few = write(device, jr.key(0), g, rare())[rare() != 0]
    many = write(device, jr.key(1), g, jnp.full_like(g, 6.0))
    assert stats.ks_2samp(np.ravel(few), np.ravel(many)).pvalue > 1e-6


@each
def test_rarely_written_cells_err_independently(name):
    g, cells = jnp.zeros((32, 64)), jnp.array([0, 1, 2, 64, 128, 129, 1984, 2047])
    dg = jnp.zeros(g.size).at[cells].set(6.0).reshape(g.shape)
    act = jax.vmap(lambda key: write(DEVICES[name], key, g, dg).ravel()[cells])
    error = np.asarray(act(jr.split(jr.key(2), 4000)), float)
    error = (error - error.mean(0)) / error.std(0)
    assert_second_moment(error, np.eye(8))


@each
def test_rarely_written_cells_leave_the_others_alone(name):
    g = 50 * jnp.sin(jnp.arange(256.0 * 512)).reshape(256, 512)
    moved = write(DEVICES[name], jr.key(3), g, rare()) != g
    assert not np.any(moved[rare() == 0])
    assert np.mean(moved[rare() != 0]) > 0.9


@each
def test_slopes_of_rare_writes_are_finite_differences(name, x64):
    device = jax.tree.map(float, DEVICES[name])
    g, dg = jnp.zeros((32, 64)), rare(shape=(32, 64))

    def loss(values):
        written = write(dataclasses.replace(device, **values), jr.key(0), g, dg)
        return jnp.sum(written * jnp.cos(written / 40))

    assert_slopes(loss, constants(device)[0])


# Devices that relax


@each_volatile
@pytest.mark.parametrize(("age", "dt"), [(0.0, 1e-2), (0.0, 1e4), (5.0, 50.0)])
def test_relaxation_grows_the_variance_by_the_stated_amount(name, age, dt):
    device = DEVICES[name]
    g = wait(device, jr.key(0), jnp.zeros(MANY), dt, age)

    def s(t):
        decades = np.log10(1 + t / device.onset)
        return device.relaxation + device.relaxation_per_decade * decades

    assert_mean(np.ravel(g), 0)
    assert_variance(np.ravel(g), s(age + dt) ** 2 - s(age) ** 2)


@each_volatile
def test_waiting_twice_is_waiting_once_for_the_sum(name):
    device, g = DEVICES[name], jnp.zeros(MANY)
    once = wait(device, jr.key(0), g, 30.0)
    first = wait(device, jr.key(1), g, 2.0)
    twice = wait(device, jr.key(2), first, 28.0, age=2.0)
    assert stats.ks_2samp(np.ravel(once), np.ravel(twice)).pvalue > 1e-6
    assert_variance(np.ravel(twice), np.var(np.float64(once)), sigmas=7)


@each_volatile
def test_waiting_in_a_thousand_steps_is_waiting_once(name):
    device = DEVICES[name]

    def second(cells, i):
        return device.advance(jr.fold_in(jr.key(0), i), cells, 1.0), None

    start = device.init(jr.key(1), jnp.zeros((40, 100)))
    go = jax.jit(lambda cells: jax.lax.scan(second, cells, jnp.arange(1000))[0])
    g = go(start).g
    once = (
        DEVICES[name].relaxation_sd(1000.0) ** 2 - DEVICES[name].relaxation_sd(0.0) ** 2
    )
    assert_variance(np.ravel(g), once)


# What each one claims


def written(device, dg=5.0, g=0.0, key=0):
    landed = write(device, jr.key(key), jnp.full(MANY, g), jnp.full(MANY, dg))
    return np.ravel(np.asarray(landed))


def test_additive_error_is_gaussian_of_the_stated_deviation():
    error = written(ej.AdditiveError(write_noise=2.4)) - 5.0
    assert stats.kstest(error, stats.norm(0, 2.4).cdf).pvalue > 1e-6


def test_additive_error_depends_on_neither_state_nor_step():
    device = ej.AdditiveError(write_noise=2.0)
    a, b = written(device, dg=0.1, g=-30.0), written(device, dg=9.0, g=30.0)
    np.testing.assert_allclose(a + 30 - 0.1, b - 30 - 9.0, atol=1e-4)


def test_verify_band_is_uniform():
    device = ej.VerifyRelaxation(tolerance=2.0, relaxation=0.0)
    assert stats.kstest(written(device), stats.uniform(3, 4).cdf).pvalue > 1e-6


def test_verify_error_after_a_time_has_the_stated_variance():
    device = ej.VerifyRelaxation(
        tolerance=2.0, relaxation=1.0, relaxation_per_decade=0.5, onset=0.1
    )
    g = jnp.asarray(written(device))
    g = wait(device, jr.key(1), g, 9.9)
    assert_mean(g, 5.0)
    assert_variance(g, 2.0**2 / 3 + (1 + 0.5 * 2) ** 2)


def test_soft_bounds_closes_a_fraction_of_the_room_per_pulse():
    device = ej.SoftBounds(g_min=-10.0, g_max=30.0, pulse=2.0, write_noise=0.0)
    g = jnp.array([-10.0, 10.0, 30.0])
    up = write(device, jr.key(0), g, jnp.full(3, 6.0))
    np.testing.assert_allclose(up, [30 - 40 * 0.9**3, 30 - 20 * 0.9**3, 30], atol=1e-5)
    down = write(device, jr.key(0), g, jnp.full(3, -6.0))
    np.testing.assert_allclose(
        down, [-10, 20 * 0.9**3 - 10, 40 * 0.9**3 - 10], atol=1e-5
    )


def test_soft_bounds_moves_by_one_pulse_in_the_middle():
    device = ej.SoftBounds(g_min=-80.0, g_max=80.0, pulse=0.5, write_noise=0.0)
    np.testing.assert_allclose(written(device, dg=0.5), 0.5, rtol=1e-5)
    np.testing.assert_allclose(written(device, dg=-0.6), -0.5, rtol=1e-5)


def test_soft_bounds_noise_grows_with_the_root_of_the_pulses():
    device = ej.SoftBounds(pulse=0.5, write_noise=0.5)
    quiet = dataclasses.replace(device, write_noise=0.0)
    assert_variance(written(device) - written(quiet), 10 * 0.5**2)


def test_soft_bounds_may_step_down_by_less_than_up():
    device = ej.SoftBounds(pulse=0.5, down_ratio=0.5, write_noise=0.0)
    np.testing.assert_allclose(written(device, dg=0.5), 0.5, rtol=1e-5)
    np.testing.assert_allclose(written(device, dg=-0.25), -0.25, rtol=1e-5)


@each
@pytest.mark.parametrize("request_", [np.nan, np.inf, -np.inf])
def test_what_has_diverged_shows(name, request_):
    assert np.all(
        np.isnan(write(DEVICES[name], jr.key(0), cells(), cells() * 0 + request_))
    )


def test_soft_bounds_ignores_less_than_half_a_pulse():
    assert not np.any(written(ej.SoftBounds(pulse=0.5), dg=0.24))
