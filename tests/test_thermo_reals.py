"""Numbers of any kind: the answer of the same numbers in floats, or a refusal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thermo
from tests.fuzz.spoil import fault
from tests.fuzz.thermo import real_arguments, subjects
from tests.fuzz.thermo.values import D, M
from thermo import (
    circuits,
    exact,
    identify,
    inference,
    observers,
    propagate,
    simulate,
)
from thermo.reals import alike, real_array

KINDS = (jnp.int32, jnp.bool_, jnp.float16, jnp.bfloat16)
ARGUMENTS = {f"{s.name}, {a}": (s, a) for s, a in real_arguments()}


def outcome(subject, argument, value):
    """Numbers of the result, or None where it is refused."""
    try:
        found = subject.call(**{**subject.good, argument: value})
    except ValueError:
        return None
    return [np.asarray(x) for x in jax.tree.leaves(found) if not isinstance(x, str)]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_numbers_of_any_kind_have_the_answer_of_the_same_floats(name):
    subject, argument = ARGUMENTS[name]
    for kind in KINDS:
        value = jnp.asarray(real_array(argument, subject.good[argument])).astype(kind)
        right = outcome(subject, argument, value.astype(jnp.float32))
        found = outcome(subject, argument, value)
        assert (found is None) == (right is None)
        for a, b in zip(found or [], right or [], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_what_is_no_real_number_is_refused_by_name(name):
    subject, argument = ARGUMENTS[name]
    value = np.asarray(subject.good[argument], float)
    for strange in (value * 1j, jnp.asarray(value).astype(complex)):
        assert fault(subject, argument, strange) is None
    for strange in (np.full(value.shape, "1"), value.astype(object)):
        assert fault(subject, argument, strange) is None


MODULES = (thermo, circuits, exact, identify, inference, observers, propagate)
MODULES += (simulate,)
HOLDS_RESULTS = {"Components", "Gaussian", "LinearForm", "MomentEstimate", "Observed"}
HOLDS_RESULTS |= {"Programmed", "Run", "SpectrumEstimate", "Transition"}
HOLDS_RESULTS |= {"CapacitorSamples", "ProgrammedCapacitors"}
HOLDS_RESULTS |= {"Calibration", "Identified", "Interval"}
HOLDS_RESULTS |= {"Features", "Held", "Information", "LogisticBoard", "Reading"}
OTHERWISE = {"AbstractBoard", "BOLTZMANN", "Moments", "Observer", "Stepper"}
# Made by `modes` and `propagator` alone; a contract.
OTHERWISE |= {"Driven", "Modes", "Propagator", "System"}


def test_everything_public_is_tried():
    public = {
        name
        for module in MODULES
        for name in getattr(module, "__all__", dir(module))
        if not name.startswith("_")
        and getattr(getattr(module, name), "__module__", "thermo").startswith("thermo")
        and not isinstance(getattr(module, name), type(np))
    }
    tried = {s.name.split(",")[0].split(".")[-1] for s in subjects()}
    assert public - tried - HOLDS_RESULTS - OTHERWISE == set()


LAWS = {
    "stationary covariance": exact.stationary_covariance,
    "transition": lambda f, d: exact.transition(f, d, 1),
    "propagator": lambda f, d: exact.propagator(f, 1) @ d.astype(jnp.float32),
    "spectrum": lambda f, d: exact.spectrum(f, d, 1),
    "burn-in": lambda f, d: exact.burn_in_time(f, d, 0.1),
    "record": lambda f, d: exact.recorded_variance(f, d, duration=3),
    "average": lambda f, d: exact.time_average_law(f, d, 3),
    "op-amp": lambda f, d: circuits.OpAmpBoard(
        conductance=f, ground_capacitance=jnp.diagonal(d), noise=jnp.diagonal(d)
    ).linear(),
    "programmed": lambda f, d: (thermo.program_matrix(f).board.capacitance(), d),
}


@pytest.mark.parametrize("law", LAWS)
def test_traced_whole_numbers_are_promoted_too(law):
    whole = jnp.array([[2, -1], [-1, 2]]), jnp.eye(2, dtype=int)
    floats = tuple(x.astype(float) for x in whole)
    found, right = (jax.tree.leaves(jax.jit(LAWS[law])(*x)) for x in (whole, floats))
    for a, b in zip(found, right, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_traced_complex_matrix_is_refused_by_name():
    with pytest.raises(ValueError, match=r"drift is complex .* real numbers"):
        jax.jit(exact.stationary_covariance)(M.astype(complex), D)


def test_plain_numbers_follow_the_precision_of_the_arrays(x64):
    single, number = alike(a=jnp.ones(2, jnp.float32), b=0.1)
    double, _ = alike(a=np.ones(2), b=jnp.ones(2, jnp.float32))
    assert (single.dtype, number.dtype, double.dtype) == ("float32", "float32", float)


@pytest.mark.parametrize("width", [4, 8])
def test_the_order_of_bytes_changes_no_precision(width):
    x = real_array("x", np.array([0.1, 2.0], f">f{width}"))
    np.testing.assert_array_equal(x, np.array([0.1, 2.0], f"f{width}"), strict=True)


def test_a_law_of_float32_is_computed_in_doubles():
    drift = jnp.array([[1.0, -1.0], [-1.0, 1.0 + 2**-20]])
    found = exact.stationary_covariance(drift, 2 * jnp.eye(2))
    right = np.linalg.inv(np.asarray(drift, float))
    np.testing.assert_allclose(found, right, rtol=1e-6)


def test_a_result_beyond_the_precision_is_refused():
    with pytest.raises(ValueError, match=r"drift and diffusion: .*not finite"):
        exact.stationary_covariance(1e-30 * jnp.eye(1), 1e30 * jnp.eye(1))
