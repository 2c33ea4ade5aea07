"""Laws of the diffrax path: orders, limits, densities, gradients, divergence."""

import dataclasses
import itertools
from functools import partial

import diffrax as dfx
import jax
import jax.numpy as jnp
import jax.random as jr
import lineax as lx
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

from tests.statistics import assert_mean, assert_second_moment
from thermo import OpAmpBoard, RCBoard, RLCBoard, exact
from thermo.langevin import langevin_modes
from thermo.observers import Correlations, Moments
from thermo.precision import full_precision
from thermo.simulate import (
    default_solver,
    observe,
    simulate,
    simulate_differentiable,
    substeps,
)
from thermo.simulate.choices import STEPS_PER_RADIAN
from thermo.simulate.solve import TREE_RESOLUTION, noise_path, solve

COUPLING = jnp.array([[0.0, 0.4], [0.4, 0.0]])
RLC = RLCBoard(
    ground_capacitance=jnp.array([1.0, 0.8]),
    coupling=COUPLING,
    inductance=jnp.full(2, 0.25),
    resistance=jnp.ones(2),
    noise=jnp.ones(2),
)
RC = RCBoard(
    ground_capacitance=jnp.ones(2),
    resistance=jnp.array([1.0, 2.0]),
    coupling_conductance=COUPLING,
    noise=jnp.ones(2),
)
CELL = RCBoard(
    ground_capacitance=jnp.ones(1), resistance=jnp.full(1, 2.0), noise=jnp.full(1, 0.7)
)
UNIT = jnp.array([0.0, 1.0])


@full_precision
def exact_end(form, path, z0, n=TREE_RESOLUTION):
    """z(1) by the exact map, driven by n increments (and areas) of `path`."""
    h = 1 / n
    nodes, weights = np.polynomial.legendre.leggauss(8)
    s, w = (nodes + 1) * h / 2, weights * h / 2
    flows = scipy.linalg.expm(-form.drift[None] * (h - s)[:, None, None])
    by_w = np.einsum("s,sij->ij", w / h, flows) @ form.noise
    by_h = np.einsum("s,sij->ij", w * 6 * (h - 2 * s) / h**2, flows) @ form.noise
    starts = jnp.arange(n) / n
    dw = jax.vmap(lambda t: path.evaluate(t, t + h, use_levy=True))(starts)
    kicks = dw.W @ by_w.T + (dw.H @ by_h.T if hasattr(dw, "H") else 0)
    step = scipy.linalg.expm(-form.drift * h)
    return jax.lax.scan(lambda z, kick: (step @ z + kick, None), z0, kicks)[0]


# ShARK is of order 1.5 in general; on a linear drift the term of that order that it
# misses has mean zero and adds up at random, which gains half an order.
@pytest.mark.parametrize(
    ("solver", "order"),
    [
        (dfx.Heun(), 1.0),
        pytest.param(dfx.ShARK(), 2.0, marks=pytest.mark.slow),
        pytest.param(dfx.SEA(), 1.0, marks=pytest.mark.slow),
    ],
    ids=["Heun", "ShARK", "SEA"],
)
def test_solvers_converge_to_the_exact_map_at_their_order(solver, order):
    keys, z0, form = jr.split(jr.key(0), 30), jnp.ones(4), RLC.linear()
    form = jax.tree.map(np.asarray, form)
    path = partial(noise_path, n_cells=2, solver=solver, kind="tree", ts=UNIT, steps=64)
    ends = jax.jit(jax.vmap(lambda k: exact_end(form, path(k), z0)))(keys)

    def error(n):
        def end(key):  # forward mode compiles sooner than what `grad` can walk back
            how = {"steps": n, "adjoint": dfx.ForwardMode()}
            return solve(RLC.terms(path(key)), solver, UNIT, z0, None, **how).ys[-1]

        return jnp.sqrt(jnp.mean((jax.jit(jax.vmap(end))(keys) - ends) ** 2))

    slope = np.log(error(16) / error(64)) / np.log(4)
    assert abs(slope - order) < 0.4


@pytest.mark.parametrize(
    "board", [RLC, RC, langevin_modes(RLC)], ids=["RLC", "RC", "UL"]
)
def test_default_solver_settles_on_the_lyapunov_covariance(board):
    ts, linear = jnp.linspace(0.0, 10.0, 6), (RC if board is RC else RLC).linear()
    steps, keys = substeps(board, ts), jr.split(jr.key(1), 4000)
    run = jax.vmap(lambda k: simulate(k, board, ts, steps=steps))(keys)
    s = exact.stationary_covariance(linear.drift, linear.diffusion)
    assert_second_moment(run.v[:, -1], linear.readout @ s @ linear.readout.T)
    assert run.healthy.all()
    assert not isinstance(default_solver(board), dfx.Euler)


def test_coloured_noise_and_a_bias_come_through():
    ts, keys = jnp.linspace(0.0, 12.0, 4), jr.split(jr.key(2), 3000)
    board = OpAmpBoard(
        conductance=jnp.array([[1.0, 0.5], [0.0, 1.0]]),
        ground_capacitance=jnp.ones(2),
        noise=jnp.ones(2),
        input_voltage=jnp.array([1.0, 2.0]),
        noise_correlation_time=0.4,
    )
    run = jax.vmap(lambda k: simulate(k, board, ts, steps=48))(keys)
    form = board.linear()
    s = exact.stationary_covariance(form.drift, form.diffusion)[:2, :2]
    assert_mean(run.v[:, -1], jnp.array([0.0, 2.0]))
    assert_second_moment(run.v[:, -1] - jnp.array([[0.0, 2.0]]), s)


def test_observers_see_what_the_simulation_shows_and_settle_on_the_exact_law():
    ts, steps, keys = 0.5 * jnp.arange(81.0), 6, jr.split(jr.key(8), 1000)
    run = jax.vmap(lambda k: simulate(k, RC, ts, steps=steps))(keys)
    how = {"steps": steps, "burn_in": 20, "chunk": 24}  # 61 samples in three chunks
    seen = jax.vmap(lambda k: observe(k, RC, (Moments(), Correlations(1)), ts, **how))
    (moments, lagged), healthy = seen(keys)
    v, form = np.asarray(run.v, float)[:, 20:], RC.linear()
    one_later = np.einsum("kti,ktj->kij", v[:, 1:], v[:, :-1]) / 60
    np.testing.assert_allclose(
        moments.second, np.einsum("kti,ktj->kij", v, v) / 61, atol=2e-6
    )
    np.testing.assert_allclose(lagged[:, 1], one_later, atol=2e-6)
    s = exact.stationary_covariance(form.drift, form.diffusion)
    assert_mean(moments.second, s)
    assert_mean(moments.mean, 0.0)
    assert healthy.all()


def element(cubic=0.0, current=0.0, voltage=1.0):
    """A cell with a non-linear element; as arrays, all compile to one program."""
    names = ("cubic_conductance", "saturation_current", "saturation_voltage")
    values = map(jnp.asarray, (cubic, current, voltage))
    return dataclasses.replace(CELL, **dict(zip(names, values, strict=True)))


ELEMENTS = {
    "cubic": (element(cubic=1.5), lambda v: 1.5 * v**4 / 4),
    "saturating": (
        element(current=2.0, voltage=0.5),
        lambda v: 2.0 * 0.5 * np.log(np.cosh(v / 0.5)),
    ),
}


@pytest.mark.parametrize(("board", "energy"), ELEMENTS.values(), ids=ELEMENTS.keys())
def test_non_linear_cells_settle_on_the_boltzmann_density(board, energy):
    ts = jnp.linspace(0.0, 6.0, 3)
    run = jax.vmap(lambda k: simulate(k, board, ts, steps=60))(
        jr.split(jr.key(3), 20_000)
    )

    def average(f):  # density exp(-V c / kappa), V' = current of resistor and element
        def weight(v):
            return np.exp(-(v**2 / 4 + energy(v)) / 0.7)

        top = scipy.integrate.quad(lambda v: f(v) * weight(v), -8, 8)[0]
        return top / scipy.integrate.quad(weight, -8, 8)[0]

    v = run.v[:, -1, 0]
    for power in (1, 2, 4):
        assert_mean(v**power, average(lambda v, p=power: v**p))
    assert_mean(abs(v) < 0.5, average(lambda v: float(abs(v) < 0.5)))


def test_adaptive_steps_reach_the_same_end():
    start = (jr.key(4), element(cubic=1.5), UNIT)
    careful = dfx.PIDController(rtol=1e-4, atol=1e-4, dtmin=1e-3)
    fixed = simulate_differentiable(*start, z0=jnp.ones(1), steps=256)
    free = simulate(*start, z0=jnp.ones(1), controller=careful)
    np.testing.assert_allclose(fixed.v[-1], free.v[-1], atol=2e-3)


def test_a_diverged_board_says_so_and_leaves_its_neighbours_alone():
    board, ts, keys = element(cubic=1.0), jnp.linspace(0, 1, 5), jr.split(jr.key(5), 3)
    three = jax.vmap(lambda k, z: simulate(k, board, ts, steps=10, z0=z))
    runs, sound = (
        three(keys, jnp.array([[0.1], [middle], [0.2]])) for middle in (1e3, 0.3)
    )
    np.testing.assert_array_equal(runs.healthy, [True, False, True])
    np.testing.assert_array_equal(runs.v[::2], sound.v[::2])
    assert sound.healthy.all()


def test_steps_that_run_out_are_reported():
    starved = dfx.PIDController(rtol=1e-6, atol=1e-6)
    run = simulate(jr.key(6), CELL, UNIT, controller=starved, max_steps=3)
    assert not run.healthy
    assert run.result == dfx.RESULTS.max_steps_reached


@pytest.mark.parametrize(
    "forward",
    [True, pytest.param(False, marks=pytest.mark.slow)],
    ids=["path", "tree"],
)
def test_gradients_equal_differences_with_common_random_numbers(forward, x64):
    board = dataclasses.replace(RLC, coil_resistance=jnp.asarray(0.1))
    board = jax.tree.map(lambda x: jnp.asarray(x, float), board)
    run_board = simulate if forward else simulate_differentiable

    def statistic(board):
        run = run_board(jr.key(7), board, UNIT, steps=8, z0=jnp.ones(4))
        return (run.v[-1, 0] * run.v[-1, 1],) * 2

    derivative = jax.jacfwd if forward else jax.grad
    both = jax.jit(derivative(statistic, has_aux=True))  # slopes, and the value
    slopes, h = both(board)[0], 1e-5
    for name in RLCBoard.component_kinds:
        step = h * (COUPLING.astype(float) if name == "coupling" else 1.0)
        up, down = (
            dataclasses.replace(board, **{name: getattr(board, name) + s * step})
            for s in (1, -1)
        )
        finite = (both(up)[1] - both(down)[1]) / (2 * h)
        slope = jnp.sum(getattr(slopes, name) * step / h)
        assert abs(finite) > 1e-4
        np.testing.assert_allclose(slope, finite, rtol=1e-6, err_msg=name)


class Quartic:
    """A particle in x^4 / 4, pushed by its args, that is read twice: a System."""

    n_cells = 1

    def rest(self):
        return jnp.zeros(1)

    def readout(self, z):
        return jnp.concatenate([z, 2 * z], axis=1)

    def jacobian(self):
        return -jnp.eye(1)

    def terms(self, noise):
        def diffusion(t, z, args):
            del t, z, args
            return lx.DiagonalLinearOperator(jnp.full(1, 0.5))

        drift = dfx.ODETerm(lambda t, z, args: args * t - z**3)
        return dfx.MultiTerm(drift, dfx.ControlTerm(diffusion, noise))

    def default_solver(self):
        return dfx.Heun()


def test_a_system_of_your_own_needs_no_more_than_its_contract():
    ts = jnp.linspace(0.0, 1.0, 3)
    run = simulate(jr.key(9), Quartic(), ts, args=0.3)
    again = simulate(jr.key(9), Quartic(), ts, args=0.3, steps=substeps(Quartic(), ts))
    seen = observe(jr.key(9), Quartic(), Moments(), ts, args=0.3)
    np.testing.assert_array_equal(run.v, again.v)
    np.testing.assert_array_equal(run.v[:, 1], 2 * run.v[:, 0])
    np.testing.assert_allclose(seen.found.mean, run.v.mean(0), rtol=1e-5)
    # The same increments by hand, one Heun step after another.
    path, n = noise_path(jr.key(9), 1, dfx.Heun(), "steps", ts, 4), 4 * 2
    z, grid = 0.0, np.linspace(0.0, 1.0, n + 1)
    for t0, t1 in itertools.pairwise(grid):
        f = lambda t, z: 0.3 * t - z**3  # noqa: E731
        dw, h = 0.5 * float(path.evaluate(jnp.float32(t0), jnp.float32(t1))[0]), t1 - t0
        guess = z + h * f(t0, z) + dw
        z += h * (f(t0, z) + f(t1, guess)) / 2 + dw
    np.testing.assert_allclose(run.v[-1, 0], z, rtol=1e-5)


def test_what_a_system_lacks_is_named():
    class Half:
        n_cells = 1

        def rest(self):
            return jnp.zeros(1)

    with pytest.raises(ValueError, match=r"lacks readout, jacobian, terms, default_so"):
        simulate(jr.key(0), Half(), UNIT)  # type: ignore[arg-type]


def test_steps_of_modes_resolve_the_fastest_of_them():
    modes = langevin_modes(
        RLCBoard(
            ground_capacitance=jnp.array([1.0, 0.2, 1.3]),
            coupling=jnp.zeros((3, 3)),
            inductance=0.5 * jnp.ones(3),
            resistance=4 * jnp.ones(3),
            noise=jnp.ones(3),
        )
    )
    fastest = 1 / np.sqrt(0.5 * 0.2)  # rad/us, of L and C
    ts = 0.3 * jnp.arange(4.0)
    assert substeps(modes, ts) == np.ceil(STEPS_PER_RADIAN * 0.3 * fastest)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulate(jr.key(0), RC, jnp.zeros(3)), "increasing"),
        (lambda: simulate(jr.key(0), RC, UNIT, steps=0), "steps per .* at least 1"),
        (lambda: observe(jr.key(0), RC, Moments(), UNIT, burn_in=2), "burn_in must be"),
        (lambda: observe(jr.key(0), RC, Moments(), UNIT, chunk=0), "chunk must be"),
        (lambda: simulate(jr.key(0), RC, UNIT, steps=1.5), "steps per .* whole"),
        (lambda: simulate(jr.key(0), RC, UNIT, args=jnp.sin), "args = .* not read"),
        (lambda: observe(jr.key(0), RC, Moments(), UNIT, args=1.0), "args = 1.0"),
        (lambda: simulate(jr.key(0), RC, UNIT, z0=jnp.ones(3)), "z0 has shape"),
        (lambda: simulate(jr.key(0), RC, 1e7 + 4 * UNIT, steps=8), "roundings"),
        (lambda: observe(jr.key(0), RC, Correlations(5), UNIT), "at least 6, got"),
        (lambda: jax.jit(simulate)(jr.key(0), RC, UNIT), "steps must be given"),
        (
            lambda: langevin_modes(dataclasses.replace(RLC, coil_resistance=1.0)),
            "to be 0",
        ),
        (
            lambda: langevin_modes(
                dataclasses.replace(RLC, resistance=jnp.array([1.0, 2.0]))
            ),
            "same resistance",
        ),
    ],
)
def test_bad_input_is_refused_with_what_would_work(call, words):
    with pytest.raises(ValueError, match=words):
        call()
