"""Laws of the SPU experiments' own mathematics: errors, best networks, solver bias."""

import diffrax as dfx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.linalg
import scipy.optimize

import chipsweep
from experiments.thermodynamic import errors, machine, one_board
from experiments.thermodynamic.best_network import best_network
from experiments.thermodynamic.coarse_board import on_grid
from experiments.thermodynamic.spu_connectivity import Fit
from experiments.thermodynamic.stationary_bias import linear_step, stationary
from experiments.thermodynamic.wirings import allowed
from thermo import RCBoard, exact
from thermo.circuits import uniform_levels
from thermo.circuits.imperfections import nearest
from thermo.langevin import langevin_modes

MATRIX = jnp.array([[2.0, -0.5, 0.0], [-0.5, 1.5, -0.4], [0.0, -0.4, 1.0]])


def test_the_nominal_board_has_the_covariance_that_is_wanted():
    board, target = machine.program(MATRIX, rc=2.0, quality=3.0)
    form = board.linear()
    f, d = (np.asarray(x, float) for x in (form.drift, form.diffusion))
    covariance = scipy.linalg.solve_continuous_lyapunov(f, d)[3:, 3:]
    np.testing.assert_allclose(covariance, np.linalg.inv(MATRIX), rtol=1e-5)
    np.testing.assert_allclose(target, np.linalg.inv(MATRIX), rtol=1e-5)


def test_rc_and_quality_are_those_of_a_cell_alone():
    board, _ = machine.program(jnp.eye(2), rc=2.0, quality=3.0)
    c, r, el = board.ground_capacitance, board.resistance, board.inductance
    np.testing.assert_allclose(r * c, 2.0, rtol=1e-6)
    np.testing.assert_allclose(r * np.sqrt(c / el), 3.0, rtol=1e-6)


def test_a_board_at_tolerance_0_is_ideal_and_deviations_scale_with_the_tolerance():
    board, _ = machine.program(MATRIX)
    drawn = [machine.real(jr.key(0), board, t).resistance for t in (0.0, 0.1, 0.2)]
    np.testing.assert_array_equal(drawn[0], board.resistance)
    off = [np.asarray(r / board.resistance - 1) for r in drawn[1:]]
    np.testing.assert_allclose(2 * off[0], off[1], atol=1e-6)
    assert np.abs(off[0]).max() > 0.01


def test_best_scale_is_the_least_squares_factor():
    a, b = (np.asarray(jr.normal(jr.key(i), (4, 4))) for i in (1, 2))
    expected = np.linalg.lstsq(a.reshape(-1, 1), b.ravel())[0][0]
    np.testing.assert_allclose(errors.best_scale(a, b), expected, rtol=1e-5)


def test_cutting_a_record_gives_the_second_moments_of_its_stretches():
    v = jr.normal(jr.key(0), (24, 2))
    for n, found in zip((2, 12), errors.second_moments(v, [2, 12]), strict=True):
        parts = [part.T @ part / n for part in np.asarray(v).reshape(-1, n, 2)]
        np.testing.assert_allclose(found, parts, rtol=1e-5)


@pytest.mark.parametrize("slope", [5.0, 0.3])
def test_the_straight_line_finds_the_floor_whatever_slope_and_weights(slope):
    n = np.array([100.0, 300.0, 900.0, 2700.0])
    weights = np.array([9.0, 1.0, 4.0, 2.0])
    found = errors.fitted_floor(n, 0.2**2 + slope / n, weights)
    np.testing.assert_allclose(found, 0.2, rtol=1e-9)


def test_a_falling_error_without_floor_has_floor_0():
    n = np.array([100.0, 300.0, 900.0])
    assert errors.fitted_floor(n, 5 / n - 1e-4, np.ones(3)) == 0


def test_simulated_errors_follow_the_law_on_imperfect_boards():
    point = one_board.Run(tolerance=0.2, size=3, n_samples=480)
    found = chipsweep.sweep(one_board.simulate, {}, base=point, chips=48)
    ratio = ((found.error / found.expected) ** 2).isel(seed=0).to_numpy()[:, -2:]
    error = ratio.std(0, ddof=1) / np.sqrt(len(ratio))
    assert np.all(np.abs(ratio.mean(0) - 1) < 5 * error)
    assert np.all(error < 0.1)


def test_the_grid_is_that_of_the_library():
    x = jr.uniform(jr.key(0), (50,), minval=-0.2, maxval=1.4)
    for bits in (1, 3):
        levels = uniform_levels(0.1, 1.1, bits)
        np.testing.assert_allclose(
            on_grid(x, 0.1, 1.1, bits), nearest(x, levels), rtol=1e-5
        )


def kl(precision, covariance):
    product = precision @ covariance
    return (np.trace(product) - len(product) - np.linalg.slogdet(product)[1]) / 2


def test_the_best_network_is_the_optimum_of_a_general_optimiser():
    factor = np.asarray(jr.normal(jr.key(3), (4, 6)), float)
    covariance = factor @ factor.T / 6
    pairs = [(0, 1), (1, 2), (2, 3)]
    allowed = np.zeros((4, 4), bool)
    for i, j in pairs:
        allowed[i, j] = allowed[j, i] = True

    def precision(x):
        p = np.diag(x[:4])
        for (i, j), c in zip(pairs, x[4:], strict=True):
            p += c * np.outer(np.eye(4)[i] - np.eye(4)[j], np.eye(4)[i] - np.eye(4)[j])
        return p

    best = scipy.optimize.minimize(
        lambda x: kl(precision(x), covariance),
        np.ones(7),
        bounds=[(1e-9, None)] * 7,
        options={"ftol": 1e-14, "gtol": 1e-10, "maxiter": 5000},
    )
    found = best_network(
        jnp.asarray(covariance, jnp.float32), jnp.asarray(allowed), 2000
    )
    np.testing.assert_allclose(found.divergence, best.fun, atol=1e-4)
    np.testing.assert_allclose(found.precision, precision(best.x), atol=2e-2)
    assert found.gap < 1e-3


def test_what_is_representable_is_found_exactly_and_absent_couplers_stay_absent():
    covariance, band = (
        jnp.linalg.inv(MATRIX),
        np.abs(np.subtract.outer(*2 * [range(3)])),
    )
    network = best_network(covariance, jnp.asarray(band == 1), 3000)
    np.testing.assert_allclose(network.precision, MATRIX, atol=2e-3)
    assert network.precision[0, 2] == 0


@pytest.mark.parametrize(
    ("wiring", "reach", "expected"),
    [
        ("band", 1.0, 11),  # of a chain of 12
        ("band", 2.0, 11 + 10),
        ("band", 11.0, 12 * 11 // 2),  # all
        ("grid", 1.0, 3 * 3 + 2 * 4),  # of 3 rows of 4
        ("grid", 1.5, 3 * 3 + 2 * 4 + 2 * 2 * 3),  # with both diagonals
    ],
)
def test_regular_wirings_have_as_many_couplers_as_can_be_counted(
    wiring, reach, expected
):
    point = Fit(wiring=wiring, reach=reach, rows=3, columns=4)
    mask = np.asarray(allowed(point, jnp.eye(12), jr.key(0)))
    assert not mask.diagonal().any()
    assert (mask == mask.T).all()
    assert mask.sum() == 2 * expected


@pytest.mark.parametrize("wiring", ["random", "chosen"])
def test_scarce_couplers_are_as_many_as_asked_for_and_the_chosen_are_the_strongest(
    wiring,
):
    point = Fit(wiring=wiring, degree=1.0, rows=2, columns=2, steps=500)
    matrix = jnp.diag(jnp.array([2.0, 2.0, 1.5, 1.5]))
    for i, j, c in ((0, 1, 0.9), (2, 3, 0.5), (1, 2, 0.1)):
        matrix = matrix.at[i, j].set(-c).at[j, i].set(-c)
    mask = np.asarray(allowed(point, jnp.linalg.inv(matrix), jr.key(0)))
    assert mask.sum() == 2 * 2
    assert (mask == mask.T).all()
    if wiring == "chosen":
        assert mask[0, 1]
        assert mask[2, 3]


CELL = RCBoard(
    ground_capacitance=jnp.ones(1), resistance=jnp.ones(1), noise=jnp.ones(1)
)


def test_euler_heats_an_rc_cell_by_the_known_amount():
    h = 0.3  # S = 2 h / (1 - (1 - h)^2) = 1 / (1 - h / 2)
    law = linear_step(CELL, dfx.Euler(), jnp.zeros(1), h)
    np.testing.assert_allclose(stationary(*map(np.asarray, law)), 1 / 0.85, rtol=1e-5)


def test_heun_heats_an_rc_cell_by_the_known_amount():
    h = 0.5  # z' = (1 - h + h^2/2) z + (1 - h/2) sqrt(2) w
    step, noise = 1 - h + h**2 / 2, 2 * h * (1 - h / 2) ** 2
    law = linear_step(CELL, dfx.Heun(), jnp.zeros(1), h)
    expected = noise / (1 - step**2)
    np.testing.assert_allclose(stationary(*map(np.asarray, law)), expected, rtol=1e-5)


@pytest.mark.parametrize("solver", [dfx.ShARK(), dfx.SRA1()])
def test_the_bias_of_solvers_with_levy_area_falls_by_more_than_the_step(solver):
    board, _ = machine.program(jnp.eye(1), rc=2.0, quality=2.0)
    step = jax.jit(lambda h: linear_step(board, solver, jnp.zeros(2), h))
    found = [stationary(*map(np.asarray, step(h))) for h in (0.8, 0.4)]
    off = [abs(covariance[1, 1] - 1) for covariance in found]
    assert off[1] < off[0] / 3


quicsort = jax.jit(lambda modes, h: linear_step(modes, dfx.QUICSORT(), modes.rest(), h))


def test_an_underdamped_solver_on_modes_has_the_law_of_equilibrium():
    board, _ = machine.program(MATRIX, rc=3.0, quality=3.0)
    modes = langevin_modes(board)
    law = quicsort(modes, 0.05)
    covariance = stationary(*map(np.asarray, law))[3:, 3:]
    expected = modes.basis.T @ jnp.linalg.inv(MATRIX) @ modes.basis
    np.testing.assert_allclose(covariance, expected, atol=1e-3)


def test_levy_areas_have_their_variance():
    board, _ = machine.program(jnp.eye(1), rc=3.0, quality=3.0)
    modes, dt = langevin_modes(board), 0.1
    _, noise = quicsort(modes, dt)
    friction, stiffness, variance = modes.friction, modes.stiffness, modes.variance
    drift = jnp.array([[0.0, -1.0], [stiffness[0], friction[0]]])
    gained = jnp.diag(jnp.array([0.0, 2 * friction[0] * variance[0]]))
    law = exact.transition(drift, gained, dt)  # flux gains dt^3 / 3: all of w and h
    np.testing.assert_allclose(noise, law.covariance, rtol=2e-3)


def test_an_unstable_step_has_no_stationary_law():
    assert np.isinf(stationary(np.eye(2) * 1.01, np.eye(2))).all()
