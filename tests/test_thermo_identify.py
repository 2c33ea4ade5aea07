"""Components of boards from their voltages: likelihoods, scores, coverage, names."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.stats as ss

from tests.boards import random_board
from tests.statistics import assert_mean, assert_rate, assert_variance, assert_within
from thermo import RCBoard, exact, identify, propagate
from thermo.identify import scoring
from thermo.identify.components import altered, components
from thermo.identify.covariances import Covariance
from thermo.identify.samples import Samples, samples
from thermo.identify.spectra import Spectra, periodogram
from thermo.identify.steps import Steps, steps

APART = np.array([[0.0, 0.4], [0.4, 0.0]])
RC = RCBoard(
    ground_capacitance=np.array([1.0, 1.5]),
    resistance=np.array([2.0, 1.2]),
    coupling_conductance=APART,
    noise=np.array([0.5, 1.0]),
)
RLC = random_board(seed=1, d=1)
DT = 0.7


def doubles(tree):
    return jax.tree.map(lambda x: np.asarray(x, float), tree)


def stacked(tree):
    return jax.tree.map(lambda x: np.asarray(x)[None], tree)


def record(board, n, dt=DT, seed=0):
    step = propagate.propagator(board, dt)
    return np.asarray(propagate.trajectory(jr.key(seed), step, n), float)


def dense(board, n, nodes, error=0.0, dt=DT):
    """Covariance of a whole record, `(n k, n k)`, from the autocorrelation."""
    form = doubles(board.linear())
    h = form.readout[list(nodes)]
    lags = np.array([[i - j for j in range(n)] for i in range(n)], float) * dt
    c = exact.autocorrelation(form.drift, form.diffusion, lags.ravel())
    c = np.asarray(h @ np.asarray(c) @ h.T).reshape(n, n, len(h), len(h))
    whole = c.transpose(0, 2, 1, 3).reshape(n * len(h), -1)
    return whole + error**2 * np.eye(len(whole))


@pytest.mark.parametrize("board", [RC, RLC], ids=["RC", "RLC"])
@pytest.mark.parametrize("error", [0.0, 0.3])
def test_the_likelihood_is_that_of_the_dense_gaussian(board, error, x64):
    n = 12
    board, nodes = doubles(board), tuple(range(board.n_cells))
    v = record(board, n)
    expected = ss.multivariate_normal(cov=dense(board, n, nodes, error))
    expected = expected.logpdf(v.ravel())
    seen = samples(board, v[None], DT, nodes, error)
    found = [seen.log_likelihood(seen.law(board))]
    if board is not RLC and not error and len(board.linear().drift) == len(nodes):
        seen = steps(v[None], DT)
        found.append(seen.log_likelihood(seen.law(board)))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_node_without_a_probe_is_marginal(x64):
    board, v = doubles(RC), record(RC, 12)[:, :1]
    expected = ss.multivariate_normal(cov=dense(board, 12, (0,))).logpdf(v.ravel())
    seen = samples(board, v[None], DT, (0,), 0.0)
    np.testing.assert_allclose(
        seen.log_likelihood(seen.law(board)), expected, rtol=1e-9
    )


def test_a_settled_filter_loses_no_digit_and_an_unsettled_one_says_so(x64):
    board = doubles(RLC)
    v = record(board, 1000)
    seen = samples(board, v[None], DT, (0,), 0.1)
    assert seen.settle < 1000
    whole = dataclasses.replace(seen, settle=1000)
    hasty = dataclasses.replace(seen, settle=1)
    found = [s.log_likelihood(s.law(board)) for s in (seen, whole, hasty)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    assert np.isnan(found[2])


def test_the_wishart_likelihood_differs_from_scipys_by_a_constant(x64):
    board, n = doubles(RC), 9
    v = record(board, n, dt=50.0)
    moment = v.T @ v / n
    seen = Covariance(moment=moment, count=np.float64(n))
    others = [dataclasses.replace(board, noise=board.noise * k) for k in (1, 1.7)]
    laws = [np.asarray(seen.law(b)) for b in others]
    found = [float(seen.log_likelihood(law)) for law in laws]
    expected = [ss.wishart(n, law / n).logpdf(moment) for law in laws]
    np.testing.assert_allclose(np.diff(found), np.diff(expected), rtol=1e-9)


def test_sums_of_steps_keep_their_digits_on_a_short_interval(x64):
    board, dt = doubles(RC), 1e-6
    v = record(board, 400, dt)
    law = steps(v[None], dt).law(board)
    eye, start = np.eye(2), np.asarray(law.start)
    kept = (v[1:] - v[:-1]) - v[:-1] @ np.asarray(law.change).T
    expected = ss.multivariate_normal(cov=start).logpdf(v[0])
    gained = ss.multivariate_normal(cov=np.asarray(law.gained) / dt)
    expected += gained.logpdf(kept / dt**0.5).sum() - len(kept) * np.log(dt)
    del eye
    found = steps(v[None], dt).log_likelihood(law)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_expected_periodogram_is_that_of_the_dense_gaussian(x64):
    board, length = doubles(RC), 16
    v = np.zeros((1, length, 2))
    seen = Spectra(
        periodogram=v, count=1.0, dt=DT, readout_noise=0.2, nodes=(1, 0), length=length
    )
    whole = dense(board, length, (1, 0), 0.2).reshape(length, 2, length, 2)
    turn = np.exp(-2j * np.pi * np.outer(np.arange(9), np.arange(length)) / length)
    turn = turn * np.sin(np.pi * (np.arange(length) + 0.5) / length)
    expected = np.einsum("jn,namb,jm->jab", turn, whole, turn.conj()) / (length / 2)
    np.testing.assert_allclose(seen.law(board), expected, atol=1e-12)


def test_segments_are_worth_what_their_scatter_says():
    """Power of white noise, from every sample as often as segments count it."""
    rng, length, trials = np.random.default_rng(0), 16, 3000
    ends = np.array([1.0, *[2.0] * (length // 2 - 1), 1.0])
    power = []
    for v in rng.normal(size=(trials, 1, 5 * length, 1)):
        mean, count = periodogram(v, length)
        power.append(ends @ mean[:, 0, 0].real / length)
    assert_mean(power, 1.0)
    assert_variance(power, 2 / (count * length))


def test_a_record_that_is_too_short_for_segments_is_refused():
    with pytest.raises(ValueError, match=r"traces have 64 samples: .* `identify`"):
        identify.identify_spectra(RC, record(RC, 64), DT)


N = 400
BOARDS = 400


def of_steps(v, board):
    w = v[1:] - v[:-1]
    sums = {"first": jnp.outer(v[0], v[0]), "before": v[:-1].T @ v[:-1]}
    sums |= {"changes": w.T @ w, "cross": w.T @ v[:-1]}
    n = jnp.asarray(float(len(w)))
    return Steps(dt=jnp.asarray(DT), n_records=jnp.ones(()), n_steps=n, **sums)


def of_samples(v, board):
    more = {"nodes": (0,), "settle": 120, "points": 64}
    noise = jnp.asarray(0.05)
    return Samples(v=v[None], dt=jnp.asarray(DT), readout_noise=noise, **more)


def of_spectra(v, board):
    halves = v.reshape(-1, 64, v.shape[1])
    pieces = jnp.concatenate([halves[:-1], halves[1:]], axis=1)
    fade = jnp.asarray(np.sin(np.pi * (np.arange(128) + 0.5) / 128))
    waves = jnp.fft.rfft(pieces * fade[None, :, None], axis=1)
    n = len(pieces)
    mean = jnp.einsum("sja,sjb->jab", waves, waves.conj()) / (64 * n)
    count = jnp.asarray(n**2 / (2 * n - 0.5))
    more = {"nodes": (0,), "length": 128, "count": count}
    noise = jnp.asarray(0.05)
    return Spectra(periodogram=mean, dt=jnp.asarray(DT), readout_noise=noise, **more)


def of_covariance(v, board):
    return Covariance(moment=v.T @ v / len(v), count=jnp.asarray(float(len(v))))


CASES = {
    "steps": (RC, of_steps, ("ground_capacitance",), DT),
    "Kalman": (RLC, of_samples, ("resistance",), DT),
    "spectra": (RLC, of_spectra, ("resistance",), DT),
    "covariance": (RC, of_covariance, ("ground_capacitance", "noise"), 60.0),
}


QUICK = ("covariance",)  # the cheapest: the machinery is one


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK))
        for name in CASES
    ],
)
def population(request):
    """Scores at the truth, and fits from 10 % away, of many records."""
    board, form_of, known, dt = CASES[request.param]
    sought = components([board], known)
    with jax.enable_x64(True):
        board, n = doubles(board), len(sought)
        step = propagate.propagator(board, dt)
        off = 0.1 * np.cos(np.arange(n))
        start = altered(board, sought, -off)

        def one(key):
            samples = 4096 if form_of is of_spectra else N
            v = propagate.trajectory(key, step, samples)
            if form_of in (of_samples, of_spectra):
                v = v + 0.05 * jr.normal(jr.fold_in(key, 1), v.shape)
            seen = jax.tree.map(lambda x: x[None], form_of(v, board))
            at = jax.tree.map(lambda x: x[None], board)
            told = scoring.told(jnp.zeros(n), at, seen, sought)
            begun = jax.tree.map(lambda x: x[None], start)
            return told, scoring.maximise(begun, seen, sought=sought)

        run = jax.jit(jax.vmap(one))
        told, fit = run(jr.split(jr.key(1), BOARDS))
        yield jax.tree.map(np.asarray, (told, fit, off))


def test_the_score_has_mean_zero_and_the_information_as_its_variance(population):
    told, _, _ = population
    known = told.information[0]
    white = np.linalg.solve(np.linalg.cholesky(known), told.score.T).T
    assert_mean(white, np.zeros(white.shape[1]))
    products = white[:, :, None] * white[:, None, :]
    # Whittle's information of a record is right to its first order in 1 / N
    assert_within(
        products.mean(0),
        np.eye(white.shape[1]),
        products.std(0) / BOARDS**0.5 + 2 / N,
    )


def test_intervals_hold_the_truth_at_their_nominal_rate(population):
    _, fit, off = population
    assert (fit.promised <= scoring.CONVERGED).all()
    errors = np.sqrt(np.diagonal(np.linalg.inv(fit.told.information), axis1=1, axis2=2))
    held = np.abs(fit.log_factors - off) <= 1.96 * errors
    assert_rate(held.sum(0), BOARDS, 0.95)


def found_of(board, n=2000, known=(), **options):
    v = record(board, n)
    return identify.identify(board, v, DT, known=known, **options)


def test_without_one_known_component_no_impedance_is_named():
    found = found_of(RC)
    assert found.converged
    assert set(found.unidentified) == set(found.names)
    assert np.isnan(found.values).all()
    assert np.isnan(found.intervals()).all()
    # ... but what can be told is told: the record is as likely as it gets
    assert found.directions().shape[1] == 1
    fields = ("ground_capacitance", "coupling_conductance", "resistance", "noise")
    power = {"resistance": -1, "noise": 2}
    scaled = [power.get(c.field, 1) for c in found.sought]
    assert abs(found.directions()[:, 0] @ scaled) == pytest.approx(
        np.linalg.norm(scaled)
    )
    assert {c.field for c in found.sought} == set(fields)


def test_a_covariance_has_no_clock():
    board = doubles(RC)
    exactly = np.asarray(Covariance(moment=np.eye(2), count=1).law(RC), float)
    of = partial(identify.identify_covariances, board, exactly, 10_000)
    timeless = of(known=("ground_capacitance",))
    assert set(timeless.unidentified) == set(timeless.names)
    found = of(known=("ground_capacitance", "noise"))
    assert found.unidentified == ()
    np.testing.assert_allclose(found.values, found.nominal, rtol=1e-5)


def test_another_setting_tells_what_one_covariance_does_not():
    apart = dataclasses.replace(RC, coupling_conductance=3 * APART)
    real = [
        dataclasses.replace(
            b, noise=np.array([0.5, 1.2]), resistance=np.array([2.2, 1])
        )
        for b in (RC, apart)
    ]
    given = [Covariance(moment=np.eye(2), count=1).law(b) for b in real]
    known = ("ground_capacitance", "noise[0]")
    of = partial(identify.identify_covariances, n_samples=100_000, known=known)
    assert of(RC, given[0]).unidentified
    found = of([RC, apart], given)
    assert found.unidentified == ()
    expected = {"resistance[0]": 2.2, "resistance[1]": 1.0, "noise[1]": 1.2}
    expected["coupling_conductance[0, 1]"] = 0.4
    for name, value in zip(found.names, found.values, strict=True):
        assert value == pytest.approx(expected[name], rel=1e-4), name


@pytest.mark.slow
def test_the_noise_of_the_instrument_is_told_from_that_of_the_board():
    v = record(RC, 4000, 0.1)
    v = v + 0.1 * np.random.default_rng(0).normal(size=v.shape)
    known = ("ground_capacitance",)
    found = identify.identify(RC, v, 0.1, known=known, readout_noise=0.05)
    low, high = found.intervals(0.999)[found.names.index("readout_noise")]
    assert low < 0.1 < high < 0.2
    assert found.units[-1] == "V"


def test_tolerances_hold_the_spread_at_their_nominal_rate():
    rng, trials, spread = np.random.default_rng(0), 400, 0.1
    board = random_board(d=3)
    sought = components([board], ("coupling", "inductance", "noise", "resistance"))
    errors, held = np.array([0.05, 0.3, 0.2]), 0
    for _ in range(trials):
        found = identify.Identified(
            boards=(board,),
            sought=sought,
            nominal=np.ones(3),
            log_factors=np.hypot(spread, errors) * rng.normal(size=3),
            information=np.diag(errors**-2.0),
            log_likelihood=0.0,
            converged=True,
        )
        (_, low, high) = found.tolerances(0.9)["capacitance"]
        held += low <= spread <= high
    assert_rate(held, trials, 0.9)


BAD = {
    "known = 'capacitor': must be among": {"known": ("capacitor",)},
    "known = .* every component is": {"known": tuple(RC.component_kinds)},
    "known = 'noise': must be a tuple": {"known": "noise"},
    "dt = 0: must be greater than 0": {"dt": 0},
    "traces have shape .* for 2 nodes": {"traces": np.ones((5, 3))},
    "traces have shape .* 2 samples or more": {"traces": np.ones((1, 2))},
    r"traces\[..., 1\] = 0 throughout": {"traces": np.array([[1.0, 0], [2, 0]])},
    "traces.* = nan: every entry must be finite": {"traces": np.full((5, 2), np.nan)},
    "nodes = .* must be less than 2": {"nodes": (0, 2)},
    "none may be there twice": {"nodes": (0, 0)},
    "readout_noise = -1": {"readout_noise": -1},
    "readout_noise = None: it is named": {"known": ("readout_noise",)},
    r"boards = 3: must be a board": {"boards": 3},
    "boards differ": {"boards": [RC, RLC], "traces": [np.ones((5, 2))] * 2},
    "traces: 1 for 2 boards": {"boards": [RC, RC], "traces": [np.ones((5, 2))]},
    r"noise\[1\] = 0": {"boards": dataclasses.replace(RC, noise=np.array([1.0, 0]))},
}


@pytest.mark.parametrize("words", BAD)
def test_what_cannot_be_identified_is_refused_by_name(words):
    good = {"boards": RC, "traces": np.ones((5, 2)), "dt": DT}
    with pytest.raises(ValueError, match=words):
        identify.identify(**{**good, **BAD[words]})


def test_a_level_of_confidence_lies_between_0_and_1():
    found = identify.identify_covariances(RC, np.eye(2), 10, known=("noise",))
    for level in (0, 1, "a", None, True):
        with pytest.raises(ValueError, match="level = "):
            found.intervals(level)
