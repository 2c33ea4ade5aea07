"""What is good, and what is wrong, in the place of numbers, arrays and settings."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np

import thermo
from tests.fuzz import spoil
from tests.fuzz.spoil import INF, NAN
from thermo import exact


def _array(make):
    """Made by NumPy: what JAX makes is compiled, when this is imported."""
    return lambda *a: jnp.asarray(make(*a).astype(np.float32))


ones, zeros, full, eye = map(_array, (np.ones, np.zeros, np.full, np.eye))

KEY = jr.key(0)
M = jnp.array([[2.0, -1.0], [-1.0, 2.0]])
D = jnp.array([[2.0, 0.5], [0.5, 1.0]])
V = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.5]])
ONES = ones(2)
APART = jnp.array([[0.0, 0.5], [0.5, 0.0]])
TS = jnp.array([0.0, 0.25, 0.5, 0.75, 1.0])
LAW = exact.Gaussian(zeros(2), D)

RLC = {"ground_capacitance": ONES, "coupling": APART, "inductance": ONES}
RLC |= {"resistance": ONES, "noise": ONES}
RC = {"ground_capacitance": ONES, "coupling": APART, "resistance": ONES, "noise": ONES}
RC |= {"coupling_conductance": APART}
OP_AMP = {"conductance": D, "ground_capacitance": ONES, "noise": ONES}
OP_AMP |= {"input_voltage": ONES, "input_resistance": ONES}
ELEMENTS = {"cubic_conductance": 0.0, "saturation_current": 0.0}
ELEMENTS |= {"saturation_voltage": 1.0, "noise_correlation_time": 1.0}
ELEMENTS |= {"bias_current": 0.0}
FORM = {"drift": M, "noise": M, "readout": eye(2), "bias": ONES}
BOARD = thermo.RCBoard(**RC)  # type: ignore[arg-type]
STEP = object()
"""Stands for the propagator of the board, made when it is first needed."""

# Truth values are promoted here, and a list of zeros or none is a matter of shape.
NOT_REAL = ("2", "", b"1", [], {}, (), object(), 1 + 2j, "nan", np.zeros(0), int)
NOT_REAL += (np.array(["a"]), np.array([1 + 1j]), [[1.0], [1.0, 2.0]], {"a": 1.0})
NOT_REAL += (np.datetime64("2020-01-01"), np.array([1, "a"], object), KEY)
REAL = NOT_REAL + spoil.UNBOUNDED
NOT_NEGATIVE = REAL + spoil.NEGATIVE
POSITIVE = NOT_NEGATIVE + spoil.ZERO
NUMBER = (None, np.ones(3), [1.0, 2.0, 3.0], ones((2, 2, 2)))
COUNT = (*(v for v in spoil.NOT_WHOLE if v is not None), 0, -1, -(2**31))
KEYS = (0, None, "key", 1.5, [], {}, object(), np.zeros(2, np.uint32), b"0")
THING = (3, "thing", None, object(), {}, 1.5, NAN, int)
CHOICE = ("nope", "", None, 3, b"rlc", [], {}, 1.5, "RLC", ("rlc",))
BROKEN = (
    full((2, 2), NAN),
    full((2, 2), INF),
    np.array(M, complex),
    np.array(M, object),
)
MATRIX = (*NOT_REAL, *BROKEN, None, 3.0, ONES, ones((2, 3)), ones((2, 2, 3)))
MATRIX += (np.zeros((0, 0)), np.full((2, 2), 1e300), np.full((2, 2), "a"))
OTHER_SIZE = (*MATRIX, eye(3))
SYMMETRIC = (*MATRIX, jnp.array([[2.0, 1.0], [-1.0, 2.0]]))
COVARIANCE = (*SYMMETRIC, -M, jnp.array([[1.0, 2.0], [2.0, 1.0]]))
COVARIANCE += (jnp.array([[1.0, 2e-3], [2e-3, 1e-6]]),)
DEFINITE = (*COVARIANCE, ones((2, 2)), zeros((2, 2)))
PASSIVE = (*DEFINITE, D, jnp.array([[1.0, -1e-3], [-1e-3, 1e-7]]))
STABLE = (*MATRIX, -M, zeros((2, 2)), jnp.array([[0.0, 1.0], [-1.0, 0.0]]))
DIFFUSION = (*COVARIANCE, eye(3))
CELLS = (*POSITIVE, None, ones(3), 3.0, jnp.array([1.0, NAN]), ones((2, 2)))
COUPLERS = (*SYMMETRIC, -APART, APART + eye(2), eye(3))
LAGS = (*NOT_REAL, None, 1.0, NAN, ones((2, 2)), jnp.array([NAN]), jnp.array([INF]))
OMEGA = (*NOT_REAL, None, NAN, INF, ones((2, 2)), jnp.array([1.0, NAN]))
SAMPLES = (
    *NOT_REAL,
    None,
    full((4, 2), NAN),
    full((4, 2), INF),
    V.astype(complex),
)
INSTANTS = (*NOT_REAL, None, 1.0, TS[::-1], TS[:1], TS * NAN, ones(3), TS[None])
STATE = (
    *NOT_REAL,
    3.0,
    ones(7),
    full(2, NAN),
    ones((2, 2)),
    ONES.astype(complex),
)
READOUT = (*NOT_REAL, *BROKEN, 3.0, ONES, ones((2, 3)), np.zeros((0, 2)))
RANGE = (3, "ab", None, (), (0.0,), (1.0, 0.0), (0.0, NAN), (0.0, INF), (-1.0, 1.0))
RANGE += (("a", "b"), (0.0, 0.0), (0.0, 1j), (0.0, 1.0, 2.0), {"low": 0.0})
SHAPE = (3, None, "ab", (-1,), (1.5,), ("a",), [2])
SYSTEM = {"drift": STABLE, "diffusion": DIFFUSION}
GOOD = {"drift": M, "diffusion": D}
DURATION = POSITIVE + NUMBER
WITH_READOUT = SYSTEM | {"readout": READOUT}
VECTOR = (*REAL, None, 3.0, ones(3), ones((2, 2)))
ROWS = (*NOT_REAL, None, NAN, 3.0, ONES, ones((3, 3)), full((3, 2), NAN),
        ones((2, 2, 2)))  # fmt: skip
DRIVE = (*NOT_REAL, 3.0, ones(3), full(2, NAN), ones((2, 2)))
OR_NONE = NOT_NEGATIVE + NUMBER
OR_INFINITE = NOT_REAL + spoil.NEGATIVE + spoil.ZERO + NUMBER + (NAN, -INF)
