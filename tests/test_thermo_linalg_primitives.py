"""The primitives on real chips, by every reading: each is what its law says."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.integrate as si
import scipy.linalg as sl
import scipy.optimize as so

from tests.statistics import assert_mean, assert_variance, assert_within
from thermo import Tolerances, exact
from thermo.linalg import primitives
from thermo.linalg.bennett import free_energy
from thermo.linalg.errors import lagged_error, mean_error
from thermo.linalg.primitives import by_law, by_moments, by_trajectory
from thermo.linalg.protocol import protocol

KEYS = jr.split(jr.key(1), 1000)
A = np.array([[1.0, 0.4, 0.0], [0.4, 2.0, -0.5], [0.0, -0.5, 1.5]])
RHS = np.array([1.0, -2.0, 0.5])
SKEW = np.array([[0.2, 1.0, 0.0], [-0.6, -0.3, 0.4], [0.0, 0.0, -1.0]])
SLOW = pytest.mark.slow


def slowly(*cases):
    return [pytest.param(*case, marks=SLOW) for case in cases]


READINGS = {"moments": by_moments, "trajectory": by_trajectory, "law": by_law}
OFF = Tolerances(resistance=0.1, capacitance=0.15, noise=0.2)


@cache
def chip(bits=None):
    return primitives.draw_chip(jr.key(2), 3, OFF, bits=bits)


@cache
def resistors():
    return primitives.draw_chip(jr.key(5), 3, Tolerances(resistance=0.05))


def repeated(call, *asked, keys=KEYS):
    found = jax.jit(jax.vmap(lambda k: call(k, *asked)))(keys)
    return np.asarray(found.value, float), np.asarray(found.standard_error[0], float)


def parts(chip):
    return (np.asarray(x, float) for x in (chip.conductance, chip.capacitance,
                                           chip.noise))  # fmt: skip


def equilibrium(drift, noise):
    return sl.solve_continuous_lyapunov(drift, noise @ noise.T)


def test_a_chip_is_off_as_its_tolerances_say():
    many = jax.vmap(lambda k: primitives.draw_chip(k, 3, OFF))(KEYS)
    i = np.triu_indices(3)
    for x, spread in (
        (many.conductance[:, i[0], i[1]], 0.1),
        (many.capacitance, 0.15),
        (many.noise, 0.2),
    ):
        assert_mean(x, 1)
        assert_variance(x, spread**2)


@pytest.mark.parametrize("read", ["moments", *slowly(["trajectory"], ["law"])])
def test_inv_of_a_chip_is_what_its_components_make_of_it(read):
    g, c, power = parts(chip())
    s = equilibrium(g * A / c[:, None], np.diag(np.sqrt(2 * power) / c))
    call = partial(primitives.inv, reads=8, chip=chip(), read=READINGS[read])
    time = 8 * 12.0 if read == "law" else 4.0  # long enough for each run
    values, error = repeated(call, A, time)
    assert_mean(values, s)
    assert_variance(values, error**2)


@SLOW
def test_a_short_run_of_its_own_remembers_its_start():
    start, time, reads = np.array([2.0, 0.0, -1.0]), 8 * 0.3, 8
    flow = sl.expm(-A * 0.3)
    s = np.linalg.inv(A)
    mean = flow @ start
    call = partial(primitives.inv, reads=reads, start=start, read=by_law)
    values, error = repeated(call, A, time)
    assert_mean(values, s - flow @ s @ flow.T + np.outer(mean, mean))
    assert_variance(values, error**2)


@pytest.mark.parametrize("read", ["law", *slowly(["moments"], ["trajectory"])])
def test_solve_on_a_chip_is_what_its_components_make_of_it(read):
    g, c, power = parts(chip())
    how = {"burn_in": 20.0, "reads": 20, "chip": chip(), "read": READINGS[read]}
    how |= {"beta": 4.0}
    values, error = repeated(partial(primitives.solve, **how), A, RHS, 5.0)
    assert_mean(values, np.linalg.solve(g * A, RHS))
    assert_variance(values, error**2)
    if read == "law":
        noise = np.diag(2 / 4.0 * power / c**2)
        average = exact.time_average_law(g * A / c[:, None], noise, 5.0)
        right = np.sqrt(np.diagonal(average.covariance))
        np.testing.assert_allclose(error, right, rtol=1e-4)


@SLOW
def test_the_law_of_a_chip_without_faults_is_that_of_the_ideal_one(x64):
    perfect = primitives.draw_chip(jr.key(0), 3, Tolerances())
    start = np.array([3.0, 0.0, -1.0])
    for call in (
        lambda key, a, chip: primitives.solve(
            key, a, RHS, 1.5, burn_in=0.3, start=start, chip=chip
        ),
        lambda key, a, chip: primitives.logdet(key, a, 1.0, runs=3, steps=5, chip=chip),
    ):
        plain, made = (jax.jit(call)(KEYS[0], A, chip) for chip in (None, perfect))
        np.testing.assert_allclose(plain.standard_error, made.standard_error, rtol=1e-6)
        np.testing.assert_allclose(plain.time, made.time, rtol=1e-6)


@SLOW
def test_a_trajectory_gives_what_its_moments_give():
    calls = [
        partial(primitives.inv, reads=70, read=r) for r in (by_moments, by_trajectory)
    ]
    found = [jax.jit(call)(KEYS[0], A, 20.0) for call in calls]
    np.testing.assert_allclose(found[0].value, found[1].value, rtol=1e-4, atol=1e-5)


def test_a_coarse_chip_holds_the_nearest_matrix():
    made = primitives.Chip(
        conductance=jnp.ones((2, 2)), capacitance=jnp.ones(2), noise=jnp.ones(2), bits=3
    )
    # steps of 2 / 3: 2, 4 / 3, 0 (1.1 is nearer to 4 / 3, 0.2 to 0)
    asked = np.array([[2.0, 0.2], [0.2, 1.1]])
    found = primitives.solve(KEYS[0], asked, np.ones(2), 1e9, chip=made)
    np.testing.assert_allclose(found.value, [0.5, 0.75], rtol=1e-3)


@pytest.mark.parametrize(
    ("read", "real"),
    [("moments", True), ("law", False),
     *slowly(("trajectory", True), ("moments", False), ("law", True))],
)  # fmt: skip
def test_expm_is_what_the_board_remembers(read, real):
    a, alpha, made = SKEW, 1.0, chip() if real else None
    f = alpha * np.eye(3) - a
    noise = np.real(sl.sqrtm(f + f.T))
    if real:
        g, c, power = parts(made)
        f, noise = g * f / c[:, None], noise * np.sqrt(power) / c[:, None]
    right = np.exp(alpha) * sl.expm(-f) @ equilibrium(f, noise)
    how = {"reads": 9, "shift": alpha, "burn_in": 40.0, "chip": made}
    call = partial(primitives.expm, read=READINGS[read], **how)
    values, error = repeated(call, a)
    if not real:
        np.testing.assert_allclose(right, sl.expm(a), rtol=1e-6, atol=1e-9)
    assert_mean(values, right)
    assert_variance(values, error**2)


@SLOW
def test_expm_by_its_law_remembers_its_start():
    f, start = np.eye(3) - SKEW, np.array([1.0, 0.0, 2.0])
    flow = sl.expm(-f * 0.5)
    mean = flow @ start
    right = np.e * sl.expm(-f) @ (np.eye(3) - flow @ flow.T + np.outer(mean, mean))
    how = {"reads": 9, "shift": 1.0, "burn_in": 0.5, "start": start, "read": by_law}
    values, error = repeated(partial(primitives.expm, **how), SKEW)
    assert_mean(values, right)
    assert_variance(values, error**2)


@SLOW
def test_expm_does_not_depend_on_its_shift_or_its_lag_but_its_time_does():
    quick = primitives.expm(KEYS[0], SKEW, 20_000, lag=0.1)
    slow = primitives.expm(KEYS[1], SKEW, 20_000, shift=0.7)
    for found in (quick, slow):
        assert_within(found.value, sl.expm(SKEW), found.standard_error)
    assert 2000 < float(quick.time) < 2100 < 20_000 < float(slow.time) < 20_100


def test_bennetts_equation_is_solved():
    rng = np.random.default_rng(0)
    forth, back = rng.normal(1.0, 2.0, 50), rng.normal(0.5, 2.0, 50)

    def unequal(d):
        return np.sum(1 / (1 + np.exp(forth - d))) - np.sum(1 / (1 + np.exp(back + d)))

    right = so.brentq(unequal, -50, 50)
    found = free_energy(jnp.asarray(forth), jnp.asarray(back))
    np.testing.assert_allclose(found, right, atol=1e-5)


@pytest.mark.parametrize(
    ("real", "time", "steps"),
    [(False, 3.0, 8), *slowly((False, 0.1, 1), (True, 0.1, 1), (True, 3.0, 8))],
)
def test_bennett_finds_the_determinant_and_is_as_far_off_as_it_says(real, time, steps):
    a, made = A, resistors() if real else None
    right = np.linalg.slogdet(a)[1]
    if real:
        g, _, _ = parts(made)
        mean = np.trace(a) / 3
        right = np.linalg.slogdet(g * a)[1] - np.log(np.diagonal(g)).sum()
        assert mean > 0
    call = partial(primitives.logdet_bennett, runs=400, steps=steps, chip=made)
    found = jax.jit(jax.vmap(lambda k: call(k, a, time)))(KEYS[:300])
    values, errors = (np.asarray(x, float) for x in found[:2])
    # a bias of the order of the variance, 1 / runs, is left
    assert_within(values.mean(), right, errors.mean() / 300**0.5 + errors.mean() ** 2)
    assert_within(values.var() / np.mean(errors**2), 1, (2 / 300) ** 0.5 + 1 / 400**0.5)


@SLOW
def test_bennett_has_an_answer_where_jarzynski_has_no_error():
    a = np.diag([1.0, 1.0, 1.0, 9.0])
    assert np.isinf(primitives.logdet(KEYS[0], a, 1e-3, steps=1).standard_error)
    found = primitives.logdet_bennett(KEYS[0], a, 1e-3, steps=1, runs=4000)
    assert_within(found.value, np.log(9.0), found.standard_error)
    assert float(found.standard_error) < 0.1


def test_a_protocol_is_what_a_chip_does_between_changes(x64):
    g, c, power = parts(chip())
    path = np.stack([A, (A + np.eye(3)) / 2, np.eye(3)])
    found = protocol(jnp.asarray(path), jnp.asarray(0.7), (g, c, power), None)
    gained = np.diag(2 * power / c**2)
    held = g * path
    drifts = held / c[:, None]
    np.testing.assert_allclose(found.change, held[1:] - held[:-1], rtol=1e-12)
    for f, kept, noise in zip(drifts[1:], found.kept, found.noise, strict=True):
        flow, s = sl.expm(-f * 0.7), sl.solve_continuous_lyapunov(f, gained)
        np.testing.assert_allclose(kept, flow, atol=1e-12)
        np.testing.assert_allclose(noise @ noise.T, s - flow @ s @ flow.T, atol=1e-12)
    start = sl.solve_continuous_lyapunov(drifts[0], gained)
    np.testing.assert_allclose(found.first @ found.first.T, start, atol=1e-12)


def test_the_times_are_those_of_the_machine():
    a = np.diag([1.0, 2.0, 1.5])  # the slowest mode, and the mean diagonal entry
    wait, half, rest = np.log(1e4), np.log(1e4) / 2, np.log(1e4) / 3
    law = {"reads": 8, "read": by_law}
    p = primitives
    for call, right in (
        (partial(p.inv, time=8.0, reads=8), wait + 8),
        (partial(p.inv, time=8.0, **law), 8),
        (partial(p.solve, rhs=RHS, time=5.0, chip=resistors()), wait + 5),
        (partial(p.solve, rhs=RHS, time=5.0, reads=8, read=by_moments), wait + 5),
        (partial(p.expm, reads=8, shift=2.0, lag=2.0), wait * 2 / 1 + 9 * 2),
        (partial(p.expm, shift=2.0, lag=2.0, **law), 8 * (wait * 2 / 1 + 2)),
        (partial(p.logdet, time=3.0, runs=4, steps=2), 4 * (half + 3)),
        (partial(p.logdet_bennett, time=3.0, runs=4, steps=2), 4 * (half + rest + 6)),
    ):
        held = a - np.eye(3) if call.func is p.expm else a  # 2 - 1, the slowest
        taken = jax.jit(lambda a, call=call: call(KEYS[0], a).time)(held)
        np.testing.assert_allclose(taken, right, rtol=1e-5)


def test_jarzynski_holds_on_a_chip_whose_resistors_are_off():
    g, _, _ = parts(resistors())
    mean = np.trace(A) / 3
    call = partial(primitives.logdet, runs=50, steps=8, chip=resistors())
    values, error = repeated(call, A, 3.0)
    averages = np.exp((values - 3 * np.log(mean)) / 2)
    right = np.sqrt(np.linalg.det(g * A) / np.prod(mean * np.diagonal(g)))
    assert_mean(averages, right)
    assert_variance(averages, (right * error / 2) ** 2)


@pytest.mark.parametrize(
    "call", ["expm", *slowly(["inv"], ["solve"], ["logdet"], ["logdet_bennett"])]
)
def test_the_draw_on_a_chip_has_its_derivative(x64, call):
    turn = np.array([[0.3, 0.1, -0.2], [0.1, -0.4, 0.5], [-0.2, 0.5, 0.2]])
    how = {
        "inv": {"time": 9.0, "reads": 9, "burn_in": None, "read": by_law},
        "solve": {"rhs": RHS, "time": 3.0, "burn_in": 1.0},
        "expm": {"reads": 9, "shift": 4.0, "burn_in": 1.0},
        "logdet": {"time": 1.0, "runs": 5, "steps": 4},
        "logdet_bennett": {"time": 1.0, "runs": 5, "steps": 4},
    }[call]

    def along(t):
        run = partial(getattr(primitives, call), KEYS[0], chip=chip(), **how)
        return jnp.sum(jnp.sin(run(A + t * turn).value))

    h, both = 1e-4, jax.jit(jax.value_and_grad(along))
    difference = (both(h)[0] - both(-h)[0]) / (2 * h)
    np.testing.assert_allclose(both(0.0)[1], difference, rtol=1e-5)


def error_at(time, own, start):
    """Of the covariance of modes at rates `own` that began at variances `start`."""
    short = np.exp(-2 * own * time) * (1 / own - start)
    return np.linalg.norm(short) / np.linalg.norm(1 / own)


@pytest.mark.parametrize("modes", [0, 1, 2])
def test_a_start_with_slow_modes_burns_in_as_the_next_mode_does(x64, modes):
    own = np.linalg.eigvalsh(A)
    law = primitives.slow_modes(A, modes)
    begun = np.where(np.arange(3) < modes, 1 / own, 0)
    np.testing.assert_allclose(
        np.linalg.eigvalsh(np.linalg.inv(A) - law.covariance)[::-1][: 3 - modes],
        np.sort((1 / own)[modes:])[::-1],
        rtol=1e-9,
    )
    for error in (0.1, 1e-4):
        wait = float(primitives.covariance_burn_in(A, error, modes))
        assert error_at(wait, own, begun) <= error * (1 + 1e-9)
    # the bound is met where one mode is left, or late
    last = error_at(float(primitives.covariance_burn_in(A, 1e-9, 2)), own, begun)
    assert last <= 1e-9 * (1 + 1e-6) or modes < 2
    if modes == 2:
        assert last >= 1e-9 * (1 - 1e-6)


def test_no_wait_is_left_where_the_start_is_right():
    assert float(primitives.covariance_burn_in(A, 0.5, 3)) == 0
    assert float(primitives.covariance_burn_in(np.diag([0.1, 9.0]), 0.5, 1)) == 0


def test_runs_from_a_law_have_the_covariance_of_its_equation():
    law, time, reads = primitives.slow_modes(A, 2), 8 * 0.2, 8
    flow, s = sl.expm(-A * 0.2), np.linalg.inv(A)
    call = partial(primitives.inv, reads=reads, start=law, read=by_law)
    values, error = repeated(call, A, time)
    assert_mean(values, s + flow @ (np.asarray(law.covariance, float) - s) @ flow.T)
    assert_variance(values, error**2)


def test_a_drive_obeys_the_equations_of_moments_and_work(x64):
    hold, stiff, push = 0.3, 5.0, 40.0
    found = primitives.drive(A, hold, stiff, push)
    eye = np.eye(3)

    def spread(held, time, start):
        def flow(_, s):
            s = s.reshape(3, 3)
            return (2 * eye - held @ s - s @ held).ravel()

        how = {"rtol": 1e-10, "atol": 1e-12}
        run = si.solve_ivp(flow, (0, time), start.ravel(), **how)
        return run.y[:, -1].reshape(3, 3)

    apart = np.log(stiff) / (2 * push)
    pressed = spread(stiff * A, hold, np.zeros((3, 3)))
    pushed = spread(-push * eye, apart, pressed)
    np.testing.assert_allclose(found.law.covariance, pushed, rtol=1e-7)
    np.testing.assert_allclose(found.time, hold + apart)
    # work is done where the potential is changed, and there alone
    switched = np.trace((-push * eye - stiff * A) @ pressed) / 2
    put_back = np.trace((A + push * eye) @ pushed) / 2
    np.testing.assert_allclose(found.work, switched + put_back, rtol=1e-7)


def test_a_drive_is_quicker_the_more_work_is_spent():
    own = np.linalg.eigvalsh(A)
    plain = float(primitives.covariance_burn_in(A, 1e-2))
    errors, works = [], []
    for push in (1e2, 1e3, 1e4):
        found = primitives.drive(A, plain / 10, 10.0, push)
        assert float(found.time) < plain / 5
        off = np.linalg.norm(found.law.covariance - np.linalg.inv(A))
        errors.append(off / np.linalg.norm(1 / own))
        works.append(float(found.work))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1.2e-2
    assert works[0] < works[1] < works[2]


def test_standard_errors_of_correlated_reads_are_isserlis_sums(x64):
    """Pair by pair: Cov(ab, cd) = <ac><bd> + <ad><bc>."""
    g, c, power = parts(chip())
    f, n, dt = g * (A + SKEW) / c[:, None], 6, 0.4
    d = np.diag(2 * power / c**2)
    s = sl.solve_continuous_lyapunov(f, d)

    def at(m):
        return sl.expm(-f * dt * m) @ s if m >= 0 else at(-m).T

    mean, lagged = np.zeros(3), np.zeros((3, 3))
    for k in range(n):
        for j in range(n):
            m = k - j
            mean += np.diagonal(at(m)) / n**2
            own = np.diagonal(at(m))
            lagged += (np.outer(own, own) + at(m + 1) * at(m - 1).T) / n**2
    law = (jnp.asarray(f), jnp.asarray(d), jnp.asarray(dt))
    np.testing.assert_allclose(mean_error(*law, count=n), np.sqrt(mean), rtol=1e-6)
    found = lagged_error(*law, jnp.asarray(float(n)))
    np.testing.assert_allclose(found, np.sqrt(lagged), rtol=1e-6)
