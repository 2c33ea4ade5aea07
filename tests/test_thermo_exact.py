"""Exact laws against SciPy, quadrature and closed forms."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate as si
import scipy.linalg as sl

from tests.boards import random_board, random_stable
from thermo import RLCBoard, exact

CRITICAL = jnp.array([[0.0, -1.0], [1.0, 2.0]])  # a double eigenvalue, one eigenvector


def systems():
    yield "non-normal drift, singular noise", *random_stable()
    yield "critical damping", CRITICAL, jnp.diag(jnp.array([0.0, 2.0]))
    form = random_board(seed=3).linear()
    yield "RLC board out of equilibrium", form.drift, form.diffusion
    yield "no noise at all", CRITICAL, jnp.zeros((2, 2))


CASES = {name: tuple(map(np.asarray, rest)) for name, *rest in systems()}


@pytest.fixture(params=CASES)
def system(request, x64):
    drift, diffusion = CASES[request.param]
    return jnp.asarray(drift, float), jnp.asarray(diffusion, float)


def one_cell(r=2.0, c=0.7, inductance=0.4, kappa=1.0):
    one = jnp.ones(1)
    return RLCBoard(
        ground_capacitance=c * one,
        coupling=jnp.zeros((1, 1)),
        inductance=inductance * one,
        resistance=r * one,
        noise=kappa * one,
    )


def test_stationary_covariance_solves_the_lyapunov_equation(system):
    expected = sl.solve_continuous_lyapunov(*map(np.asarray, system))
    np.testing.assert_allclose(
        exact.stationary_covariance(*system), expected, atol=1e-12
    )


@pytest.mark.parametrize("quality", [0.03, 1.0, 30.0, 300.0])
def test_single_precision_keeps_its_digits_at_every_quality(quality):
    board = random_board(inductance=np.full(3, quality**-2.0))
    form = board.linear()
    wide = [np.asarray(x, float) for x in (form.drift, form.diffusion)]
    expected = sl.solve_continuous_lyapunov(*wide)
    found = exact.stationary_covariance(form.drift, form.diffusion)
    assert np.linalg.norm(found - expected) < 2e-6 * np.linalg.norm(expected)


@pytest.mark.parametrize("law", [exact.lyapunov, exact.stationary_covariance])
def test_a_solution_of_float32_is_rounded_once(law):
    drift, noise = (np.asarray(x, np.float32) for x in random_stable(seed=4))
    right = sl.solve_continuous_lyapunov(drift.astype(float), noise.astype(float))
    found = law(jnp.asarray(drift), jnp.asarray(noise))
    np.testing.assert_allclose(found, right, rtol=np.finfo(np.float32).eps)


def test_lyapunov_takes_any_right_hand_side(x64):
    drift, _ = random_stable(n=5)
    rhs = jnp.arange(25.0).reshape(5, 5)
    x = exact.lyapunov(drift, rhs)
    np.testing.assert_allclose(drift @ x + x @ drift.T, rhs, atol=1e-11)


def van_loan(drift, diffusion, dt):
    n = len(drift)
    block = np.block([[-drift, diffusion], [np.zeros((n, n)), drift.T]])
    e = sl.expm(np.asarray(block) * dt)
    return sl.expm(-np.asarray(drift) * dt), e[:n, n:] @ sl.expm(-drift.T * dt)


@pytest.mark.parametrize("dt", [1e-3, 0.1, 1.0, 5.0])
def test_transition_is_van_loans_block_exponential(system, dt):
    drift, diffusion = map(np.asarray, system)
    propagator, covariance = van_loan(drift, diffusion, dt)
    law = exact.transition(*system, dt)
    np.testing.assert_allclose(law.propagator, propagator, atol=1e-12)
    np.testing.assert_allclose(law.covariance, covariance, atol=1e-12)


def test_transition_is_exact_to_rounding_over_ten_decades(x64):
    f, d = jnp.diag(jnp.array([1.0, 3.0])), jnp.ones((2, 2))
    sums = np.array([[2.0, 4.0], [4.0, 6.0]])
    for dt in np.logspace(-8, 2, 11):
        law = exact.transition(f, d, dt)
        np.testing.assert_allclose(law.covariance, -np.expm1(-sums * dt) / sums, 2e-15)


@pytest.mark.parametrize("dt", [1e-6, 1e-2, 1.0, 100.0])
def test_transition_in_single_precision_matches_double(dt):
    form = random_board(seed=5).linear()
    with jax.enable_x64(True):
        wide = [jnp.asarray(x, float) for x in (form.drift, form.diffusion)]
        expected = exact.transition(*wide, float(np.float32(dt))).covariance
    found = np.asarray(exact.transition(form.drift, form.diffusion, dt).covariance)
    expected = np.asarray(expected)
    assert np.linalg.norm(found - expected) < 1e-6 * np.linalg.norm(expected)


def test_transition_leaves_the_stationary_law_alone(system):
    s = exact.stationary_covariance(*system)
    law = exact.transition(*system, 0.3)
    after = law.propagator @ s @ law.propagator.T + law.covariance
    np.testing.assert_allclose(after, s, atol=1e-12)


def test_two_short_transitions_make_a_long_one(system):
    p, q = exact.transition(*system, 0.4)
    twice = exact.transition(*system, 0.8)
    np.testing.assert_allclose(twice.propagator, p @ p, atol=1e-12)
    np.testing.assert_allclose(twice.covariance, q + p @ q @ p.T, atol=1e-12)


def test_transition_is_the_same_when_traced(system):
    eager = exact.transition(*system, 0.37)
    traced = jax.jit(exact.transition)(*system, 0.37)
    np.testing.assert_allclose(traced.covariance, eager.covariance, rtol=1e-13)


def test_autocorrelation_of_a_cell_has_its_closed_form(x64):
    r, c, inductance = 2.0, 0.7, 0.4
    form = one_cell(r, c, inductance).linear()
    lags = jnp.linspace(0.0, 10.0, 7)
    gamma, w0 = 1 / (r * c), 1 / np.sqrt(inductance * c)
    wd = np.sqrt(w0**2 - gamma**2 / 4)
    rho = np.cos(wd * lags) - gamma / (2 * wd) * np.sin(wd * lags)
    found = exact.autocorrelation(form.drift, form.diffusion, lags)[:, 1, 1]
    np.testing.assert_allclose(found * c / r, np.exp(-gamma * lags / 2) * rho, 0, 1e-12)


def test_negative_lags_transpose_the_autocorrelation(system):
    there, back = exact.autocorrelation(*system, jnp.array([0.6, -0.6]))
    np.testing.assert_array_equal(back, there.T)


@pytest.mark.parametrize("inductance", [0.05, 0.4, 40.0])
def test_a_coil_makes_rho_integrate_to_zero_and_its_square_to_half_rc(x64, inductance):
    r, c = 2.0, 0.7
    form = one_cell(r, c, inductance).linear()
    s = exact.stationary_covariance(form.drift, form.diffusion)
    total = jnp.linalg.solve(form.drift, s)[1, 1]
    np.testing.assert_allclose(total, 0.0, atol=1e-12)
    column = s[:, 1:]
    square = exact.lyapunov(form.drift, column @ column.T)[1, 1] / s[1, 1] ** 2
    np.testing.assert_allclose(square, r * c / 2, rtol=1e-11)


def test_thermal_fluctuations_are_the_dissipative_part_of_the_impedance(x64):
    board, omega = random_board(temperature=1.3), jnp.array([0.0, 0.7, 2.0, 30.0])
    form = board.linear()
    seen = exact.spectrum(form.drift, form.diffusion, omega)[:, 3:, 3:]
    z = jax.vmap(board.impedance)(omega.at[0].set(1e-9))
    np.testing.assert_allclose(exact.thermal_spectrum(z, 1.3), seen, atol=1e-12)
    np.testing.assert_allclose(seen.imag, 0, atol=1e-12)


def test_out_of_equilibrium_the_fluctuation_dissipation_theorem_fails(x64):
    board = random_board()
    form = board.linear()
    seen = exact.spectrum(form.drift, form.diffusion, 0.7)[3:, 3:]
    assert np.abs(seen.imag).max() > 1e-2 * np.abs(seen).max()
    z, kappa = np.asarray(board.impedance(0.7)), np.diag(np.asarray(board.noise))
    np.testing.assert_allclose(seen, 2 * z @ kappa @ z.conj().T, atol=1e-12)


def test_the_spectrum_integrates_to_the_covariance(x64):
    drift, diffusion = random_stable()
    everything = exact.band_covariance(drift, diffusion, 0.0, 1e8)
    s = exact.stationary_covariance(drift, diffusion)
    np.testing.assert_allclose(everything, s, atol=1e-7)


def test_band_covariance_is_the_integral_of_the_spectrum(x64):
    form = random_board(seed=3).linear()

    def density(w):
        m = np.linalg.inv(1j * w * np.eye(6) + np.asarray(form.drift))
        return (m @ np.asarray(form.diffusion) @ m.conj().T).real / np.pi

    expected = si.quad_vec(density, 0.5, 4.0, epsabs=1e-11)[0]
    found = exact.band_covariance(form.drift, form.diffusion, 0.5, 4.0)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_detailed_balance_holds_where_noise_matches_friction_and_only_there(x64):
    parity = jnp.repeat(jnp.array([-1.0, 1.0]), 3)
    matched, not_matched = random_board(temperature=2.0), random_board()
    for board, low, high in ((matched, 0, 1e-12), (not_matched, 0.05, 2)):
        form = board.linear()
        residual = exact.irreversibility(form.drift, form.diffusion, parity)
        assert low <= residual <= high


def test_voltages_at_equilibrium_look_the_same_backwards(x64):
    form = random_board(temperature=1.0).linear()
    c = exact.autocorrelation(form.drift, form.diffusion, jnp.array([0.9]))[0, 3:, 3:]
    np.testing.assert_allclose(c, c.T, atol=1e-12)


def test_mixing_time_of_underdamped_cells_is_twice_the_largest_rc(x64):
    form = one_cell(r=5.0, c=0.7, inductance=0.1).linear()
    np.testing.assert_allclose(exact.mixing_time(form.drift), 2 * 5.0 * 0.7, rtol=1e-12)


@pytest.mark.parametrize("error", [0.3, 1e-2, 1e-6])
def test_after_burn_in_the_covariance_is_that_close(system, error):
    drift, diffusion = system
    s = exact.stationary_covariance(drift, diffusion)
    if not s.any():
        return
    t = float(exact.burn_in_time(drift, diffusion, error))
    p = sl.expm(-np.asarray(drift) * t)
    short_by = np.linalg.norm(p @ s @ p.T) / np.linalg.norm(s)
    np.testing.assert_allclose(short_by, error, rtol=2e-3)


@pytest.mark.parametrize("error", [0.3, 1e-2, 1e-5])
def test_burn_in_is_judged_through_a_rectangular_readout(error):
    form = random_board(seed=4).linear()
    h = jnp.asarray([[0.0, 0, 0, 1, 0, 0], [0, 0, 0, 1, -2, 0]])
    t = float(exact.burn_in_time(form.drift, form.diffusion, error, h))
    drift, diffusion, h = (
        np.asarray(x, float) for x in (form.drift, form.diffusion, h)
    )
    s = sl.solve_continuous_lyapunov(drift, diffusion)

    def short_by(t):
        p = sl.expm(-drift * t)
        return np.linalg.norm(h @ p @ s @ p.T @ h.T)

    np.testing.assert_allclose(short_by(t), error * short_by(0.0), rtol=2e-3)


def test_burn_in_of_time_constants_far_apart_is_the_slowest():
    drift = jnp.diag(jnp.array([1.0, 1e-12]))
    t = exact.burn_in_time(drift, 2 * drift, 1e-3)
    np.testing.assert_allclose(t, 1e12 * np.log(1e3 / 2**0.5) / 2, rtol=1e-4)
    np.testing.assert_allclose(exact.mixing_time(drift), 1e12, rtol=1e-6)


def test_a_negative_interval_is_refused():
    with pytest.raises(ValueError, match="dt"):
        exact.propagator(jnp.eye(2), -1.0)


def test_gradient_of_the_covariance_is_its_finite_difference_for_every_component(x64):
    board = random_board(d=2, coil_resistance=[0.1, 0.2], noise_correlation_time=0.3)

    def loss(board):
        form = board.linear()
        s = exact.stationary_covariance(form.drift, form.diffusion)
        return jnp.sum(jnp.cos(jnp.arange(s.size)).reshape(s.shape) * s)

    flat, unravel = jax.flatten_util.ravel_pytree(board)
    shift = 1e-6 * np.eye(len(flat))
    near = jnp.concatenate([flat[None], flat[None] + shift, flat[None] - shift])
    both = jax.jit(jax.vmap(jax.value_and_grad(lambda x: loss(unravel(x)))))
    losses, gradients = both(near)
    up, down = jnp.split(losses[1:], 2)
    np.testing.assert_allclose(gradients[0], (up - down) / 2e-6, rtol=1e-6, atol=1e-8)


def test_forward_and_reverse_derivatives_of_the_exact_laws_agree(x64):
    def laws(log_resistance):
        board = random_board(d=2)
        changed = dataclasses.replace(board, resistance=jnp.exp(log_resistance))
        form = changed.linear()
        law = exact.transition(form.drift, form.diffusion, 0.3)
        return law, exact.stationary_covariance(form.drift, form.diffusion)

    at = jnp.array([0.1, 0.5])
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-11),
        jax.jit(jax.jacfwd(laws))(at),
        jax.jit(jax.jacrev(laws))(at),
    )


def test_gradient_of_the_transition_with_respect_to_its_length(x64):
    drift, diffusion = random_stable()
    slope = jax.jacfwd(lambda t: exact.transition(drift, diffusion, t).covariance)(0.7)
    p = sl.expm(-0.7 * np.asarray(drift))
    np.testing.assert_allclose(slope, p @ diffusion @ p.T, atol=1e-11)


BAD = [
    (jnp.ones((2, 3)), jnp.eye(2), r"drift has shape \(2, 3\)"),
    (-jnp.eye(2), jnp.eye(2), r"drift is unstable: .*real part -1"),
    (jnp.eye(2), jnp.eye(3), r"diffusion has shape \(3, 3\)"),
    (jnp.eye(2), -jnp.eye(2), r"diffusion is no covariance: .* -1"),
    (jnp.eye(2), jnp.array([[1.0, 0.5], [0.0, 1.0]]), r"diffusion\[0, 1\] = 0\.5"),
    (jnp.eye(2).at[0, 1].set(jnp.nan), jnp.eye(2), r"drift\[0, 1\] = nan"),
]


@pytest.mark.parametrize(("drift", "diffusion", "message"), BAD)
def test_what_is_no_stable_circuit_is_refused(drift, diffusion, message):
    with pytest.raises(ValueError, match=message):
        exact.stationary_covariance(drift, diffusion)


def test_an_interval_of_zero_is_refused():
    with pytest.raises(ValueError, match=r"dt = 0: must be greater than 0"):
        exact.transition(jnp.eye(2), jnp.eye(2), 0.0)


@pytest.mark.parametrize("error", [0.0, 1.0, -1.0])
def test_a_burn_in_to_an_impossible_error_is_refused(error):
    with pytest.raises(ValueError, match="error"):
        exact.burn_in_time(jnp.eye(2), jnp.eye(2), error)
