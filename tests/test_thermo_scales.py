"""Units far apart and matrices near singular: right, or refused, never rounded away."""

import dataclasses
import itertools

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from thermo import (
    Converter,
    OpAmpBoard,
    RCBoard,
    RLCBoard,
    checks,
    circuits,
    exact,
    program_covariance,
    program_matrix,
    program_precision,
    quantise,
)

CIRCUITS = ("rlc", "capacitive", "resistive", "op-amp")


def correlated(rho, units):
    units = np.asarray(units)
    return np.outer(units, units) * np.array([[1, 0, 0], [0, 1, rho], [0, rho, 1]])


def settled(program):
    form = program.board.linear()
    state = exact.stationary_covariance(form.drift, form.diffusion)
    return np.asarray(program.inverse(form.readout @ state @ form.readout.T), float)


def in_own_units(found, wanted):
    own = np.sqrt(wanted.diagonal())
    return (found - wanted) / own[:, None] / own[None, :]


@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("unit", [771.0, 1e-3, 1e5])
def test_a_correlation_of_millivolts_beside_volts_is_kept(circuit, unit):
    wanted = correlated(0.4, [1.0, unit, unit])
    program = program_covariance(wanted, circuit=circuit)
    np.testing.assert_allclose(in_own_units(settled(program), wanted), 0, atol=1e-5)


def test_asymmetry_is_judged_by_the_entries_own_row_and_column():
    small = np.array([[1e12, 0, 0], [0, 1.0, 0.4], [0, 0.3, 1.0]])
    with pytest.raises(ValueError, match=r"not symmetric: S\[1, 2\] = 0\.4"):
        checks.symmetric("S", small)
    rounding = np.array([[1e12, 1e-1, 0], [0, 1.0, 0.4], [0, 0.4, 1.0]])
    checks.symmetric("S", rounding)


def test_a_correlation_beyond_one_is_refused_in_any_units():
    for unit in (1.0, 1e-3, 1e-6):
        s = np.outer([1, unit], [1, unit]) * np.array([[1, 1.1], [1.1, 1]])
        with pytest.raises(ValueError, match="no covariance"):
            exact.root(s)
    with pytest.raises(ValueError, match="no covariance"):
        exact.root(np.array([[1.0, 1e-6], [1e-6, 0.0]]))


def test_the_root_of_a_covariance_keeps_variances_of_any_unit():
    s = correlated(0.9, [1.0, 1e-7, 1e-7])
    for rho in (0.0, 0.3):  # alone, and with the two in other units
        units = np.array([1.0, 1e-7, 1e-7])
        s[0, 1:] = s[1:, 0] = rho * units[0] * units[1:]
        r = np.asarray(exact.root(s), float)
        np.testing.assert_allclose(in_own_units(r @ r.T, s), 0, atol=1e-6)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_root_keeps_correlations_of_all_with_all_across_scales(order):
    units = np.array([1e6, 1.0, 1e-6])[list(order)]
    s = np.array([[1, 0.6, 0.5], [0.6, 1, 0.4], [0.5, 0.4, 1]]) * np.outer(units, units)
    r = np.asarray(exact.root(s), float)
    np.testing.assert_allclose(in_own_units(r @ r.T, s), 0, atol=1e-6)


def test_the_root_leaves_still_what_does_not_vary():
    s = np.array([[4.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 9.0]])
    r = np.asarray(exact.root(s), float)
    np.testing.assert_allclose(r @ r.T, s, atol=1e-6)
    np.testing.assert_array_equal(r[1], 0)


@pytest.mark.parametrize("name", ["matrix[1, 2]", "inverse of covariance[1, 2]"])
def test_a_small_entry_that_is_no_coupling_is_refused_by_its_place(name):
    units = [1.0, 1e-4, 1e-4]
    matrix = correlated(0.4, units)
    act = program_matrix if name.startswith("matrix") else program_covariance
    given = matrix if act is program_matrix else np.linalg.inv(matrix)
    with pytest.raises(ValueError, match="passive coupling") as refusal:
        act(given)
    assert str(refusal.value).startswith(name)


def of_condition(condition, n=4, seed=0):
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]
    return (turn * np.geomspace(1, 1 / condition, n)) @ turn.T


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6, 1e8, 1e10])
@pytest.mark.parametrize("program", [program_covariance, program_matrix])
def test_a_matrix_near_singular_is_right_or_refused(program, condition):
    given = of_condition(condition)
    wanted = given if program is program_covariance else np.linalg.inv(given)
    if condition > 1e7:
        with pytest.raises(ValueError, match=r"condition number of .* bound is 0\.001"):
            program(given, circuit="op-amp")
        return
    made = program(given, circuit="op-amp")
    assert np.abs(in_own_units(settled(made), wanted)).max() < 2e-3


@pytest.mark.parametrize("condition", [1e8, 1e10])
def test_doubles_program_what_float32_refuses(x64, condition):
    wanted = of_condition(condition)
    made = program_covariance(wanted, circuit="op-amp")
    np.testing.assert_allclose(in_own_units(settled(made), wanted), 0, atol=1e-4)


def test_a_small_capacitance_to_ground_is_not_rounded_to_none():
    between = 1.0 - np.eye(2)
    ground = np.array([3e-4, 3e-4])
    matrix = np.diag(ground + between.sum(1)) - between
    made = program_matrix(matrix)
    wanted = np.linalg.inv(matrix)
    np.testing.assert_allclose(in_own_units(settled(made), wanted), 0, atol=1e-3)
    matrix = np.diag(1e-9 + between.sum(1)) - between
    with pytest.raises(ValueError, match="condition number of"):
        program_matrix(matrix)


NODES = jnp.ones(2)
OP_AMP = OpAmpBoard(conductance=jnp.eye(2), ground_capacitance=NODES, noise=NODES)
REFUSED = {
    "scale of 0": (lambda: _op_amp(scale=0.0), "scale = 0: must be greater"),
    "negative scale": (lambda: _op_amp(scale=-1.0), "scale = -1: must be greater"),
    "no scale": (lambda: _op_amp(scale=np.nan), "scale = nan: every entry"),
    "range backwards": (lambda: _op_amp(component_range=(1.0, 0.5)), "high must exc"),
    "negative range": (lambda: _op_amp(component_range=(-1.0, 1.0)), r"range\[0\] = -"),
    "no range": (lambda: _op_amp(component_range=(0.0, np.nan)), r"range\[1\] = nan"),
    "endless range": (lambda: _op_amp(component_range=(0.0, np.inf)), r"\[1\] = inf"),
    "out of range": (lambda: _op_amp(scale=2.0), r"conductance\[0, 0\] = 2: must"),
    "coil without coil": (lambda: _op_amp(inductance=1.0), "inductance = 1.0: a circ"),
    "resistor of rlc": (
        lambda: program_precision(jnp.eye(2), capacitance=1.0),
        "capacitance = 1.0: a circuit 'rlc' does not use it",
    ),
    "drive": (
        lambda: OpAmpBoard(
            conductance=jnp.eye(2), ground_capacitance=NODES, noise=NODES,
            input_voltage=jnp.array([0.0, np.inf]),
        ).linear(),
        r"input_voltage\[1\] = inf",
    ),
    "negative level": (lambda: quantise(_rc(), coupling=(0, -1)), r"ling\[1\] = -1"),
    "NaN level": (lambda: quantise(_rc(), ground=(np.nan,)), r"ground\[0\] = nan"),
    "no level 0": (lambda: quantise(_rc(), coupling=(0.5, 1.0)), "0 must be among"),
    "no level 0, op-amp": (lambda: quantise(OP_AMP, coupling=(0.5, 1.0)), "0 must be"),
    "2^40 levels": (lambda: circuits.uniform_levels(0.0, 1.0, 40), "bits = 40: .* 24"),
    "2^40 sums": (lambda: circuits.bank_levels(tuple(range(1, 41))), "at most 20"),
    "200 bits": (lambda: _adc(bits=200), "bits = 200: must be a whole number .* 24"),
    "nothing to convert": (
        lambda: Converter().convert(jr.key(0), jnp.zeros((0, 2))),
        r"v has shape \(0, 2\): it must not be empty",
    ),
    "negative level to ground": (
        lambda: quantise(_rc(), ground=(0, -1)), r"ground\[1\] = -1"
    ),
    "target of another size": (
        lambda: exact.covariance_error(jnp.eye(2), jnp.eye(2), target=jnp.eye(1)),
        r"target has shape \(1, 1\)",
    ),
    "tanh of no width": (
        lambda: dataclasses.replace(_rc(), saturation_voltage=0.0).linear(),
        "saturation_voltage = 0",
    ),
    "half a bit": (lambda: _adc(bits=2.5), "bits = 2.5: must be a whole number"),
    "endless band": (lambda: _band(0.0, np.inf), "high = inf: every entry"),
    "negative band": (lambda: _band(-1.0, 1.0), "low = -1: must not be negative"),
    "negative dt": (
        lambda: exact.transition(jnp.eye(1), jnp.eye(1), -1.0), "dt = -1: must be"
    ),
}  # fmt: skip


def _op_amp(**options):
    return program_precision(jnp.eye(2), circuit="op-amp", **options)


def _rc():
    return RCBoard(ground_capacitance=NODES, resistance=NODES, noise=NODES)


def _adc(bits):
    return Converter(bits=bits, full_scale=1.0).convert(jnp.zeros(2), NODES)


def _band(low, high):
    return exact.band_covariance(jnp.eye(1), jnp.eye(1), low, high)


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_with_its_value_and_bound(case):
    action, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        action()


G = jnp.array([[2.0, 0.7], [-0.3, 1.5]])
JOHNSON = {
    "op-amp cells": OpAmpBoard(
        conductance=jnp.diag(jnp.array([1.0, 0.5])),
        ground_capacitance=NODES,
        noise=0.3 * jnp.array([1.0, 0.5]),
    ),
    "op-amp": OpAmpBoard(conductance=G, ground_capacitance=NODES, noise=0.3 * NODES),
    "rc": RCBoard(
        ground_capacitance=NODES,
        resistance=jnp.array([1.0, 2.0]),
        noise=0.3 / jnp.array([1.0, 2.0]),
        coupling=0.4 * (1 - jnp.eye(2)),
    ),
}


@pytest.mark.parametrize("omega", [0.0, 0.3, 2.0, 40.0])
@pytest.mark.parametrize("board", JOHNSON)
def test_the_impedance_gives_the_thermal_spectrum_that_the_circuit_has(board, omega):
    form, z = JOHNSON[board].linear(), np.asarray(JOHNSON[board].impedance(omega))
    seen = np.asarray(exact.spectrum(form.drift, form.diffusion, omega))
    kappa = np.diag(np.asarray(JOHNSON[board].noise))
    np.testing.assert_allclose(2 * z @ kappa @ z.conj().T, seen, rtol=1e-5, atol=1e-7)
    if board != "op-amp":  # in equilibrium: Johnson's 4 k T Re Z, half on each side
        np.testing.assert_allclose(2 * 0.3 * z.real, seen, rtol=1e-5, atol=1e-7)
        thermal = exact.thermal_spectrum(z, 0.3)
        np.testing.assert_allclose(thermal, seen, rtol=1e-5, atol=1e-7)


def test_a_coil_shorts_its_node_at_rest():
    board = RLCBoard(
        ground_capacitance=NODES, coupling=jnp.zeros((2, 2)), inductance=NODES,
        resistance=NODES, noise=NODES,
    )  # fmt: skip
    np.testing.assert_array_equal(board.impedance(0.0), np.zeros((2, 2)))


def test_the_converter_samples_at_its_stated_rate_and_alters_nothing_unless_asked():
    ts = Converter().instants(12_001)
    np.testing.assert_allclose(ts[-1], 1000.0, rtol=1e-6)  # us, at 12 MHz
    assert ts[0] == 0
    assert Converter().added_variance() == 0
    assert Converter(bits=3, full_scale=4.0).step == 1.0
