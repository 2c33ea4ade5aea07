"""A programme that allows for a board's deviations, and the errors it promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.statistics import assert_mean
from thermo import exact, program_matrix
from thermo.identify import Identified, calibrated
from thermo.identify.components import altered, components

MATRIX = jnp.array([[2.0, -0.5, -0.3], [-0.5, 1.8, -0.2], [-0.3, -0.2, 1.5]])
PROGRAMS = {
    circuit: program_matrix(MATRIX, circuit=circuit).board
    for circuit in ("rlc", "capacitive", "resistive")
}


def settled(board):
    with jax.enable_x64(True):
        form = jax.tree.map(lambda x: np.asarray(x, float), board.linear())
        states = exact.stationary_covariance(form.drift, form.diffusion)
    return form.readout @ np.asarray(states) @ form.readout.T


def error(board, target):
    return np.linalg.norm(settled(board) - target) / np.linalg.norm(target)


def known(board, log_factors, information):
    """As if a record had told this much."""
    sought = components([board])
    return Identified(
        boards=(board,),
        sought=sought,
        nominal=np.ones(len(sought)),
        log_factors=np.asarray(log_factors, float),
        information=information * np.eye(len(sought)),
        log_likelihood=0.0,
        converged=True,
    )


def made(board, found):
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda x: np.asarray(x, float), board)
        return altered(wide, found.sought, found.log_factors)


@pytest.mark.parametrize("circuit", PROGRAMS)
def test_what_is_known_exactly_is_undone(circuit):
    nominal = PROGRAMS[circuit]
    off = 0.1 * np.cos(1 + np.arange(len(components([nominal]))))
    found = known(nominal, off, 1e12)
    better, target = calibrated(nominal, found), settled(nominal)
    assert better.floor_before == pytest.approx(error(made(nominal, found), target))
    assert better.floor_before > 0.03
    assert error(made(better.board, found), target) < 1e-6
    assert better.residual < 1e-6
    np.testing.assert_allclose(better.covariance, target, rtol=1e-6)


def test_another_covariance_can_be_wanted():
    nominal = PROGRAMS["rlc"]
    wanted = settled(program_matrix(1.5 * jnp.eye(3) + 0.5 * MATRIX).board)
    found = known(nominal, np.zeros(len(components([nominal]))), 1e12)
    better = calibrated(nominal, found, wanted)
    np.testing.assert_allclose(settled(better.board), wanted, rtol=1e-6)


def test_capacitors_alone_are_set_to_what_they_should_be_over_their_factors():
    nominal = PROGRAMS["rlc"]
    sought = components([nominal])
    capacitors = [c.field in ("coupling", "ground_capacitance") for c in sought]
    off = 0.2 * np.cos(1 + np.arange(len(sought))) * np.array(capacitors)
    found = known(nominal, off, 1e12)
    better = calibrated(nominal, found)
    for field in ("coupling", "ground_capacitance"):
        real = getattr(made(better.board, found), field)
        np.testing.assert_allclose(real, getattr(nominal, field), rtol=1e-6)


def test_what_no_capacitor_can_undo_is_said_to_remain():
    """Two cells whose wanted coupling is hardly there, noise far apart."""
    nominal = program_matrix(jnp.array([[1.0, -1e-3], [-1e-3, 1.0]])).board
    sought = components([nominal])
    off = [np.log(8.0) * (str(c) == "noise[0]") for c in sought]
    off = [
        x + np.log(0.2) * (str(c) == "resistance[1]")
        for x, c in zip(off, sought, strict=True)
    ]
    found = known(nominal, off, 1e12)
    better = calibrated(nominal, found)
    left = error(made(better.board, found), settled(nominal))
    assert better.residual == pytest.approx(left)
    assert (np.asarray(better.board.coupling) >= 0).all()
    assert 1e-3 < better.residual < better.floor_before


def test_the_error_that_is_left_is_the_one_promised():
    """A board off by 10 %, each component found to within 1 %: all it may be."""
    nominal = PROGRAMS["capacitive"]
    rng, n = np.random.default_rng(0), len(components([nominal]))
    found = known(nominal, 0.1 * rng.normal(size=n), 1e4)
    better, target = calibrated(nominal, found), settled(nominal)
    ratios = []
    for _ in range(300):
        off = found.log_factors + 0.01 * rng.normal(size=n)
        real = made(better.board, known(nominal, off, 1e4))
        ratios.append((error(real, target) / better.floor) ** 2)
    assert_mean(np.array(ratios), 1.0)


def test_the_statistical_part_is_that_of_the_board_as_it_is():
    nominal = PROGRAMS["rlc"]
    better = calibrated(
        nominal, known(nominal, np.zeros(len(components([nominal]))), 1e12)
    )
    form = nominal.linear()
    variance = exact.sampled_variance(
        form.drift, form.diffusion, dt=0.1, n_samples=1000, readout=form.readout
    )
    expected = exact.covariance_error(variance, settled(nominal))
    assert better.statistical(0.1, 1000) == pytest.approx(float(expected), rel=1e-5)


def test_a_covariance_of_unknown_components_is_not_predicted():
    nominal = PROGRAMS["capacitive"]
    n = len(components([nominal]))
    with pytest.raises(ValueError, match="unidentified = ground_capacitance"):
        calibrated(nominal, known(nominal, np.zeros(n), 1e-3))
    with pytest.raises(ValueError, match="differ in kind"):
        calibrated(PROGRAMS["rlc"], known(nominal, np.zeros(n), 1e3))
    with pytest.raises(ValueError, match="must be Identified"):
        calibrated(nominal, nominal)  # type: ignore[arg-type]
