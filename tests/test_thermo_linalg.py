"""Linear algebra by waiting: right on average, and as far off as it says."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.integrate as si
import scipy.linalg as sl

from tests.boards import random_stable
from tests.statistics import assert_mean, assert_variance, assert_within
from thermo import exact
from thermo.linalg import primitives as linalg

KEYS = jr.split(jr.key(0), 2000)
RHS = np.array([1.0, -2.0, 0.5, 3.0])


def definite(seed=0, n=4, low=0.5, high=4.0):
    """Symmetric, eigenvalues evenly between two numbers."""
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]
    return turn * np.linspace(low, high, n) @ turn.T


def repeated(call, keys=KEYS):
    found = jax.jit(jax.vmap(call))(keys)
    return np.asarray(found.value, float), np.asarray(found.standard_error[0], float)


@pytest.mark.parametrize("time", [0.01, 1.0, 300.0])
@pytest.mark.parametrize("beta", [1.0, 9.0])
def test_solve_is_right_on_average_and_as_far_off_as_it_says(time, beta):
    a = definite()
    values, error = repeated(
        lambda k: linalg.solve(k, a, RHS, time, beta=beta, burn_in=40.0)
    )
    assert_within(values.mean(0), np.linalg.solve(a, RHS), error / len(KEYS) ** 0.5)
    assert_variance(values, error**2)


@pytest.mark.parametrize("time", [1e-3, 1.0, 300.0])
def test_solve_long_after_the_start_has_the_law_of_a_time_average(x64, time):
    a = jnp.asarray(definite())
    law = exact.time_average_law(a, jnp.eye(4), time)  # 2 / beta = 1
    found = linalg.solve(KEYS[0], a, RHS, time, beta=2.0, burn_in=100.0)
    right = np.sqrt(np.diagonal(law.covariance))
    np.testing.assert_allclose(found.standard_error, right, rtol=1e-7)
    assert float(found.time) == 100 + time


def test_solve_remembers_its_start_as_its_equation_says(x64):
    a, time, wait, start = definite(), 1.5, 0.3, np.array([3.0, 0.0, -1.0, 2.0])
    values, error = repeated(
        lambda k: linalg.solve(k, a, RHS, time, burn_in=wait, start=start)
    )
    x = np.linalg.solve(a, RHS)
    s = wait + np.linspace(0, time, 301)
    flow = np.stack([sl.expm(-a * t) for t in s])
    mean = x + si.simpson(flow @ (start - x), x=s, axis=0) / time
    assert_within(values.mean(0), mean, error / len(KEYS) ** 0.5)
    # what noise since time 0 adds at s and t, integrated over both
    inverse = np.linalg.inv(a)
    pairs = [[np.diagonal((sl.expm(-a * abs(t - u)) - sl.expm(-a * (t + u))) @ inverse)
              for t in s[::5]] for u in s[::5]]  # fmt: skip
    square = si.trapezoid(si.trapezoid(np.array(pairs), s[::5], axis=0), s[::5], axis=0)
    np.testing.assert_allclose(error, np.sqrt(square) / time, rtol=1e-3)
    assert_variance(values, error**2)


def test_solve_falls_with_the_root_of_time_at_the_prefactor_of_theory():
    a, times = definite(), np.geomspace(1e2, 1e5, 4)
    x = np.linalg.solve(a, RHS)
    squares = []
    for time in times:
        values, _ = repeated(lambda k, t=time: linalg.solve(k, a, RHS, t), KEYS[:500])
        squares.append(((values - x) ** 2).sum(-1))
    mean = np.array([s.mean() for s in squares])
    off = np.array([s.std() / s.mean() for s in squares]) / 500**0.5 / 2  # of the root
    at = np.log(times) - np.log(times).mean()
    slope = at @ np.log(mean) / 2 / (at @ at)
    assert_within(slope, -0.5, np.sqrt((at**2) @ off**2) / (at @ at))
    theory = 2 * np.trace(np.linalg.inv(a @ a)) / times
    assert_within(np.sqrt(mean / theory), 1, off + 0.01 / times)


@pytest.mark.parametrize(("time", "reads"), [(2.0, 8), (40.0, 64), (400.0, 32)])
def test_inv_is_right_on_average_and_as_far_off_as_it_says(time, reads):
    a = definite()
    values, error = repeated(lambda k: linalg.inv(k, a, time, reads=reads))
    assert_mean(values, np.linalg.inv(a))
    assert_variance(values, error**2)


def test_lyapunov_of_a_drift_far_from_normal(x64):
    a, r = random_stable()
    values, error = repeated(lambda k: linalg.lyapunov(k, a, r, 30.0, reads=50))
    assert_mean(values, sl.solve_continuous_lyapunov(np.asarray(a), np.asarray(r)))
    assert_variance(values, error**2)


@pytest.mark.parametrize("reads", [4, 50, 1000])
def test_standard_errors_of_lyapunov_are_isserlis_sum(x64, reads):
    a, r = random_stable()
    found = linalg.lyapunov(KEYS[0], a, r, 30.0, reads=reads).standard_error
    law = exact.sampled_variance(a, r, dt=30.0 / reads, n_samples=reads)
    np.testing.assert_allclose(found, np.sqrt(law), rtol=1e-3)


def test_lyapunov_remembers_its_start_as_its_equation_says(x64):
    a, r = random_stable()
    start, wait = jnp.array([3.0, 0.0, -1.0, 2.0]), 0.4
    # four reads at once: what they see is the state after the burn-in
    values, _ = repeated(
        lambda k: linalg.lyapunov(k, a, r, 1e-9, reads=4, burn_in=wait, start=start)
    )
    flow = sl.expm(-np.asarray(a) * wait)
    s = sl.solve_continuous_lyapunov(np.asarray(a), np.asarray(r))
    mean = flow @ np.asarray(start)
    assert_mean(values, s - flow @ s @ flow.T + np.outer(mean, mean))


@pytest.mark.parametrize("a", [np.eye(3), np.diag([1.0, 1.0, 2.0]), definite(1, 3)])
@pytest.mark.parametrize("call", ["solve", "inv", "lyapunov"])
def test_answers_have_derivatives_also_where_eigenvalues_coincide(x64, call, a):
    run = {
        "solve": lambda a: linalg.solve(KEYS[1], a, RHS[:3], 5.0, burn_in=3.0),
        "inv": lambda a: linalg.inv(KEYS[1], a, 5.0, reads=8, burn_in=3.0),
        "lyapunov": lambda a: linalg.lyapunov(
            KEYS[1], a, np.diag([1.0, 1.0, 2.0]), 5.0, reads=8, burn_in=3.0
        ),
    }[call]
    weights = np.random.default_rng(0).normal(size=run(a).value.shape)
    turn = np.array([[0.3, 0.1, -0.2], [0.1, -0.4, 0.5], [-0.2, 0.5, 0.2]])

    def along(t):
        return jnp.sum(run(a + t * turn).value * weights)

    h = 1e-4
    difference = (jax.jit(along)(h) - jax.jit(along)(-h)) / (2 * h)
    np.testing.assert_allclose(jax.grad(along)(0.0), difference, rtol=1e-5)


@pytest.mark.parametrize(("time", "steps"), [(0.5, 1), (1.0, 16), (20.0, 64)])
def test_logdet_obeys_jarzynski_and_is_as_far_off_as_it_says(time, steps):
    # the fourth moment of exp(-W) exists for eigenvalues up to 4/3 of their mean
    a = definite(2, 3, 1.0, 1.5)
    values, error = repeated(
        lambda k: linalg.logdet(k, a, time, runs=50, steps=steps), KEYS[:1000]
    )
    mean = np.trace(a) / 3
    averages = np.exp((values - 3 * np.log(mean)) / 2)  # of exp(-W), which is unbiased
    right = np.sqrt(np.linalg.det(a / mean))
    assert_mean(averages, right)
    assert_variance(averages, (right * error / 2) ** 2)


def test_logdet_of_a_change_too_sudden_has_no_standard_error():
    a = np.diag([1.0, 1.0, 1.0, 9.0])  # 9 is over twice the mean diagonal
    assert np.isinf(linalg.logdet(KEYS[0], a, 1e-3, steps=1).standard_error)
    assert np.isfinite(linalg.logdet(KEYS[0], a, 30.0).standard_error)


def test_logdet_has_the_derivative_of_its_draw(x64):
    a, turn = definite(3, 3), np.diag([1.0, -2.0, 0.5])

    def along(t):
        return linalg.logdet(KEYS[0], a + t * turn, 2.0, runs=5, steps=4).value

    h = 1e-4
    difference = (jax.jit(along)(h) - jax.jit(along)(-h)) / (2 * h)
    np.testing.assert_allclose(jax.grad(along)(0.0), difference, rtol=1e-6)


def test_solve_runs_under_jit_and_over_matrices_as_it_runs_alone():
    many = np.stack([definite(i) for i in range(3)])
    call = partial(linalg.solve, KEYS[0], rhs=RHS, time=30.0)
    alone = [call(a) for a in many]
    for each in (jax.vmap(call)(many), jax.lax.map(jax.jit(call), many)):
        for i, one in enumerate(alone):
            jax.tree.map(
                lambda x, y, i=i: np.testing.assert_allclose(x[i], y, rtol=1e-4),
                each, one,
            )  # fmt: skip


def test_a_warm_start_at_the_answer_needs_no_burn_in():
    a = definite()
    x = np.linalg.solve(a, RHS)
    values, error = repeated(
        lambda k: linalg.solve(k, a, RHS, 20.0, burn_in=0.0, start=x)
    )
    assert_within(values.mean(0), x, error / len(KEYS) ** 0.5)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("matrix", [[1.0, 0.5], [0.0, 1.0]]),
        ("matrix", [[1.0, 2.0], [2.0, 1.0]]),
        ("matrix", [[1.0 + 1j, 0.0], [0.0, 1.0]]),
        ("matrix", [[1.0, 0.0]]),
        ("rhs", [1.0, 2.0, 3.0]),
        ("rhs", [1.0, np.nan]),
        ("time", -1.0),
        ("time", 0.0),
        ("beta", -1.0),
        ("burn_in", -1.0),
        ("start", [1.0]),
    ],
)
def test_solve_refuses_by_name(field, bad):
    good = {"matrix": np.eye(2), "rhs": np.ones(2), "time": 1.0}
    with pytest.raises(ValueError, match=field):
        linalg.solve(KEYS[0], **{**good, field: bad})


@pytest.mark.parametrize("kind", [np.int32, np.float16, bool])
def test_whole_numbers_and_halves_are_taken_as_the_floats_that_they_are(kind):
    a = np.eye(3)
    for call in (lambda a: linalg.solve(KEYS[0], a, RHS[:3], 9.0),
                 lambda a: linalg.inv(KEYS[0], a, 9.0, reads=9)):  # fmt: skip
        jax.tree.map(np.testing.assert_array_equal, call(a.astype(kind)), call(a))
