"""The netlist is the same circuit: an independent simulator agrees."""

import dataclasses
import re
import shutil
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.boards import random_board
from tests.statistics import assert_within
from thermo import OpAmpBoard, RCBoard, exact
from thermo.netlist import to_spice

RUN = {"t_stop": 100.0, "dt": 0.1, "seed": 1}


def values(deck):
    """Component name -> its value, of the lines that end in a number."""
    found = re.findall(r"^(\w+) (?:\w+ )+([-\d.e]+)$", deck, re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_components_appear_once_and_in_si_units():
    board = random_board(d=3, coil_resistance=[0.1, 0.0, 0.2])
    found = values(to_spice(board, **RUN))
    np.testing.assert_allclose(found["Cg1"], board.ground_capacitance[1] * 1e-9, 1e-6)
    np.testing.assert_allclose(found["C0_2"], board.coupling[0, 2] * 1e-9, 1e-6)
    np.testing.assert_allclose(found["L2"], board.inductance[2] * 1e-3, 1e-6)
    np.testing.assert_allclose(found["Rg0"], board.resistance[0] * 1e3, 1e-6)
    np.testing.assert_allclose(found["Rc2"], 200.0, 1e-6)
    assert "Rc1" not in found
    assert "C2_0" not in found


def test_the_noise_source_has_the_density_of_the_board():
    board = random_board(d=1)
    deck = to_spice(board, **RUN, noise_step=0.02)
    amplitude, step = map(float, re.findall(r"trnoise\((\S+) (\S+) 0 0\)", deck)[0])
    kappa = float(board.noise[0]) * 1e-12  # mA^2 us in A^2 s
    np.testing.assert_allclose(amplitude**2 * step, 2 * kappa, rtol=1e-6)


def test_nonlinear_elements_become_behavioural_sources():
    board = dataclasses.replace(
        random_board(d=1),
        cubic_conductance=2.0,
        saturation_current=3.0,
        saturation_voltage=0.5,
    )
    expected = "B0 n0 0 I = 0.002*v(n0)^3 + 0.003*tanh(v(n0)/0.5)"
    assert expected in to_spice(board, **RUN)


def simulated(board, folder, **run):
    """Node voltages of an ngspice run, `(time, node)`."""
    (folder / "board.cir").write_text(to_spice(board, **run))
    command = ["ngspice", "-b", "board.cir"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return np.loadtxt(folder / "board.txt")[:, 1:]


def boards():
    one, between = jnp.ones(2), 0.3 * (1 - jnp.eye(2))
    yield random_board(seed=1, d=2, coil_resistance=[0.1, 0.0])
    yield RCBoard(
        ground_capacitance=one,
        resistance=jnp.array([1.0, jnp.inf]),
        noise=jnp.array([1.0, 0.5]),
        coupling=between,
        coupling_conductance=2 * between,
    )
    yield OpAmpBoard(
        conductance=jnp.array([[1.0, 0.6], [-0.2, 0.8]]),
        ground_capacitance=jnp.array([1.0, 0.7]),
        noise=one,
    )


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
@pytest.mark.parametrize("board", list(boards()))
def test_ngspice_finds_the_covariance_that_lyapunov_predicts(board, tmp_path):
    run = {"t_stop": 1000.0, "dt": 0.4, "seed": 3, "noise_step": 0.05}
    v = simulated(board, tmp_path, **run)[100:]
    form = board.linear()
    system, h = (form.drift, form.diffusion), form.readout
    s = h @ exact.stationary_covariance(*system) @ h.T
    error = exact.sampled_variance(*system, dt=0.4, n_samples=len(v), readout=h) ** 0.5
    assert_within(v.T @ v / len(v), s, error, sigmas=4)
    assert np.all(error < 0.2 * np.diag(s).max())


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
def test_ngspice_finds_the_mean_of_a_driven_op_amp_board(tmp_path):
    board = OpAmpBoard(
        conductance=jnp.array([[1.0, 0.6], [-0.2, 0.8]]),
        ground_capacitance=jnp.ones(2),
        noise=jnp.zeros(2),
        input_voltage=jnp.array([1.0, 2.0]),
        input_resistance=0.5,
    )
    v = simulated(board, tmp_path, t_stop=40.0, dt=0.1, seed=1)
    expected = np.linalg.solve(board.conductance, [2.0, 4.0])
    np.testing.assert_allclose(v[-1], expected, rtol=1e-4)


BAD = [
    ({"t_stop": 0.0}, "t_stop = 0"),
    ({"dt": 200.0}, r"dt = 200\.0: must be less than t_stop"),
    ({"seed": 0}, "seed = 0"),
    ({"noise_step": -1.0}, "noise_step = -1"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_impossible_runs_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        to_spice(random_board(d=1), **{**RUN, **change})


def test_coloured_noise_and_traced_boards_have_no_netlist():
    with pytest.raises(ValueError, match=r"noise_correlation_time = 0\.5.*None"):
        to_spice(random_board(d=1, noise_correlation_time=0.5), **RUN)
    with pytest.raises(ValueError, match="concrete"):
        jax.jit(lambda board: len(to_spice(board, **RUN)))(random_board(d=1))
