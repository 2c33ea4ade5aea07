"""Devices that were simulated are found again, with errors that mean what they say."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import eapu_jax as ej
from eapu_jax.fitting import (
    MODELS,
    PulseTrains,
    Reads,
    Traces,
    fit_device,
    fit_trains,
    judged,
)
from eapu_jax.fitting.search import Train, restricted
from tests.pulsed_traces import trains, up_and_down
from tests.statistics import SIGMAS, assert_within

DEVICES, CYCLES, N = 200, 6, 60  # one shape: what is compiled serves many tests
FEW = 20  # in one call

TRUTH: dict[str, dict[str, float]] = {
    "SoftBounds": {
        "g_min": -20.0, "g_max": 60.0, "pulse": 1.6, "down_ratio": 0.9,
        "write_noise": 0.4, "read_noise": 0.3,
    },
    "LinearStep": {  # meets both ends of its window
        "g_min": -20.0, "g_max": 60.0, "pulse": 4.0, "down_ratio": 1.2,
        "slope_up": 0.4, "slope_down": 0.6, "write_noise": 0.8, "read_noise": 0.5,
    },
}  # fmt: skip


def measured(family, constants, rng, devices=DEVICES, cycles=CYCLES, n=N):
    up = up_and_down(devices, cycles, n)
    return trains(family, constants, up, rng), up


def found(family, g, up, **options):
    return fit_device(Traces(pulses=PulseTrains(g=g, up=up)), [family], **options)


def assert_covered(fit, truth):
    """The share of 95 % intervals that hold the truth, within five binomial errors."""
    assert fit.converged.all()
    for name, (low, high) in fit.intervals(0.95).items():
        true = np.broadcast_to(truth[name], low.shape)
        held = np.mean((low <= true) & (true <= high))
        error = np.sqrt(0.95 * 0.05 / low.size)
        assert abs(held - 0.95) <= SIGMAS * error, (name, held)


# The likelihood


def dense(constants, g, up):
    """Log-density of all readings after the first, as one Gaussian vector.

    The cell's path is a linear function of where it was first read, of the noise of
    every write and of every reading.
    """
    half = (constants["g_max"] - constants["g_min"]) / 2
    middle = (constants["g_max"] + constants["g_min"]) / 2
    n = up.size
    mean, from_write = np.empty(n + 1), np.zeros((n + 1, n))
    mean[0], from_first = g[0], np.ones(n + 1)
    for t in range(n):
        sign = 1.0 if up[t] else -1.0
        slope = constants["slope_up"] if up[t] else constants["slope_down"]
        p = constants["pulse"] * (1.0 if up[t] else constants["down_ratio"])
        keep = 1 - p * slope / half
        mean[t + 1] = mean[t] * keep + sign * p + p * slope * middle / half
        from_write[t + 1] = keep * from_write[t]
        from_write[t + 1, t] = 1.0
        from_first[t + 1] = keep * from_first[t]
    q, r = constants["write_noise"] ** 2, constants["read_noise"] ** 2
    cov = q * from_write @ from_write.T + r * np.outer(from_first, from_first)
    cov = (cov + r * np.eye(n + 1))[1:, 1:]
    there = np.isfinite(g[1:])
    cov = cov[np.ix_(there, there)]
    return stats.multivariate_normal(mean[1:][there], cov).logpdf(g[1:][there])


def test_a_linear_device_has_the_likelihood_of_one_gaussian_vector(x64):
    constants = TRUTH["LinearStep"] | {"g_min": -500.0, "g_max": 700.0}
    g, up = measured("LinearStep", constants, np.random.default_rng(0), 1, 1, 40)
    g, up = g[0, 0], up[0, 0]
    g[[5, 6, 20, 40]] = np.nan
    told = judged(ej.LinearStep(**constants), jnp.asarray(g), jnp.asarray(up))
    expected = dense(constants, g, up)
    np.testing.assert_allclose(np.sum(told.log_likelihood), expected, rtol=1e-5)
    assert np.sum(told.counted) == 36


@pytest.mark.parametrize("first", [0, 1, 7])
def test_a_train_begins_where_it_is_first_read(first, x64):
    constants = TRUTH["SoftBounds"]
    device = ej.SoftBounds(**constants)
    g, up = measured("SoftBounds", constants, np.random.default_rng(1), 1, 1, 20)
    late = np.where(np.arange(21) < first, np.nan, g[0, 0])
    whole = judged(device, jnp.asarray(late), jnp.asarray(up[0, 0]))
    rest = judged(device, jnp.asarray(late[first:]), jnp.asarray(up[0, 0, first:]))
    np.testing.assert_allclose(
        whole.log_likelihood[first:], rest.log_likelihood, rtol=1e-12
    )
    assert not np.any(whole.counted[:first])


def test_an_outlier_is_told_and_does_not_move_what_is_known(x64):
    constants = TRUTH["SoftBounds"]
    device = ej.SoftBounds(**constants)
    g, up = measured("SoftBounds", constants, np.random.default_rng(2), 1, 1, 30)
    g, up = g[0, 0], jnp.asarray(up[0, 0])
    struck, gone = g.copy(), g.copy()
    struck[11], gone[11] = 55.0, np.nan
    held = functools.partial(judged, device, up=up, outliers=1e-3, span=80.0)
    with_it, without = held(g=jnp.asarray(struck)), held(g=jnp.asarray(gone))
    assert with_it.clean[10] < 1e-6
    np.testing.assert_allclose(with_it.expected, without.expected, rtol=1e-6)


def test_a_clipped_gaussian_has_the_moments_of_the_integral(x64):
    from eapu_jax.fitting.likelihood import clipped

    x = np.linspace(-12, 12, 400_001)
    for mean, sd, low, high in ((0, 1, -1, 2), (3, 0.5, -1, 2), (-9, 2, -1, 2)):
        y = np.clip(mean + sd * x, low, high)
        weight = stats.norm.pdf(x) * (x[1] - x[0])
        first = np.sum(weight * y)
        second = np.sum(weight * (y - first) ** 2)
        got = clipped(jnp.float64(mean), jnp.float64(sd**2), low, high)
        np.testing.assert_allclose(got, (first, second), rtol=1e-5, atol=1e-8)


# Recovery


@pytest.mark.slow
@pytest.mark.parametrize("family", ["SoftBounds", "LinearStep"])
def test_intervals_hold_the_truth_at_their_nominal_rate(family):
    truth = TRUTH[family]
    g, up = measured(family, truth, np.random.default_rng(3))
    fitted = found(family, g, up)
    assert_covered(fitted.fit, truth)
    assert fitted.adequate


@pytest.mark.slow
def test_noise_of_few_readings_is_neither_too_small_nor_too_large():
    """Of one cycle; the likeliest is a fifth too small, as the step follows it."""
    truth = TRUTH["SoftBounds"]
    g, up = measured("SoftBounds", truth, np.random.default_rng(3), cycles=1)
    fit = found("SoftBounds", g, up).fit
    for name in ("write_noise", "read_noise"):
        off = np.log(fit.values[name] / truth[name])
        low, middle, high = np.quantile(off, [0.25, 0.5, 0.75])
        error = np.sqrt(np.pi / 2) * (high - low) / 1.349 / np.sqrt(DEVICES)
        assert_within(middle, 0, error)


def test_the_tilt_counts_the_constants_that_follow_the_noise(x64):
    """Steps that are read exactly: two means take two of the degrees of freedom."""
    model = MODELS["ConstantStep"]
    up = up_and_down(1, 1, 40)[0]
    g = np.where(up, 0.05, -0.05).cumsum(axis=1) - 0.5
    x = jnp.asarray(np.concatenate([np.full((1, 1), -0.5), g], axis=1))
    width = jnp.array([c.width for c in model.free.values()])
    centre = jnp.array([c.centre for c in model.free.values()])
    train = Train(x, jnp.asarray(up), centre, width, 0.0, jnp.ones(40))
    values = {
        "g_min": -3.0, "g_max": 3.0, "pulse": 0.05, "down_ratio": 1.0,
        "write_noise": 0.02, "read_noise": 1e-5,
    }  # fmt: skip
    point = jnp.stack([c.back(jnp.asarray(values[n])) for n, c in model.free.items()])
    tilt = dict(zip(model.free, restricted(model, train, point), strict=True))
    assert tilt.pop("write_noise") == pytest.approx(-2 - 1, rel=0.01)  # and a prior
    assert tilt.pop("read_noise") == pytest.approx(-1, rel=0.01)
    np.testing.assert_allclose([*tilt.values()], 0, atol=0.01)


@pytest.mark.slow
def test_gaps_outliers_and_unequal_counts_leave_the_rate_as_it_is():
    truth, rng = TRUTH["SoftBounds"], np.random.default_rng(4)
    g, up = measured("SoftBounds", truth, rng)
    g = np.where(rng.random(g.shape) < 0.1, np.nan, g)
    struck = rng.random(g.shape) < 0.01
    g = np.where(struck, rng.uniform(-20, 60, g.shape), g)
    ends = rng.integers(N // 2 + 10, N + 1, g.shape[:2])
    g = np.where(np.arange(N + 1) > ends[..., None], np.nan, g)
    fitted = found("SoftBounds", g, up)
    assert_covered(fitted.fit, truth)
    assert np.mean(1 - fitted.fit.clean) == pytest.approx(0.01, abs=0.004)


@pytest.mark.slow
def test_the_spread_of_devices_is_told_from_the_noise_of_cycles():
    rng, truth = np.random.default_rng(5), TRUTH["SoftBounds"]
    sigmas = {"pulse": 0.2, "write_noise": 0.3}
    drawn = {n: np.full(DEVICES, v) for n, v in truth.items()}
    for name, s in sigmas.items():
        drawn[name] = truth[name] * np.exp(s * rng.normal(size=DEVICES) - s**2 / 2)
    g, up = measured("SoftBounds", drawn, rng)
    fitted = found("SoftBounds", g, up)
    for name, p in fitted.population.items():
        assert_within(p.mean, truth[name], p.mean_error)
        assert_within(p.sigma, sigmas.get(name, 0.0), p.sigma_error)
    assert fitted.spread.cell_to_cell["pulse"] == fitted.population["pulse"].sigma


@pytest.mark.slow
def test_ends_that_stopped_no_pulse_are_not_determined():
    """A walk amid the window: its steps are found, whatever window is taken."""
    truth = TRUTH["LinearStep"] | {"pulse": 0.8, "write_noise": 0.2, "read_noise": 0.2}
    g, up = measured("LinearStep", truth, np.random.default_rng(31), FEW)
    fitted = found("LinearStep", g, up)
    assert fitted.converged.all()
    for end in ("g_min", "g_max"):
        assert np.isinf(fitted.errors[end]).all()
        assert np.isinf(fitted.population[end].mean_error)
    assert np.isfinite(fitted.population["pulse"].mean_error)
    at = jnp.float32(np.nanmean(g))
    step = fitted.device.after(at, 1, jnp.array(True)) - at
    true = ej.LinearStep(**truth).after(at, 1, jnp.array(True)) - at
    error = fitted.population["pulse"].mean_error / fitted.device.pulse
    assert_within(step / true, 1.0, float(error))


EXPONENTIAL = TRUTH["SoftBounds"] | {
    "amplitude_up": -0.6, "amplitude_down": -0.6, "decay_up": 4.0, "decay_down": 4.0,
    "pulse": 1.0, "write_noise": 0.3, "read_noise": 0.2,
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong", ["SoftBounds", pytest.param("LinearStep", marks=pytest.mark.slow)]
)
def test_a_wrong_family_is_a_bad_fit(wrong):
    rng = np.random.default_rng(6)
    g, up = measured("ExponentialStep", EXPONENTIAL, rng, devices=FEW)
    fitted = found(wrong, g, up)
    assert not fitted.adequate
    assert fitted.fit.shape_chance < 1e-6


@pytest.mark.slow
def test_the_family_that_made_the_cycles_held_out_is_chosen():
    rng = np.random.default_rng(12)
    traces = {}
    for family in ("LinearStep", "SoftBounds"):
        g, up = measured(family, TRUTH[family], rng, FEW)
        traces[family] = Traces(pulses=PulseTrains(g=g, up=up))
    for family, other in (("LinearStep", "SoftBounds"), ("SoftBounds", "LinearStep")):
        fitted = fit_device(traces[family], [other, family])
        assert fitted.family == family
        first, second = fitted.compare()
        assert (first["family"], second["family"]) == (family, other)
        assert first["constants"] == len(MODELS[family].free)
        assert fitted.adequate


def test_what_is_found_is_a_device_that_a_file_holds(tmp_path):
    rng = np.random.default_rng(13)
    g, up = measured("SoftBounds", TRUTH["SoftBounds"], rng, FEW)
    fitted = found("SoftBounds", g, up)
    ej.save_device(tmp_path / "mine.toml", fitted, told="simulated")
    loaded = ej.load_device(tmp_path / "mine.toml")
    assert loaded == (fitted.crossbar, fitted.spread, "simulated")
    window = loaded.crossbar.device.g_max - loaded.crossbar.device.g_min
    assert loaded.crossbar.r_wg * window == pytest.approx(2.0)


@pytest.mark.slow
def test_the_threshold_is_the_error_of_a_write_or_a_whole_pulse():
    rng = np.random.default_rng(14)
    for noise in (0.2, 4.0):
        truth = TRUTH["SoftBounds"] | {"write_noise": noise}
        g, up = measured("SoftBounds", truth, rng, FEW)
        fitted = found("SoftBounds", g, up)
        pulses = max(1.0, (noise / truth["pulse"]) ** 2)  # sd sqrt(n) s of n pulses p
        assert fitted.threshold == pytest.approx(pulses * truth["pulse"], rel=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ExponentialStep", "ConstantStep", "Ferroelectric"])
def test_the_other_families_are_found_as_well(family):
    rng = np.random.default_rng(15)
    truth = {n: v for n, v in EXPONENTIAL.items() if n in MODELS[family].free}
    if family != "Ferroelectric":  # meets both ends of its window
        truth |= {"pulse": 4.0, "write_noise": 0.8, "read_noise": 0.5}
    if family == "Ferroelectric":
        truth["domains"] = 2000.0
        g, up = by_domains(truth, rng)
    else:
        g, up = measured(family, truth, rng)
    fitted = found(family, g, up)
    assert np.mean(fitted.converged) > 0.9
    for name in ("pulse", "down_ratio", "read_noise", *({"domains"} & set(truth))):
        low, high = (end[fitted.converged] for end in fitted.intervals()[name])
        held = np.mean((low <= truth[name]) & (truth[name] <= high))
        assert abs(held - 0.95) <= SIGMAS * np.sqrt(0.95 * 0.05 / low.size), (
            name,
            held,
        )


def by_domains(truth, rng):
    """Films whose domains flip one by one, each with its probability."""
    up = up_and_down(DEVICES, CYCLES, N)
    domains, window = int(truth["domains"]), truth["g_max"] - truth["g_min"]
    aligned = np.full(up.shape[:2], domains // 4)
    path = [aligned]
    for t in range(N):
        chance = 2 * truth["pulse"] / window
        more = rng.binomial(domains - aligned, chance)
        less = rng.binomial(aligned, chance * truth["down_ratio"])
        aligned = aligned + np.where(up[..., t], more, -less)
        path.append(aligned)
    g = truth["g_min"] + window * np.stack(path, axis=-1) / domains
    return g + truth["read_noise"] * rng.normal(size=g.shape), up


@pytest.mark.slow
def test_a_device_that_cannot_be_fitted_leaves_its_neighbours_alone():
    g, up = measured("SoftBounds", TRUTH["SoftBounds"], np.random.default_rng(7), FEW)
    alone = found("SoftBounds", g, up)
    g = g.copy()
    g[3] = np.nan
    beside = found("SoftBounds", g, up)
    assert beside.converged.tolist() == [k != 3 for k in range(FEW)]
    assert np.isnan(beside.values["pulse"][3])
    np.testing.assert_array_equal(
        np.delete(beside.values["pulse"], 3), np.delete(alone.values["pulse"], 3)
    )


def test_readings_at_rest_say_what_the_read_noise_is():
    truth, rng = TRUTH["SoftBounds"], np.random.default_rng(8)
    g, up = measured("SoftBounds", truth, rng, FEW)
    at_rest = Reads(g=truth["read_noise"] * rng.normal(size=(FEW, 2000)))
    traces = Traces(pulses=PulseTrains(g=g, up=up), reads=at_rest)
    fitted = fit_device(traces, ["SoftBounds"])
    errors = fitted.errors["read_noise"]
    assert np.all(errors < 1.1 * truth["read_noise"] / np.sqrt(2 * 2000))
    assert_within(fitted.values["read_noise"], truth["read_noise"], errors)


@pytest.mark.slow
def test_units_do_not_matter():
    g, up = measured("SoftBounds", TRUTH["SoftBounds"], np.random.default_rng(9), FEW)
    fitted, other = found("SoftBounds", g, up), found("SoftBounds", 1e3 * g + 7e4, up)
    for name in ("pulse", "write_noise", "read_noise"):
        ratio = other.values[name] / fitted.values[name]
        np.testing.assert_allclose(ratio, 1e3, rtol=1e-4)
    np.testing.assert_allclose(
        other.values["g_max"], 1e3 * fitted.values["g_max"] + 7e4, rtol=1e-5
    )


@pytest.mark.slow
def test_a_fit_has_a_slope_in_its_readings(x64):
    g, up = measured("SoftBounds", TRUTH["SoftBounds"], np.random.default_rng(10), 1)
    g, up = jnp.asarray(g[0]), jnp.asarray(up[0])

    def noise(g):
        return fit_trains(MODELS["SoftBounds"], g, up).values["write_noise"]

    slope = jax.jit(jax.grad(noise))(g)
    way = jnp.asarray(np.random.default_rng(11).normal(size=g.shape))
    ahead, behind = (jax.jit(noise)(g + s * 1e-3 * way) for s in (1, -1))
    np.testing.assert_allclose(jnp.sum(slope * way), (ahead - behind) / 2e-3, rtol=1e-2)


# What is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"traces": 3}, "traces must be Traces"),
        (
            {"traces": Traces(reads=Reads(g=[[1.0, 2.0]]))},
            "must have pulses or writes",
        ),
        ({"models": ["Soft"]}, "models must be some of SoftBounds, .*got \\['Soft'\\]"),
        ({"models": "SoftBounds"}, "models must be some of"),
        ({"models": []}, "models must be some of"),
        ({"compared": 0}, "compared must be >= 1"),
        ({"outliers": 1.0}, "outliers must be < 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, words):
    g, up = measured("SoftBounds", TRUTH["SoftBounds"], np.random.default_rng(9), 1)
    good: dict[str, Any] = {"traces": Traces(pulses=PulseTrains(g=g, up=up))}
    with pytest.raises(ValueError, match=words):
        fit_device(**(good | change))
