"""Laws of the exact path: its transition, its statistics, its gradients."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.linalg

from tests.statistics import assert_mean, assert_second_moment, assert_within
from thermo import LinearForm, OpAmpBoard, RCBoard, RLCBoard
from thermo.observers import Correlations, Moments
from thermo.propagate import modes, moments, observe, propagator, trajectory

DT = 0.3
COUPLING = jnp.array([[0.0, 0.4], [0.4, 0.0]])
RLC = RLCBoard(
    ground_capacitance=jnp.array([1.0, 0.8]),
    coupling=COUPLING,
    inductance=jnp.array([0.2, 0.3]),
    resistance=jnp.array([1.0, 1.5]),
    noise=jnp.array([1.0, 0.5]),
)
RC = RCBoard(
    ground_capacitance=jnp.ones(2),
    resistance=jnp.array([1.0, 2.0]),
    coupling_conductance=COUPLING,
    noise=jnp.ones(2),
)
OP_AMP = OpAmpBoard(
    conductance=jnp.array([[1.0, 3.0], [0.0, 1.0]]),  # non-normal, one double rate
    ground_capacitance=jnp.ones(2),
    noise=jnp.array([1.0, 0.5]),
    input_voltage=jnp.array([1.0, -2.0]),
)
CRITICAL = dataclasses.replace(
    RLC,
    coupling=0 * COUPLING,
    inductance=4 * RLC.ground_capacitance * RLC.resistance**2,
)
COLOURED = dataclasses.replace(RLC, noise_correlation_time=0.3)
SILENT = dataclasses.replace(RLC, noise=jnp.array([1.0, 0.0]))
BOARDS = {
    "rlc": RLC,
    "rc": RC,
    "op-amp": OP_AMP,
    "critical": CRITICAL,
    "coloured": COLOURED,
    "silent cell": SILENT,
}
every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())
three_boards = pytest.mark.parametrize(
    "board", [RLC, OP_AMP, COLOURED], ids=["rlc", "op-amp", "coloured"]
)


def double(board):
    """The linear form in NumPy doubles."""
    with jax.enable_x64(True):
        board = jax.tree.map(lambda x: jnp.asarray(x, float), board)
        return jax.tree.map(np.asarray, board.linear())


def oracle(form, dt):
    """Propagator and noise covariance by SciPy and Gauss-Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    q = 0
    for s, w in zip((nodes + 1) * dt / 2, weights * dt / 2, strict=True):
        flow = scipy.linalg.expm(-form.drift * s) @ form.noise
        q = q + w * flow @ flow.T
    return scipy.linalg.expm(-form.drift * dt), q


def stationary(form):
    diffusion = form.noise @ form.noise.T
    return scipy.linalg.solve_continuous_lyapunov(form.drift, diffusion)


@every_board
@pytest.mark.parametrize("dt", [1e-4, DT, 5.0])
def test_a_step_is_exact_to_single_precision_at_any_interval(board, dt):
    p, (step, q) = propagator(board, dt), oracle(double(board), dt)
    scale = np.sqrt(np.maximum(np.diag(q), 1e-300))
    np.testing.assert_allclose(p.step, step, atol=3e-7 * np.abs(step).max())
    error = (p.noise.astype(float) @ p.noise.T.astype(float) - q) / np.outer(
        scale, scale
    )
    assert np.abs(error).max() < 1e-6


def settled(stepper):
    """Stationary covariance of the read-out of the chain that a stepper runs."""
    if hasattr(stepper, "decay"):
        one = np.asarray(stepper.kick, float) ** 2 / (1 - stepper.decay**2)
        h = np.asarray(stepper.readout, float)
        return (h * one) @ h.T
    x = np.asarray(stepper.step - np.eye(stepper.size))
    noise, h = np.asarray(stepper.noise, float), np.asarray(stepper.readout, float)
    eye = np.eye(len(x))
    operator = np.kron(x, eye) + np.kron(eye, x) + np.kron(x, x)
    s = np.linalg.solve(-operator, (noise @ noise.T).ravel()).reshape(x.shape)
    return h @ s @ h.T


@pytest.mark.parametrize("dt", [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1.0])
@pytest.mark.parametrize(
    ("stepper", "board"),
    [(propagator, RLC), (propagator, RC), (propagator, COLOURED), (modes, RC)],
    ids=["rlc", "rc", "coloured", "modes"],
)
def test_short_steps_keep_the_stationary_law_and_the_relaxation(stepper, board, dt):
    p, form = stepper(board, dt), double(board)
    assert p.readout.dtype == jnp.float32
    law = form.readout @ stationary(form) @ form.readout.T
    tolerance = 1e-4 if dt > 1e-12 else 4e-4  # of NumPy's own rounding of 1 + x
    np.testing.assert_allclose(settled(p), law, rtol=tolerance)
    if dt < 1e-2:
        change = np.asarray(p.change, float)
        rate = -np.log1p(change if stepper is modes else np.linalg.eigvals(change))
        slow, true = np.sort(rate.real)[0] / dt, np.linalg.eigvals(form.drift).real
        np.testing.assert_allclose(slow, true.min(), rtol=1e-4)


@pytest.mark.parametrize("dt", [3.0, 3e-3])
def test_time_constants_far_apart_all_keep_their_decay(dt):
    drift = np.array([[1.0, -1.0], [-1.0, 1.0 + 1e-6]])
    form = LinearForm(
        drift=jnp.asarray(drift, jnp.float32),
        noise=jnp.eye(2),
        readout=jnp.eye(2),
    )
    p, wide = propagator(form, dt), np.asarray(form.drift, float)
    assert p.remainder is not None
    slow = np.linalg.eigvalsh((p.step + p.step.T) / 2 - np.eye(2)).max()
    law = np.expm1(-dt * np.linalg.eigvalsh(wide).min())
    np.testing.assert_allclose(slow, law, rtol=1e-4)


def test_the_slowest_of_modes_far_apart_decays_as_it_should_in_a_run():
    drift, n = jnp.array([[1.0, -1.0], [-1.0, 1.0 + 1e-6]]), 400_000
    form = LinearForm(drift=drift, noise=1e-9 * jnp.eye(2), readout=jnp.eye(2))
    end = trajectory(jr.key(0), propagator(form, 3.0), n, z0=jnp.ones(2))[-1]
    law = np.exp(-3.0 * n * np.linalg.eigvalsh(np.asarray(drift, float)).min())
    np.testing.assert_allclose(end, law, rtol=1e-3)


@pytest.mark.parametrize("dtype", [jnp.int32, jnp.bfloat16])
def test_whole_and_half_numbers_are_promoted_and_complex_ones_refused(dtype):
    def form(dtype):
        two = jnp.array([[2, 1], [1, 2]], dtype)
        return LinearForm(drift=two, noise=two, readout=two)

    found, law = (propagator(form(d), DT) for d in (dtype, jnp.float32))
    np.testing.assert_array_equal(found.step, law.step)
    with pytest.raises(ValueError, match="complex"):
        propagator(form(jnp.complex64), DT)


@pytest.mark.parametrize("stepper", [propagator, modes])
def test_a_run_of_short_steps_relaxes_where_float32_would_stand_still(stepper):
    one = jnp.eye(1)
    form = LinearForm(drift=one, noise=1e-9 * one, readout=one)
    dt, n = 2e-8, 2_000_000
    run = trajectory(jr.key(0), stepper(form, dt), n, z0=jnp.ones(1))
    np.testing.assert_allclose(1 - float(run[-1, 0]), -np.expm1(-n * dt), rtol=2e-6)


@every_board
def test_two_steps_make_a_double_step(board):
    one, two = propagator(board, DT), propagator(board, 2 * DT)
    carried = one.step @ one.noise
    q = one.noise @ one.noise.T + carried @ carried.T
    np.testing.assert_allclose(one.step @ one.step, two.step, atol=1e-6)
    np.testing.assert_allclose(q, two.noise @ two.noise.T, atol=3e-6)


@every_board
def test_a_step_keeps_the_stationary_law(board):
    p, s = propagator(board, DT), stationary(double(board))
    carried = p.step @ p.start
    np.testing.assert_allclose(p.start @ p.start.T, s, atol=1e-5)
    np.testing.assert_allclose(carried @ carried.T + p.noise @ p.noise.T, s, atol=1e-5)


@three_boards
def test_sampled_path_has_the_transition_law_of_its_interval(board):
    form, k, z0 = board.linear(), 3, jnp.arange(1.0, 5.0)
    z0 = jnp.resize(z0, form.drift.shape[:1])
    p, keys = propagator(board, DT), jr.split(jr.key(0), 20_000)
    v = jax.vmap(lambda key: trajectory(key, p, k, z0=z0)[-1])(keys)
    step, q = oracle(double(board), k * DT)
    mean = form.readout @ (p.centre + step @ (z0 - p.centre))
    assert_mean(v, mean)
    assert_second_moment(v - mean[None, :], form.readout @ q @ form.readout.T)


@three_boards
def test_lagged_covariance_decays_by_the_propagator(board):
    form, p = double(board), propagator(board, DT)
    keys = jr.split(jr.key(1), 20_000)
    v = jax.vmap(lambda key: trajectory(key, p, 4))(keys)
    v = v - (form.readout @ p.centre)[None, None, :]
    later = scipy.linalg.expm(-3 * DT * form.drift) @ stationary(form)
    products = v[:, 3, :, None] * v[:, 0, None, :]
    assert_mean(products, form.readout @ later @ form.readout.T)


def test_sampled_voltages_are_gaussian():
    p = propagator(RLC, DT)
    v = jax.vmap(lambda k: trajectory(k, p, 2)[-1])(jr.split(jr.key(2), 40_000))
    s = (stationary(double(RLC)))[2:, 2:]
    assert_mean(v**4, 3 * jnp.diag(s) ** 2)
    assert_mean(v[:, 0] ** 2 * v[:, 1] ** 2, s[0, 0] * s[1, 1] + 2 * s[0, 1] ** 2)
    assert_mean(v**3, 0.0)


def test_imperfect_boards_settle_on_their_own_lyapunov_prediction():
    board = dataclasses.replace(
        RLC,
        ground_capacitance=RLC.ground_capacitance * jnp.array([1.2, 0.9]),
        noise=RLC.noise * jnp.array([0.8, 1.3]),
        coil_resistance=0.1,
        noise_correlation_time=0.2,
    )
    p, keys = propagator(board, DT), jr.split(jr.key(3), 400)
    found = jax.vmap(lambda k: moments(k, p, 500).second)(keys)
    assert_mean(found, stationary(double(board))[2:4, 2:4])
    assert abs(found.mean(0) - stationary(double(RLC))[2:, 2:]).max() > 0.1


def test_burn_in_from_rest_reaches_equilibrium():
    p, keys, rest = propagator(RLC, DT), jr.split(jr.key(4), 4000), jnp.zeros(4)
    late = jax.vmap(lambda k: moments(k, p, 110, burn_in=100, z0=rest).second)(keys)
    early = jax.vmap(lambda k: moments(k, p, 2, z0=rest).second)(keys)
    assert_mean(late, stationary(double(RLC))[2:, 2:])
    assert early[:, 0, 0].mean() < 0.8 * late[:, 0, 0].mean()


@pytest.mark.parametrize("n_samples", [40, 64, 150])
def test_running_moments_are_those_of_the_trajectory(n_samples):
    p = propagator(RLC, DT)
    v = np.asarray(trajectory(jr.key(5), p, n_samples, burn_in=10))
    found = moments(jr.key(5), p, n_samples, burn_in=10)
    assert found.n_samples == len(v) == n_samples - 10
    np.testing.assert_allclose(found.second, v.T @ v / len(v), rtol=1e-5)
    np.testing.assert_allclose(found.mean, v.mean(0), atol=1e-6)


def test_a_longer_run_begins_with_the_shorter():
    p = propagator(RLC, DT)
    long, short = trajectory(jr.key(6), p, 200), trajectory(jr.key(6), p, 70)
    np.testing.assert_allclose(long[:70], short, atol=1e-6)


def test_a_board_in_a_population_is_the_board_alone():
    values = jnp.linspace(0.5, 2.0, 5)
    boards = jax.vmap(
        lambda r: dataclasses.replace(RLC, resistance=r * RLC.resistance)
    )(values)
    many, keys = (
        propagator(jax.vmap(RLCBoard.linear)(boards), DT),
        jr.split(jr.key(7), 5),
    )
    found = jax.vmap(lambda k, p: trajectory(k, p, 100))(keys, many)
    alone = propagator(jax.tree.map(lambda x: x[3], boards), DT)
    np.testing.assert_allclose(found[3], trajectory(keys[3], alone, 100), atol=1e-5)
    assert abs(found[3] - found[2]).max() > 0.1


def test_modes_have_the_law_of_the_dense_step():
    fast, form = modes(RC, DT), double(RC)
    s = stationary(form)
    decayed = (fast.readout * fast.decay[None, :]) @ fast.readout.T
    np.testing.assert_allclose(fast.readout @ fast.readout.T, s, rtol=1e-5)
    np.testing.assert_allclose(
        decayed, scipy.linalg.expm(-DT * form.drift) @ s, rtol=1e-5
    )
    np.testing.assert_allclose(fast.decay**2 + fast.kick**2, 1.0, rtol=1e-6)


def test_modes_follow_the_dense_mean_from_any_state():
    z0 = jnp.array([3.0, -1.0])
    board = OpAmpBoard(
        conductance=jnp.array([[2.0, 1.0], [1.0, 2.0]]),
        ground_capacitance=jnp.ones(2),
        noise=1e-12 * jnp.ones(2),
        input_voltage=jnp.array([3.0, 1.0]),
    )
    paths = [
        trajectory(jr.key(8), f(board, DT), 20, z0=z0) for f in (modes, propagator)
    ]
    np.testing.assert_allclose(*paths, atol=1e-4)


def test_set_up_under_a_trace_agrees_with_double_precision():
    traced, plain = jax.jit(propagator)(RLC, DT), propagator(RLC, DT)
    for name in ("step", "noise", "start", "centre", "readout"):
        both = getattr(traced, name), getattr(plain, name)
        np.testing.assert_allclose(*both, atol=3e-6, err_msg=name)


def test_gradient_of_a_sampled_moment_by_every_component(x64):
    board = dataclasses.replace(COLOURED, coil_resistance=jnp.asarray(0.1))
    board = jax.tree.map(lambda x: jnp.asarray(x, float), board)

    def statistic(board):  # the same draws on either side
        return moments(jr.key(9), propagator(board, DT), 70).second[0, 1]

    both = jax.jit(jax.value_and_grad(statistic))
    slopes, h = both(board)[1], 1e-5
    for name in RLCBoard.component_kinds:
        value = getattr(board, name)
        step = h * (COUPLING.astype(float) if name == "coupling" else 1.0)
        up, down = (
            dataclasses.replace(board, **{name: value + s * step}) for s in (1, -1)
        )
        finite = (both(up)[0] - both(down)[0]) / (2 * h)
        slope = jnp.sum(getattr(slopes, name) * step / h)
        assert abs(finite) > 1e-3
        np.testing.assert_allclose(slope, finite, rtol=1e-6, err_msg=name)


def test_converter_sees_every_sample_and_has_dice_of_its_own():
    p = propagator(RLC, DT)
    plain = moments(jr.key(11), p, 100)
    doubled = moments(jr.key(11), p, 100, convert=lambda key, v: 2 * v)
    noisy = observe(
        jr.key(11),
        p,
        {"a": Moments()},
        20_000,
        convert=lambda key, v: 0 * v + jr.normal(key, v.shape),
    )["a"]
    np.testing.assert_allclose(doubled.second, 4 * plain.second, rtol=1e-6)
    assert_within(noisy.second, np.eye(2), np.sqrt(2 / 20_000))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: propagator(RLC, 0.0), "dt = 0"),
        (lambda p: propagator(RLC, float("nan")), "dt = nan"),
        (lambda p: trajectory(jr.key(0), p, 2.5), "n_samples = 2.5"),
        (
            lambda p: trajectory(jr.key(0), p, 9, burn_in=float("nan")),
            "burn_in must be",
        ),
        (lambda p: trajectory(jr.key(0), p, 9, z0=jnp.ones(3)), "z0 has shape"),
        (lambda p: trajectory(jr.key(0), p, 9, z0=jnp.full(4, jnp.nan)), "z0"),
        (lambda p: trajectory(jr.key(0), p, 2**40), "n_samples = "),
        (lambda p: observe(jr.key(0), p, Correlations(9), 9), "at least 10, got 9"),
        (lambda p: modes(RLC, DT), "Use `propagator`"),
        (lambda p: trajectory(jr.key(0), p, 0), "n_samples must be at least 1"),
        (lambda p: trajectory(jr.key(0), p, 9, burn_in=9), "burn_in must be between"),
        (lambda p: moments(jr.key(0), p, 9, burn_in=-1), "burn_in must be between"),
        (lambda p: moments(jr.key(0), p, 9, burn_in=8), "n_samples of at least 10"),
        (lambda p: moments(jr.key(0), p, 9, burn_in=9), "burn_in must be between"),
        (lambda p: trajectory(jr.key(0), p, 9, burn_in=True), "burn_in must be a who"),
        (lambda p: trajectory(jr.key(0), p, 9, burn_in=1.0), "burn_in must be a who"),
        (
            lambda p: trajectory(jr.key(0), p, 2**31 + 1),
            "at most 2147483647 can be kept",
        ),
        (lambda p: observe(jr.key(0), p, Moments(), 9, chunk=0), "chunk must be"),
    ],
)
def test_bad_input_is_refused_with_its_bound(call, words):
    with pytest.raises(ValueError, match=words):
        call(propagator(RLC, DT))


@pytest.mark.parametrize(
    ("drift", "words"),
    [
        (-jnp.eye(2), "drift is unstable"),
        (jnp.full((2, 2), jnp.nan), r"drift\[0, 0\] = nan"),
        (jnp.ones((2, 3)), "must be square"),
        (jnp.eye(3), "must agree"),
    ],
)
def test_a_drift_that_is_no_circuit_is_refused(drift, words):
    form = LinearForm(drift=drift, noise=jnp.eye(2), readout=jnp.eye(2))
    with pytest.raises(ValueError, match=words):
        propagator(form, DT)
