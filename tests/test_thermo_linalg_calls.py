"""Ask a board: the three calls are right on average, and as far off as they say."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.linalg as sl

from tests.statistics import assert_mean, assert_second_moment, assert_variance
from thermo import Tolerances, linalg, program_matrix
from thermo.linalg.preparation import prepared

KEYS = jr.split(jr.key(0), 600)
M = np.array([[2.0, -1.0], [-1.0, 2.0]])
STEEP = np.array([[1.0, -0.9, 0.0], [-0.9, 1.0, -0.4], [0.0, -0.4, 1.0]])  # M-matrix
BOTH = np.array([[30.0, 1.0], [1.0, 0.1]])  # of units far apart, positively coupled
TIGHT = np.eye(3) * 0.4 + 0.6  # positive definite, no scaling makes it dominant
ONE = "unit diagonal"
UNEVEN = np.array([[2.0, 1.0], [-1.0, 1.0]])
SINGLE = np.array([[0.0, 2.0], [1.0, 1.0]])  # neither definite nor stable

CASES = {
    ONE: (M, linalg.Preparation(circuit="rlc")),
    "dominance": (STEEP, linalg.Preparation(scaling="dominance", circuit="rlc")),
    "doubled": (BOTH, linalg.Preparation(doubled=True, circuit="rlc")),
    "array": (TIGHT, linalg.Preparation()),
    "normal": (
        SINGLE,
        linalg.Preparation(normal=True, doubled=True, circuit="rlc"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_matrix_comes_onto_the_board_that_its_values_allow(name):
    matrix, how = CASES[name]
    assert linalg.prepare_inversion(matrix) == how


def test_one_block_that_no_scaling_makes_dominant_needs_the_array():
    matrix = sl.block_diag(TIGHT, 1.0)
    assert linalg.prepare_inversion(matrix) == linalg.Preparation()


def test_noise_is_that_of_a_voltage_alone():
    # one cell of 1 mS and 1 nF: x = 2 v; a mode of 1 us averaged over 1000 us
    call = partial(linalg.solve, noise=0.03, preparation=linalg.Preparation())
    found = jax.jit(call)(KEYS[0], np.array([[2.0]]), np.array([4.0]))
    right = 2 * 0.03 * (2 / 1000) ** 0.5
    np.testing.assert_allclose(found.standard_error, [right], rtol=1e-3)


@pytest.mark.parametrize(
    ("matrix", "how"),
    [
        (TIGHT, linalg.Preparation()),
        (UNEVEN, linalg.Preparation(scaling="none")),
        (SINGLE, linalg.Preparation(normal=True)),
    ],
)
def test_an_equation_comes_onto_the_array_that_its_values_allow(matrix, how):
    assert linalg.prepare_solution(matrix) == how


@pytest.mark.parametrize("name", CASES)
def test_what_is_on_the_board_has_the_inverse_asked_for(x64, name):
    matrix, how = CASES[name]
    held, w = (np.asarray(x) for x in prepared(jnp.asarray(matrix), how))
    inverse = np.linalg.inv(held)
    if how.doubled:
        d = len(matrix)
        inverse = inverse[:d, :d] - inverse[:d, d:]
    wanted = matrix.T @ matrix if how.normal else matrix
    np.testing.assert_allclose(
        w[:, None] * inverse * w, np.linalg.inv(wanted), rtol=1e-9
    )
    if how.circuit == "rlc":  # an M-matrix that passive cells hold
        assert (held - np.diag(held.diagonal())).max() <= 0
        assert held.sum(1).min() >= -1e-12


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    ["doubled", "normal",
     *(pytest.param(n, marks=SLOW) for n in (ONE, "dominance", "array"))],
)  # fmt: skip
def test_invert_is_right_on_average_and_as_far_off_as_it_says(name):
    matrix, how = CASES[name]
    call = partial(linalg.invert, time=6.0, reads=40, preparation=how)
    found = jax.jit(jax.vmap(lambda k: call(k, matrix)))(KEYS)
    assert_mean(found.value, np.linalg.inv(matrix))
    assert_variance(found.value, np.asarray(found.standard_error[0], float) ** 2)


def test_sample_has_the_covariance_and_is_as_far_off_as_it_says():
    wanted, count = np.array([[2.0, -0.6], [-0.6, 1.0]]), 20
    how = linalg.Preparation(doubled=True, circuit="rlc")
    call = partial(linalg.sample, count=count, interval=0.2, preparation=how)
    found = jax.jit(jax.vmap(lambda k: call(k, wanted)))(KEYS)
    draws = np.asarray(found.value, float)
    assert_second_moment(draws[:, 0], wanted)
    moments = np.einsum("kti,ktj->kij", draws, draws) / count
    assert_mean(moments, wanted)
    assert_variance(moments, np.asarray(found.standard_error[0], float) ** 2)


@pytest.mark.parametrize(
    ("matrix", "how"),
    [
        pytest.param(BOTH, linalg.Preparation(), marks=SLOW),
        pytest.param(UNEVEN, linalg.Preparation(scaling="none"), marks=SLOW),
        (SINGLE, linalg.Preparation(normal=True)),
    ],
)
def test_solve_is_right_on_average_and_as_far_off_as_it_says(matrix, how):
    rhs = np.array([3.0, -5.0])
    call = partial(linalg.solve, time=3e5, noise=0.1, preparation=how)
    found = jax.jit(jax.vmap(lambda k: call(k, matrix, rhs)))(KEYS)
    assert_mean(found.value, np.linalg.solve(matrix, rhs))
    assert_variance(found.value, np.asarray(found.standard_error[0], float) ** 2)


@SLOW
def test_samples_at_their_own_interval_are_nearly_independent():
    call = partial(linalg.sample, count=4000, preparation=CASES[ONE][1])
    found = jax.jit(call)(KEYS[0], M)
    x = np.asarray(found.value, float)
    lag = x[1:].T @ x[:-1] / 3999
    assert np.linalg.norm(lag) < 0.2 * np.linalg.norm(M)
    cost = float(found.time) / 4000
    assert 1 < cost < 50  # us: some relaxations of RC = 1 us


def test_the_times_are_those_of_the_machine():
    a, how = np.diag([4.0, 9.0]), linalg.Preparation()  # 1 us each, once scaled
    half = np.log(1e4) / 2
    for call, right in (
        (partial(linalg.invert, time=50.0, reads=9, preparation=how), half + 50),
        (partial(linalg.sample, count=9, interval=3.0, preparation=how), half + 27),
        (partial(linalg.solve, rhs=np.ones(2), time=50.0), 2 * half + 50),
    ):
        taken = jax.jit(lambda a, call=call: call(KEYS[0], a).time)(a)
        np.testing.assert_allclose(taken, right, rtol=1e-3)


def _answer_of(board, scale):
    """What an RLC board of two cells says of the inverse, by its own equilibrium."""
    form = board.linear()
    f, h = np.asarray(form.drift, float), np.asarray(form.readout, float)
    s = sl.solve_continuous_lyapunov(f, np.asarray(form.diffusion, float))
    return scale * h @ s @ h.T


@pytest.mark.slow
def test_a_real_board_is_off_by_what_its_components_make_of_the_matrix():
    off = Tolerances(capacitance=0.2, resistance=0.2, noise=0.2)
    call = partial(linalg.invert, time=4e4, reads=80_000, preparation=CASES[ONE][1])
    found = jax.jit(partial(call, tolerances=off))(KEYS[3], M)
    # W^2 = 1/2, and 2 nF for each unit of the matrix scaled to a diagonal of 1
    right = _answer_of(found.board, 1.0)
    away = np.abs(np.asarray(found.value) - right)
    assert np.all(away < 5 * np.asarray(found.standard_error))
    assert np.linalg.norm(right - np.linalg.inv(M)) > 10 * np.linalg.norm(
        found.standard_error
    )


@pytest.mark.parametrize(
    ("name", "bits"), [("dominance", 3), pytest.param("array", 4, marks=SLOW)]
)
def test_coarse_components_take_the_values_that_there_are(name, bits):
    matrix, how = CASES[name]
    call = partial(linalg.invert, time=9.0, reads=9, preparation=how)
    board = jax.jit(partial(call, bits=bits))(KEYS[0], matrix).board
    fine = jax.jit(
        lambda a: program_matrix(prepared(a, how)[0], circuit=how.circuit).board
    )(matrix)
    if how.circuit == "rlc":
        held, wanted, step = board.coupling, fine.coupling, 1 / (2**bits - 1)
    else:
        held, wanted, step = board.conductance, fine.conductance, 1 / (2**bits / 2 - 1)
    steps = np.asarray(held, float) / step
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-5)
    assert np.abs(np.asarray(held) - np.asarray(wanted)).max() < step / 2 + 1e-6


@pytest.mark.parametrize(
    "call",
    ["invert", *(pytest.param(n, marks=SLOW) for n in ("sample", "solve", "normal"))],
)
def test_the_draw_has_its_derivative(x64, call):
    a = jnp.asarray(TIGHT + np.diag([1.0, 0.5, 0.2]))
    turn = np.array([[0.3, 0.1, -0.2], [0.1, -0.4, 0.5], [-0.2, 0.5, 0.2]])
    how = linalg.Preparation(normal=call == "normal")
    rhs = jnp.array([1.0, -2.0, 0.5])
    run = {
        "sample": lambda a: linalg.sample(KEYS[1], a, 9, interval=1.0, preparation=how),
        "invert": lambda a: linalg.invert(KEYS[1], a, 9.0, reads=9, preparation=how),
        "solve": lambda a: linalg.solve(KEYS[1], a, rhs, 9.0, preparation=how),
    }
    run["normal"] = run["invert"]

    def along(t):
        return jnp.sum(jnp.sin(run[call](a + t * turn).value))

    h, both = 1e-4, jax.jit(jax.value_and_grad(along))
    difference = (both(h)[0] - both(-h)[0]) / (2 * h)
    # the derivative holds the burn-in of `solve`, which leaves 1e-4 of the start
    rtol = 1e-3 if call == "solve" else 1e-5
    np.testing.assert_allclose(both(0.0)[1], difference, rtol=rtol)


@pytest.mark.parametrize(
    ("call", "field", "bad"),
    [
        ("invert", "matrix", [[1.0, 2.0], [2.0, 4.0]]),
        ("invert", "time", 0.0),
        ("invert", "reads", 1),
        ("invert", "bits", 1),
        ("invert", "bits", 25),
        ("invert", "tolerances", 0.1),
        ("invert", "preparation", "op-amp"),
        ("sample", "covariance", [[1.0, 2.0], [2.0, 1.0]]),
        ("sample", "count", 0),
        ("sample", "interval", -1.0),
        ("solve", "rhs", [1.0]),
        ("solve", "noise", 0.0),
        ("solve", "preparation", linalg.Preparation(circuit="rlc")),
    ],
)
def test_refuses_by_name(call, field, bad):
    good = {"matrix": M} if call != "sample" else {"covariance": M}
    good |= {"rhs": np.ones(2)} if call == "solve" else {}
    with pytest.raises(ValueError, match=field):
        getattr(linalg, call)(KEYS[0], **{**good, field: bad})


def test_no_preparation_is_made_up():
    for wrong in ({"scaling": "all"}, {"circuit": "pump"}, {"normal": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            linalg.Preparation(**wrong)


def test_the_board_of_a_solution_is_the_one_that_ran():
    off = Tolerances(resistance=0.2)
    ideal = linalg.solve(jr.key(0), UNEVEN, [1.0, 3.0], noise=1e-6)
    found = linalg.solve(jr.key(0), UNEVEN, [1.0, 3.0], noise=1e-6, tolerances=off)
    assert not np.allclose(found.value, ideal.value, rtol=0.02)
    law = found.board.linear()  # at rest its voltages are the answer, in some unit
    rest = np.linalg.solve(law.drift, law.bias)
    np.testing.assert_allclose(
        rest / np.linalg.norm(rest),
        found.value / np.linalg.norm(found.value),
        rtol=1e-3,
    )
