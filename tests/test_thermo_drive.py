"""Boards that are driven: what a current or a voltage does to the mean, no more."""

import dataclasses

import diffrax as dfx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg as sl

import thermo
from tests.statistics import assert_mean, assert_second_moment
from thermo import LinearForm, OpAmpBoard, RCBoard, RLCBoard, exact
from thermo.langevin import langevin_modes
from thermo.simulate import simulate

BETWEEN = jnp.array([[0.0, 0.4], [0.4, 0.0]])
ONE = jnp.ones(2)
RLC = RLCBoard(
    ground_capacitance=jnp.array([1.0, 0.8]),
    coupling=BETWEEN,
    inductance=jnp.full(2, 0.25),
    resistance=jnp.array([1.0, 2.0]),
    noise=0.01 * ONE,
    coil_resistance=0.1,
)
RC = RCBoard(
    ground_capacitance=ONE,
    coupling=BETWEEN,
    coupling_conductance=BETWEEN,
    resistance=jnp.array([1.0, 2.0]),
    noise=0.01 * ONE,
)
OP_AMP = OpAmpBoard(
    conductance=jnp.array([[2.0, 1.0], [-0.5, 3.0]]),
    ground_capacitance=jnp.array([1.0, 2.0]),
    noise=0.01 * ONE,
)
BOARDS = {"RLC": RLC, "RC": RC, "op-amp": OP_AMP}
every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
CURRENT = jnp.array([0.7, -0.2])
OMEGA = 0.8


def turning(t):
    return CURRENT * jnp.cos(OMEGA * t)


def fed(board, current):
    return dataclasses.replace(board, bias_current=current)


def at_rest(board):
    form = board.linear()
    return np.linalg.solve(np.asarray(form.drift, float), form.bias)


def impedance(board, omega):
    """Of the components, in NumPy."""
    c, w = np.asarray(board.capacitance(), float), 1j * omega
    if board is OP_AMP:
        return np.linalg.inv(w * c + np.asarray(board.conductance))
    if board is RC:
        return np.linalg.inv(w * c + np.asarray(board.conductance()))
    branch = 1 / np.asarray(board.resistance) + 1 / (0.1 + 0.25 * w)
    return np.linalg.inv(w * c + np.diag(branch))


@every_board
def test_a_constant_current_sets_the_mean_by_the_impedance_at_rest(board):
    driven = fed(board, CURRENT)
    mean = driven.linear().readout @ at_rest(driven)
    right = impedance(board, 0.0).real @ np.asarray(CURRENT)
    np.testing.assert_allclose(mean, right, rtol=1e-5, atol=1e-6)


def test_without_coil_resistance_a_constant_current_flows_through_the_coils():
    mean = at_rest(fed(dataclasses.replace(RLC, coil_resistance=0.0), CURRENT))
    np.testing.assert_allclose(mean, [*CURRENT, 0, 0], atol=1e-6)


def test_an_input_voltage_is_a_current_through_its_resistance():
    volts = dataclasses.replace(OP_AMP, input_voltage=CURRENT, input_resistance=0.5)
    np.testing.assert_allclose(at_rest(volts), at_rest(fed(OP_AMP, 2 * CURRENT)), 1e-6)
    waves = dataclasses.replace(OP_AMP, input_voltage=turning, input_resistance=0.5)
    np.testing.assert_allclose(waves.drive_current(1.3), 2 * turning(1.3), rtol=1e-6)


slow_but_coils = pytest.mark.parametrize(
    "board",
    [RLC, *(pytest.param(b, marks=pytest.mark.slow) for b in (RC, OP_AMP))],
    ids=BOARDS,
)


@slow_but_coils
def test_a_drive_changes_nothing_but_the_mean(board):
    """Same key, same noise: runs of any key differ by one and the same path."""
    keys, still = jr.split(jr.key(0)), thermo.propagator(fed(board, 0 * ONE), 0.3)
    for current in (5 * CURRENT, turning):
        driven, ts = fed(board, current), 0.3 * np.arange(41)
        form = driven.linear()
        np.testing.assert_array_equal(form.drift, board.linear().drift)
        np.testing.assert_array_equal(form.noise, board.linear().noise)
        step = thermo.propagator(driven, 0.3)
        moved = [
            thermo.trajectory(k, step, 40) - thermo.trajectory(k, still, 40)
            for k in keys
        ]
        np.testing.assert_allclose(moved[0], moved[1], atol=2e-6)
        drive = form.bias if form.drive is None else form.drive
        mean = exact.driven_mean(form.drift, drive, ts) @ form.readout.T
        np.testing.assert_allclose(moved[0], mean[1:], atol=3e-6)


@every_board
def test_a_sinusoid_comes_out_by_the_impedance(board):
    form, t = fed(board, turning).linear(), 0.25 * np.arange(200)
    v = exact.driven_mean(form.drift, form.drive, t) @ form.readout.T
    phasor = impedance(board, OMEGA) @ np.asarray(CURRENT)
    right = (phasor * np.exp(1j * OMEGA * t)[:, None]).real
    np.testing.assert_allclose(v[-40:], right[-40:], atol=1e-5)
    assert np.abs(v[0] - right[0]).max() > 0.01  # it starts elsewhere


@slow_but_coils
def test_the_transient_is_that_of_scipy_on_the_exact_path(board):
    """With a noise of another colour, which must change no mean."""
    board = dataclasses.replace(board, noise=0 * ONE, noise_correlation_time=0.4)
    board, ts = fed(board, turning), 0.25 * np.arange(25)
    form = board.linear()
    drift = np.asarray(form.drift, float)
    into = np.pad(np.asarray(board.circuit().injection, float), ((0, 2), (0, 0)))

    def slope(t, z):
        return into @ (np.asarray(CURRENT) * np.cos(OMEGA * t)) - drift @ z

    start = np.linspace(0.5, -0.5, len(into))
    how = {"t_eval": ts, "rtol": 1e-9, "atol": 1e-12}
    right = scipy.integrate.solve_ivp(slope, (0.0, 6.0), start, **how).y.T
    mean = exact.driven_mean(form.drift, form.drive, ts, start)
    np.testing.assert_allclose(mean, right, atol=2e-6)
    stepper, z0 = thermo.propagator(board, 0.25), jnp.asarray(start)
    v = thermo.trajectory(jr.key(0), stepper, 24, z0=z0)
    np.testing.assert_allclose(v, (right @ np.asarray(form.readout).T)[1:], atol=5e-6)


@slow_but_coils
def test_diffrax_drives_a_cell_with_a_non_linear_element_too(board):
    board, ts = dataclasses.replace(board, noise=0 * ONE), jnp.linspace(0.0, 4.0, 5)
    board = dataclasses.replace(fed(board, turning), cubic_conductance=0.5)
    drift, into, read = (np.asarray(x, float) for x in board.circuit())

    def slope(t, z):
        drawn = np.asarray(CURRENT) * np.cos(OMEGA * t) - 0.5 * (read @ z) ** 3
        return into @ drawn - drift @ z

    how = {"t_eval": ts, "rtol": 1e-9, "atol": 1e-12}
    right = scipy.integrate.solve_ivp(slope, (0.0, 4.0), np.zeros(len(into)), **how)
    run = simulate(jr.key(0), board, ts, steps=64)
    np.testing.assert_allclose(run.v, right.y.T @ read.T, atol=1e-3)


@pytest.mark.slow
def test_modes_are_driven_as_the_dense_step_is():
    board = fed(dataclasses.replace(RC, noise=0.5 / RC.resistance), turning)
    board = dataclasses.replace(board, coupling_conductance=0.0)
    runs = [
        thermo.trajectory(jr.key(1), step(board, 0.2), 200)
        for step in (thermo.propagator, thermo.modes)
    ]
    form, ts = board.linear(), 0.2 * np.arange(201)
    mean = exact.driven_mean(form.drift, form.drive, ts)[1:]
    s = exact.stationary_covariance(form.drift, form.diffusion)
    for v in runs:  # two streams of one law: here every tenth sample, near independent
        assert_second_moment((v - mean)[::25], s)


@pytest.mark.slow
def test_a_cell_with_a_cubic_element_settles_where_its_currents_balance():
    cell = RCBoard(
        ground_capacitance=jnp.ones(1),
        resistance=jnp.ones(1),
        noise=jnp.full(1, 0.3),
        cubic_conductance=1.0,
        bias_current=0.8,
    )
    ts = jnp.linspace(0.0, 6.0, 3)
    run = jax.vmap(lambda k: simulate(k, cell, ts, steps=60))(jr.split(jr.key(3), 9000))

    def weight(v):  # exp(-U c / kappa), U' = v + v^3 - u
        return np.exp(-(v**2 / 2 + v**4 / 4 - 0.8 * v) / 0.3)

    norm = scipy.integrate.quad(weight, -6, 6)[0]
    mean = scipy.integrate.quad(lambda v: v * weight(v), -6, 6)[0] / norm
    assert_mean(run.v[:, -1, 0], mean)
    quiet = dataclasses.replace(cell, noise=jnp.zeros(1))
    end = simulate(jr.key(0), quiet, jnp.linspace(0.0, 20.0, 3), steps=400).v[-1, 0]
    assert abs(end + end**3 - 0.8) < 1e-5


def test_langevin_modes_feel_a_constant_current_and_refuse_another():
    board = dataclasses.replace(RLC, resistance=ONE, coil_resistance=0.0)
    modes = langevin_modes(fed(board, CURRENT))
    path = dfx.UnsafeBrownianPath((2,), jr.key(0), levy_area=dfx.SpaceTimeLevyArea)
    flux, voltage = modes.terms(path).terms[0].vf(0.0, modes.rest(), None)
    c = np.asarray(board.capacitance(), float)
    right = np.linalg.solve(c, CURRENT)  # dv/dt of all nodes at rest
    np.testing.assert_allclose(modes.basis @ voltage, right, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(flux, 0)
    with pytest.raises(ValueError, match=r"bias_current = .* must be constant"):
        langevin_modes(fed(board, turning))


@pytest.mark.slow
def test_a_driven_population_is_prepared_at_once():
    def one(size):
        return fed(RC, jax.tree_util.Partial(_scaled, size)).linear()

    sizes = jnp.array([0.5, 2.0])
    step = thermo.propagator(jax.vmap(one)(sizes), 0.3)
    v = jax.vmap(lambda p: thermo.trajectory(jr.key(0), p, 20))(step)
    for k, size in enumerate(sizes):
        alone = thermo.propagator(one(size), 0.3)
        np.testing.assert_allclose(
            v[k], thermo.trajectory(jr.key(0), alone, 20), atol=1e-6
        )


def _scaled(size, t):
    return size * turning(t)


def _wave(size, ramp, t):
    return size * jnp.sin(t) + ramp * t + 1.0


def cell(rate, size, ramp):
    """A noiseless cell of one rate: all of them are one program."""
    drive = jax.tree_util.Partial(_wave, jnp.asarray(size), jnp.asarray(ramp))
    one = jnp.eye(1)
    return LinearForm(drift=rate * one, noise=0 * one, readout=one, drive=drive)


def test_a_stiff_board_follows_a_drive_far_slower_than_itself():
    """An interval of a million relaxations: the mean stands where the drive is."""
    v = thermo.trajectory(
        jr.key(0), thermo.propagator(cell(1e6, 1e6, 0.0), 0.5), 20_000
    )
    np.testing.assert_allclose(v[:9, 0], np.sin(0.5 * np.arange(1, 10)), atol=1e-5)


def test_a_drive_is_not_lost_in_steps_of_a_millionth_of_the_relaxation():
    dt, n = 1e-6, 20_000
    v = thermo.trajectory(jr.key(0), thermo.propagator(cell(1.0, 0.0, 1e3), dt), n)
    t = dt * n
    np.testing.assert_allclose(v[-1, 0] - 1, 1e3 * (t - 1 + np.exp(-t)), rtol=1e-4)


def test_the_mean_of_an_unstable_drift_grows_as_it_should(x64):
    drift, ts = jnp.array([[-0.5, 1.0], [0.0, 1.0]]), jnp.array([0.0, 0.7, 3.0])
    mean = exact.driven_mean(drift, jnp.array([1.0, 2.0]), ts, jnp.zeros(2))
    big = np.zeros((3, 3))
    big[:2, :2], big[:2, 2] = -np.asarray(drift), [1.0, 2.0]
    for m, t in zip(mean, ts, strict=True):
        right = sl.expm(big * float(t))[:2, 2]
        np.testing.assert_allclose(m, right, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("drive", "words"),
    [
        (jnp.ones(3), r"bias_current has shape \(3,\)"),
        (jnp.nan, "bias_current = nan"),
        (1j, "bias_current is complex|bias_current = 1j"),
        (lambda t: jnp.ones(3), r"bias_current\(t\) has shape \(3,\)"),
        (lambda t: 1 / t, r"bias_current\(0\) = inf"),
        (lambda t: 1j * t, r"bias_current\(t\) is complex"),
        (lambda t: float(t), "bias_current = .* one traced time"),
        (lambda: 1.0, "bias_current = .* one traced time"),
        (lambda t: (t, t), "bias_current.* one array"),
    ],
)
def test_what_is_no_drive_is_refused_by_name(drive, words):
    with pytest.raises(ValueError, match=words):
        fed(RC, drive).linear()
    if callable(drive):
        volts = dataclasses.replace(OP_AMP, input_voltage=drive)
        with pytest.raises(
            ValueError, match=words.replace("bias_current", "input_voltage")
        ):
            volts.linear()


def test_a_run_longer_than_the_time_axis_is_refused():
    step = thermo.propagator(cell(1.0, 1.0, 0.0), 0.1)
    with pytest.raises(ValueError, match=r"n_samples = 2000000.* at most"):
        thermo.moments(jr.key(0), step, 2_000_000)


@slow_but_coils
def test_a_mean_thousands_of_times_its_noise_leaves_the_covariance_right(board):
    """A mean of volts beside 1e-3 V of noise: E[v^2] - E[v]^2 would leave no digit."""
    amount = jnp.full(2, 50.0 if board is RLC else 5.0)
    board = fed(dataclasses.replace(board, noise=1e-6 * ONE), amount)
    step = thermo.propagator(board, 20.0)  # samples are independent
    found = thermo.moments(jr.key(0), step, 4096).covariance
    form = board.linear()
    s = exact.stationary_covariance(form.drift, form.diffusion)
    s = np.asarray(form.readout @ s @ form.readout.T, float)
    error = np.sqrt((s**2 + np.outer(s.diagonal(), s.diagonal())) / 4096)
    assert np.abs(form.readout @ at_rest(board)).max() > 1000 * s.max() ** 0.5
    assert np.all(np.abs(found - s) < 5 * error)


def test_a_constant_drive_is_not_lost_in_steps_of_a_millionth_of_the_relaxation():
    one, n = jnp.eye(1), 20_000
    form = LinearForm(drift=one, noise=0 * one, readout=one, bias=jnp.ones(1))
    v = thermo.trajectory(jr.key(0), thermo.propagator(form, 1e-6), n, z0=jnp.zeros(1))
    np.testing.assert_allclose(v[-1, 0], -np.expm1(-1e-6 * n), rtol=1e-4)


@pytest.mark.parametrize("kind", [jnp.int32, jnp.float16, jnp.bfloat16, np.float64])
def test_a_drive_of_any_kind_of_numbers_is_that_of_the_same_floats(kind):
    amount = np.array([2, -1]).astype(kind)
    right = fed(RC, jnp.array([2.0, -1.0]))
    np.testing.assert_array_equal(fed(RC, amount).linear().bias, right.linear().bias)
    moving = fed(RC, lambda t: amount)
    np.testing.assert_array_equal(moving.drive_current(0.5), [2, -1])
    form = moving.linear()
    np.testing.assert_allclose(form.drive(0.0), right.linear().bias, rtol=1e-6)


def test_currents_apart_by_many_orders_keep_their_digits():
    current = jnp.array([1e6, 1e-9])
    apart = dataclasses.replace(RC, coupling=0.0, coupling_conductance=0.0)
    for drive in (current, lambda t: current * (1 + 0 * t)):
        board = fed(apart, drive)
        form = board.linear()
        b = form.bias if form.drive is None else form.drive
        mean = exact.driven_mean(form.drift, b, jnp.array([0.0, 1.0]))
        np.testing.assert_allclose(mean[-1], [1e6, 2e-9], rtol=1e-6)
