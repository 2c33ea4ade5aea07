"""Programming: the board's equilibrium is the wanted Gaussian, or a clear refusal."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from tests.statistics import assert_second_moment
from thermo import exact
from thermo.circuits import (
    check_representable,
    double,
    passive_components,
    program_covariance,
    program_matrix,
    program_precision,
    undouble,
    undouble_covariance,
)


def m_matrix(d=4, seed=0):
    rng = np.random.default_rng(seed)
    half = np.triu(rng.uniform(0, 1, (d, d)), 1)
    between = half + half.T
    return np.diag(between.sum(1) + rng.uniform(0.5, 1.5, d)) - between


def voltage_covariance(board):
    form = board.linear()
    s = exact.stationary_covariance(form.drift, form.diffusion)
    return form.readout @ s @ form.readout.T


@pytest.mark.parametrize("circuit", ["rlc", "capacitive", "resistive", "op-amp"])
def test_the_second_moment_of_a_programmed_board_is_the_inverse(x64, circuit):
    p = m_matrix()
    own = {"capacitance" if circuit in ("resistive", "op-amp") else "resistance": 2.0}
    program = program_matrix(jnp.asarray(p), circuit=circuit, temperature=0.3, **own)
    estimate = program.inverse(voltage_covariance(program.board))
    np.testing.assert_allclose(estimate, np.linalg.inv(p), rtol=1e-11)


def test_a_programmed_covariance_is_sampled_up_to_the_scale(x64):
    sigma = np.linalg.inv(m_matrix())
    program = program_covariance(jnp.asarray(sigma))
    volts = voltage_covariance(program.board)
    np.testing.assert_allclose(program.inverse(volts), sigma, rtol=1e-11)


def test_an_ornstein_uhlenbeck_kernel_needs_couplers_between_neighbours_only():
    x = np.array([0.0, 0.4, 1.0, 1.3, 2.5])
    kernel = jnp.asarray(np.exp(-np.abs(x[:, None] - x[None])), jnp.float32)
    coupling = program_covariance(kernel).board.coupling
    far = np.abs(np.subtract.outer(np.arange(5), np.arange(5))) > 1
    assert np.all(np.asarray(coupling)[far] == 0)
    assert np.all(np.diagonal(coupling, 1) > 0)


def test_the_scale_fills_the_component_range():
    made = passive_components(jnp.asarray(m_matrix()), (0.001, 2.5))
    largest = max(made.between.max(), made.to_ground.max())
    np.testing.assert_allclose(largest, 2.5, rtol=1e-6)
    c = np.diag(made.to_ground + made.between.sum(1)) - made.between
    np.testing.assert_allclose(c, float(made.scale) * m_matrix(), rtol=1e-5)


def test_a_passive_board_makes_only_non_negative_correlations():
    volts = voltage_covariance(program_precision(jnp.asarray(m_matrix())).board)
    assert np.all(np.asarray(volts) >= 0)


def signed_matrix(d=4, seed=1):
    rng = np.random.default_rng(seed)
    half = np.triu(rng.uniform(-1, 1, (d, d)), 1)
    off = half + half.T
    return np.diag(np.abs(off).sum(1) + rng.uniform(0.5, 1.5, d)) + off


def test_doubling_represents_positive_off_diagonals_exactly(x64):
    a = jnp.asarray(signed_matrix())
    program = program_matrix(double(a))
    inverse = program.inverse(voltage_covariance(program.board))
    np.testing.assert_allclose(undouble_covariance(inverse), np.linalg.inv(a), 1e-10)


@pytest.mark.parametrize("traced", ["matrix", "scale"])
def test_a_matrix_or_a_scale_may_be_traced_alone(traced):
    given = {"matrix": jnp.array([[2.0, -0.5], [-0.5, 1.0]]), "scale": 0.25}

    def made(value):
        return program_matrix(**given | {traced: value}).board

    found = jax.jit(made)(jnp.asarray(given[traced]))
    jax.tree.map(np.testing.assert_allclose, found, made(given[traced]))


def test_samples_are_undoubled_in_their_order():
    y = np.arange(24.0).reshape(2, 3, 4) ** 2  # of whatever batch, two variables
    wanted = (y[..., :2] - y[..., 2:]) / np.sqrt(2)
    np.testing.assert_allclose(undouble(jnp.asarray(y)), wanted, rtol=1e-6)


def test_undoubled_samples_have_the_wanted_covariance():
    a = jnp.asarray(signed_matrix(3), jnp.float32)
    program = program_matrix(double(a))
    law = exact.Gaussian(
        jnp.zeros(6), program.inverse(voltage_covariance(program.board))
    )
    samples = exact.sample_gaussian(jr.key(0), law, (30_000,))
    assert_second_moment(undouble(samples), np.linalg.inv(a))


def test_an_op_amp_board_takes_positive_off_diagonals_on_the_same_cells(x64):
    a = signed_matrix()
    program = program_matrix(jnp.asarray(a), circuit="op-amp")
    estimate = program.inverse(voltage_covariance(program.board))
    np.testing.assert_allclose(estimate, np.linalg.inv(a), rtol=1e-10)


def test_programming_is_differentiable(x64):
    def log_volts(shift):
        program = program_precision(jnp.asarray(m_matrix()) + shift * jnp.eye(4))
        return jnp.log(program.inverse(voltage_covariance(program.board))[0, 0])

    slope = (log_volts(1e-6) - log_volts(-1e-6)) / 2e-6
    np.testing.assert_allclose(jax.grad(log_volts)(0.0), slope, rtol=1e-6)


REFUSED = {
    "a positive coupling": (
        [[2.0, 0.0, 0.5], [0.0, 2.0, -1.0], [0.5, -1.0, 2.0]],
        r"matrix\[0, 2\] = 0\.5: .* <= 0 .*`double",
    ),
    "no dominance": (
        [[1.0, -1.5], [-1.5, 4.0]],
        r"matrix\[0, 0\] = 1: .* at least 1\.5 here \(row 0 sums to -0\.5",
    ),
    "asymmetry": ([[2.0, -1.0], [-0.5, 2.0]], r"not symmetric: .*\[0, 1\] = -1"),
    "not square": ([[2.0, -1.0]], r"matrix has shape \(1, 2\)"),
    "NaN": ([[2.0, np.nan], [np.nan, 2.0]], r"matrix\[0, 1\] = nan"),
    "nothing to ground": ([[1.0, -1.0], [-1.0, 1.0]], r"not positive definite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_passive_coupling_cannot_represent_is_refused_with_its_entry(case):
    matrix, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        program_precision(jnp.array(matrix))
    with pytest.raises(ValueError, match=message):
        check_representable(np.array(matrix))


def test_a_component_below_the_range_is_refused_with_its_value():
    matrix = jnp.array([[1.01, -0.01], [-0.01, 1.01]])
    with pytest.raises(ValueError, match=r"between\[0, 1\] = 0\.01: .*\(0\.1, 1\)"):
        program_precision(matrix, component_range=(0.1, 1.0))


def test_a_scale_that_leaves_the_range_is_refused():
    with pytest.raises(ValueError, match=r"to_ground\[0\] = 2: .*at scale 2"):
        program_precision(jnp.eye(2), scale=2.0)


def test_a_covariance_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"covariance is not positive definite: .*-1"):
        program_covariance(jnp.array([[1.0, 2.0], [2.0, 1.0]]))


@pytest.mark.parametrize("option", ["temperature", "resistance", "inductance"])
def test_impossible_options_are_refused(option):
    with pytest.raises(ValueError, match=f"{option} = -1"):
        program_precision(jnp.eye(2), **{option: -1.0})


def test_an_unknown_circuit_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"circuit = 'lc'.*'rlc'"):
        program_precision(jnp.eye(2), circuit="lc")
