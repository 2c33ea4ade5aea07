"""Boards: what their components say, their equilibrium says."""

import dataclasses

import diffrax as dfx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.linalg as sl

from tests.boards import random_board
from thermo import LinearForm, OpAmpBoard, RCBoard, RLCBoard, exact, johnson_noise
from thermo.circuits import two_node_board


def stationary(board):
    form = board.linear()
    return np.asarray(exact.stationary_covariance(form.drift, form.diffusion))


def test_the_maxwell_matrix_is_an_m_matrix_with_ground_capacitances_as_row_sums(x64):
    board = random_board(d=5)
    c = np.asarray(board.capacitance())
    np.testing.assert_array_equal(c, c.T)
    np.testing.assert_allclose(c.sum(1), board.ground_capacitance, rtol=1e-14)
    assert np.all(c - np.diag(np.diag(c)) <= 0)
    assert np.all(np.linalg.inv(c) >= 0)


def test_equilibrium_is_the_inverse_of_the_capacitance_and_of_the_inductance(x64):
    board = random_board(d=4, temperature=1.7)
    inverse = np.linalg.inv(np.asarray(board.capacitance()))
    expected = sl.block_diag(np.diag(1 / np.asarray(board.inductance)), inverse)
    np.testing.assert_allclose(stationary(board), 1.7 * expected, atol=1e-12)


def test_energy_is_shared_equally_among_all_cells(x64):
    board, t = random_board(d=4, temperature=2.5), 2.5
    s = stationary(board)
    kinetic = np.diag(s[4:, 4:] @ np.asarray(board.capacitance())) / 2
    magnetic = np.diag(s[:4, :4]) * np.asarray(board.inductance) / 2
    np.testing.assert_allclose(kinetic, t / 2, rtol=1e-11)
    np.testing.assert_allclose(magnetic, t / 2, rtol=1e-11)


def test_the_linear_form_is_the_published_equation(x64):
    board = random_board(d=3, coil_resistance=[0.1, 0.0, 0.3])
    z = jr.normal(jr.key(0), (6,))
    i, v = z[:3], z[3:]
    di = (v - board.coil_resistance * i) / board.inductance
    dv = jnp.linalg.solve(board.capacitance(), -v / board.resistance - i)
    np.testing.assert_allclose(
        board.linear().velocity(z), jnp.concatenate([di, dv]), rtol=1e-12
    )


def test_uncoupled_cells_are_independent_and_match_the_single_cell(x64):
    board = random_board(d=3, coupling=np.zeros((3, 3)))
    s = stationary(board)
    expected = board.noise * board.resistance / board.ground_capacitance
    np.testing.assert_allclose(s[3:, 3:], np.diag(np.asarray(expected)), atol=1e-12)


def test_without_coils_a_board_is_an_ornstein_uhlenbeck_process(x64):
    board = random_board(d=3, inductance=np.full(3, 1e9))
    passive = RCBoard(
        ground_capacitance=board.ground_capacitance,
        resistance=board.resistance,
        noise=board.noise,
        coupling=board.coupling,
    )
    np.testing.assert_allclose(stationary(board)[3:, 3:], stationary(passive), 1e-6)


def test_renaming_the_cells_renames_the_equilibrium(x64):
    board, order = random_board(d=4), np.array([2, 0, 3, 1])
    fields = ("ground_capacitance", "inductance", "resistance", "noise")
    moved = {name: getattr(board, name)[order] for name in fields}
    renamed = RLCBoard(**moved, coupling=board.coupling[order][:, order])
    states = np.concatenate([order, 4 + order])
    np.testing.assert_allclose(
        stationary(renamed), stationary(board)[states][:, states], atol=1e-13
    )


def test_noise_power_scales_the_covariance_and_nothing_else(x64):
    board = random_board()
    hot = dataclasses.replace(board, noise=3 * board.noise)
    np.testing.assert_allclose(stationary(hot), 3 * stationary(board), atol=1e-12)


def test_resistors_between_equal_cells_invert_their_conductance(x64):
    between = 0.3 * (1 - jnp.eye(3))
    board = RCBoard(
        ground_capacitance=jnp.full(3, 2.0),
        resistance=jnp.array([1.0, 2.0, 4.0]),
        noise=jnp.full(3, 0.5),
        coupling_conductance=between,
    )
    g = np.diag([1.6, 1.1, 0.85]) - 0.3 * (1 - np.eye(3))
    np.testing.assert_allclose(stationary(board), 0.25 * np.linalg.inv(g), rtol=1e-12)


def test_the_op_amp_board_solves_a_linear_system_by_its_mean(x64):
    g, volts = jnp.array([[2.0, 1.0], [-0.5, 3.0]]), jnp.array([1.0, -2.0])
    board = OpAmpBoard(
        conductance=g,
        ground_capacitance=jnp.array([1.0, 2.0]),
        noise=jnp.ones(2),
        input_voltage=volts,
        input_resistance=0.5,
    )
    form = board.linear()
    mean = jnp.linalg.solve(form.drift, form.bias)
    np.testing.assert_allclose(g @ mean, 2 * volts, rtol=1e-12)


def test_johnson_noise_makes_the_volts_of_kt_over_c(x64):
    board = RCBoard(
        ground_capacitance=jnp.ones(1),
        resistance=jnp.full(1, 7.0),
        noise=johnson_noise(jnp.full(1, 7.0), 300.0),
    )
    volts = np.sqrt(1.380649e-23 * 300 / 1e-9)
    np.testing.assert_allclose(np.sqrt(stationary(board)), volts, rtol=1e-12)


@pytest.mark.parametrize("correlation_time", [0.01, 1.0])
def test_coloured_noise_has_a_lorentzian_spectrum(x64, correlation_time):
    board = random_board(noise_correlation_time=correlation_time)
    white = dataclasses.replace(board, noise_correlation_time=None).linear()
    form, w = board.linear(), 0.8
    seen = exact.spectrum(form.drift, form.diffusion, w)
    expected = exact.spectrum(white.drift, white.diffusion, w)
    expected = expected / (1 + (w * correlation_time) ** 2)
    np.testing.assert_allclose(seen[:6, :6], expected, atol=1e-12)


def boards():
    d, one = 2, jnp.ones(2)
    between = 0.2 * (1 - jnp.eye(d))
    yield random_board(d=2, coil_resistance=[0.1, 0.2])
    yield random_board(d=2, noise_correlation_time=0.3)
    yield RCBoard(ground_capacitance=one, resistance=one, noise=one, coupling=between)
    yield OpAmpBoard(
        conductance=jnp.array([[2.0, 1.0], [0.5, 3.0]]),
        ground_capacitance=one,
        noise=one,
        input_voltage=one,
    )


every_board = pytest.mark.parametrize("board", list(boards()))


@every_board
def test_diffrax_and_the_exact_path_see_the_same_equation(board):
    form, n = board.linear(), len(board.linear().drift)
    z = jr.normal(jr.key(0), (n,))
    noise = dfx.UnsafeBrownianPath((2,), jr.key(1))
    drift, control = board.terms(noise).terms
    np.testing.assert_allclose(drift.vf(0.0, z, None), form.velocity(z), rtol=2e-6)
    np.testing.assert_allclose(board.drift(0.0, z), form.velocity(z), rtol=2e-6)
    np.testing.assert_array_equal(control.vf(0.0, z, None).as_matrix(), form.noise)
    np.testing.assert_array_equal(board.diffusion(0.0, z).as_matrix(), form.noise)


@every_board
def test_a_vmapped_board_is_the_same_as_a_loop(board):
    def scaled(factor):
        return dataclasses.replace(board, noise=factor * board.noise).linear()

    factors = jnp.array([0.5, 1.0, 2.0])
    forms = jax.vmap(scaled)(factors)
    assert isinstance(forms, LinearForm)
    for k, factor in enumerate(factors):
        np.testing.assert_allclose(forms.noise[k], scaled(factor).noise, rtol=1e-6)


@every_board
def test_a_nonlinear_element_draws_its_current_from_the_node(board):
    tough = dataclasses.replace(
        board, cubic_conductance=0.2, saturation_current=0.3, saturation_voltage=0.5
    )
    n, h = len(board.linear().drift), board.linear().readout
    z = jr.normal(jr.key(2), (n,))
    current = 0.2 * (h @ z) ** 3 + 0.3 * jnp.tanh(h @ z / 0.5)
    pull = h @ (tough.drift(0.0, z) - board.drift(0.0, z))
    np.testing.assert_allclose(board.capacitance() @ pull, -current, rtol=1e-5)


@pytest.mark.parametrize("name", ["cubic_conductance", "saturation_current"])
def test_a_nonlinear_board_has_no_linear_form(name):
    board = dataclasses.replace(random_board(), **{name: 0.1})
    with pytest.raises(ValueError, match=rf"{name} = 0\.1.*diffrax"):
        board.linear()


BAD = {
    "inductance": (jnp.array([1.0, 0.0]), r"inductance\[1\] = 0"),
    "resistance": (jnp.array([-1.0, 1.0]), r"resistance\[0\] = -1"),
    "noise": (jnp.array([1.0, jnp.nan]), r"noise\[1\] = nan"),
    "ground_capacitance": (-jnp.ones(2), r"ground_capacitance\[0\] = -1"),
    "coupling": (jnp.eye(2), r"coupling\[0, 0\] = 1.*diagonal must be 0"),
    "coil_resistance": (-0.1, r"coil_resistance = -0\.1"),
    "noise_correlation_time": (0.0, r"noise_correlation_time .*None is white"),
    "saturation_voltage": (0.0, r"saturation_voltage = 0"),
}


@pytest.mark.parametrize("field", BAD)
def test_impossible_components_are_refused_by_name_and_value(field):
    value, message = BAD[field]
    board = dataclasses.replace(random_board(d=2), **{field: value})
    with pytest.raises(ValueError, match=message):
        board.linear()


@pytest.mark.parametrize(
    ("coupling", "message"),
    [
        ([[0.0, -0.1], [-0.1, 0.0]], r"coupling\[0, 1\] = -0\.1"),
        ([[0.0, 0.1], [0.2, 0.0]], r"coupling is not symmetric"),
        ([[0.0, 0.1, 0.2]], r"shape \(1, 3\)"),
    ],
)
def test_impossible_couplings_are_refused(coupling, message):
    board = dataclasses.replace(random_board(d=2), coupling=jnp.array(coupling))
    with pytest.raises(ValueError, match=message):
        board.linear()


def test_nothing_is_raised_for_a_traced_board():
    bad = dataclasses.replace(random_board(d=2), resistance=-jnp.ones(2))
    assert jax.jit(lambda board: board.linear())(bad).drift.shape == (4, 4)


def test_the_published_two_node_board_keeps_its_published_numbers(x64):
    form = two_node_board().linear()
    rates = np.linalg.eigvals(np.asarray(form.drift))
    np.testing.assert_allclose(sorted(1 / rates), [41.58, 92.02], atol=0.005)
    edges = 2 * np.pi * np.array([200e-6, 50e-3])
    s = np.asarray(exact.band_covariance(form.drift, form.diffusion, *edges))
    correlation = s[0, 1] / np.sqrt(s[0, 0] * s[1, 1])
    np.testing.assert_allclose(correlation, 0.3532, atol=1e-4)
    np.testing.assert_allclose(np.sqrt(s[0, 0] / s[1, 1]), 1.1223, atol=1e-4)
