"""Writes, retention and endurance are found again, and wrapped around the device."""

import jax
import numpy as np
import pytest
from scipy import stats

import eapu_jax as ej
from eapu_jax.fitting import (
    Endurance,
    PulseTrains,
    Reads,
    Retention,
    Traces,
    Writes,
    fit_device,
    fit_endurance,
    fit_retention,
    fit_writes,
)
from tests.pulsed_traces import trains, up_and_down
from tests.statistics import SIGMAS, assert_rate, assert_within

RNG = np.random.default_rng


def written(rng, devices=200, n=150, noise=1.5, read=0.5):
    target = rng.uniform(10, 50, (devices, n))
    sd = np.hypot(noise, read)
    return Writes(target=target, landed=target + sd * rng.normal(size=target.shape))


# Writes


def test_the_write_noise_has_intervals_that_hold_it():
    rng = RNG(0)
    reads = Reads(g=0.5 * rng.normal(size=(200, 100)))
    fit = fit_writes(written(rng), reads)
    low, high = fit.intervals()["write_noise"]
    held = np.mean((low <= 1.5) & (high >= 1.5))
    assert abs(held - 0.95) <= SIGMAS * np.sqrt(0.95 * 0.05 / 200)
    assert fit.adequate
    assert fit.noise_chance > 1e-3


def test_outliers_and_gaps_of_writes_do_not_widen_the_noise():
    rng = RNG(1)
    asked = written(rng, n=400, read=0.0)
    struck = rng.random(asked.landed.shape) < 0.02
    landed = np.where(struck, rng.uniform(0, 60, struck.shape), asked.landed)
    landed = np.where(rng.random(struck.shape) < 0.1, np.nan, landed)
    fit = fit_writes(Writes(target=asked.target, landed=landed))
    error = np.std(fit.values["write_noise"]) / np.sqrt(200)
    # strays that land next to their target pass as clean: some 10 % of 2 %
    assert_within(np.mean(fit.values["write_noise"]), 1.5, error + 0.01 / SIGMAS)


@pytest.mark.parametrize("wrong", ["bias", "state"])
def test_writes_that_are_not_additive_are_a_bad_fit(wrong):
    rng = RNG(2)
    target = rng.uniform(10, 50, (20, 300))
    sd = 0.05 * target if wrong == "state" else 1.5
    bias = 0.5 if wrong == "bias" else 0.0
    landed = target + bias + sd * rng.normal(size=target.shape)
    fit = fit_writes(Writes(target=target, landed=landed))
    chance = fit.shape_chance if wrong == "bias" else fit.noise_chance
    assert chance < 1e-6


def test_writes_alone_make_a_device_and_its_threshold():
    fitted = fit_device(Traces(writes=written(RNG(3), devices=20, read=0.0)))
    assert isinstance(fitted.device, ej.AdditiveError)
    assert_within(
        fitted.device.write_noise, 1.5, fitted.population["write_noise"].mean_error
    )
    np.testing.assert_allclose(fitted.threshold, fitted.device.write_noise, rtol=0.05)


def aimed(rng, scale, devices=200, n=150):
    """Writes of the published state-dependent error, off the ends of its window."""
    device = ej.StateDependentError(g_max=40.0, noise_scale=scale)
    target = rng.uniform(4, 40, (devices, n)).astype(np.float32)
    sd = np.asarray(device.error_sd(1.0, target))
    return Writes(target=target, landed=target + sd * rng.normal(size=target.shape))


def test_the_scale_of_a_state_dependent_error_has_intervals_that_hold_it():
    rng = RNG(5)
    reads = Reads(g=0.5 * rng.normal(size=(200, 100)))
    writes = aimed(rng, 1.5)
    noisy = writes.landed + 0.5 * rng.normal(size=writes.landed.shape)
    fit = fit_writes(
        Writes(target=writes.target, landed=noisy), reads, "StateDependentError"
    )
    low, high = fit.intervals()["noise_scale"]
    held = np.mean((low <= 1.5) & (high >= 1.5))
    assert abs(held - 0.95) <= SIGMAS * np.sqrt(0.95 * 0.05 / 200)
    assert fit.adequate


def test_the_family_of_the_writes_is_told():
    """A polynomial of the target, or one error everywhere: the likelier one."""
    fitted = fit_device(Traces(writes=aimed(RNG(6), 0.8, devices=20)))
    assert isinstance(fitted.device, ej.StateDependentError)
    found = fitted.population["noise_scale"]
    assert_within(found.mean, 0.8, found.mean_error)
    assert [row["family"] for row in fitted.compare()][1] == "AdditiveError"
    assert (
        fitted.fit.noise_chance > 1e-3 > fitted.families["AdditiveError"].noise_chance
    )


def test_a_family_of_writes_that_is_none_is_refused():
    with pytest.raises(ValueError, match="family must be one of AdditiveError, State"):
        fit_writes(aimed(RNG(7), 1.0, devices=2), family="SoftBounds")


# Retention

TIME = np.array([1, 3, 10, 30, 100, 300, 1e3, 3e3, 1e4])
FALLS = {
    "ExponentialRetention": (
        {"level": 20.0, "time_constant": 800.0},
        lambda v: np.exp(-TIME / v["time_constant"]),
    ),
    "PowerRetention": (
        {"level": 20.0, "exponent": 0.3, "onset": 10.0},
        lambda v: (1 + TIME / v["onset"]) ** -v["exponent"],
    ),
}


def fallen(family, rng, devices=40):
    truth, decay = FALLS[family]
    start = rng.uniform(30, 70, (devices, 1))
    g = truth["level"] + (start - truth["level"]) * decay(truth)
    return Retention(time=TIME, g=g + 0.3 * rng.normal(size=g.shape))


@pytest.mark.parametrize("family", FALLS)
def test_the_law_of_retention_is_told_and_its_constants_are_found(family):
    fits = fit_retention(fallen(family, RNG(4)))
    assert fits[0].family == family
    for name, true in FALLS[family][0].items():
        assert_within(fits[0].values[name], true, fits[0].errors[name])


@pytest.mark.slow
@pytest.mark.parametrize("family", FALLS)
def test_intervals_of_retention_hold_the_truth_at_their_nominal_rate(family):
    """Over 240 lots of ten devices."""
    rng, trials = RNG(20), 240
    truth, held = FALLS[family][0], dict.fromkeys(FALLS[family][0], 0)
    for _ in range(trials):
        fits = {fit.family: fit for fit in fit_retention(fallen(family, rng, 10))}
        for name, (low, high) in fits[family].intervals().items():
            held[name] += low <= truth[name] <= high
    for count in held.values():
        assert_rate(count, trials, 0.95)


# Endurance


def windows(life, cycle, rng):
    high = np.where(2 * cycle < life[:, None], 40.0, 2.0)
    high = high + 0.5 * rng.normal(size=high.shape)
    return Endurance(cycle=cycle, low=0 * high + 1, high=high)


def test_endurance_is_found_from_closed_windows():
    rng, cycle = RNG(6), np.geomspace(1e2, 1e6, 25)
    life = 1e5 * np.exp(0.7 * rng.normal(size=300))
    fit = fit_endurance(windows(life, cycle, rng))
    assert_within(fit.values["endurance"], 1e5, fit.errors["endurance"])
    assert_within(fit.values["spread"], 0.7, fit.errors["spread"])


def test_cells_that_still_work_count_as_such():
    rng, cycle = RNG(7), np.geomspace(1e2, 5e4, 60)  # about half of them live on
    life = 1e5 * np.exp(0.7 * rng.normal(size=300))
    fit = fit_endurance(windows(life, cycle, rng))
    assert_within(fit.values["endurance"], 1e5, fit.errors["endurance"])
    failed = np.mean(life <= 1e5)
    expected = stats.lognorm(fit.values["spread"], scale=fit.values["endurance"])
    assert abs(expected.cdf(1e5) - failed) < 0.02


def test_where_no_cell_failed_the_error_says_so():
    rng, cycle = RNG(8), np.geomspace(1e2, 1e5, 10)
    fit = fit_endurance(windows(np.full(50, 1e9), cycle, rng))
    assert fit.values["endurance"] > 2e5
    assert fit.errors["endurance"] > fit.values["endurance"]


@pytest.mark.slow
def test_intervals_of_endurance_hold_the_truth_at_their_nominal_rate():
    """Over 240 lots of sixty cells, some of which outlive the measurement."""
    rng, trials, cycle = RNG(21), 240, np.geomspace(1e2, 1e5, 25)
    truth, held = {"endurance": 1e5, "spread": 0.7}, {"endurance": 0, "spread": 0}
    for _ in range(trials):
        life = 1e5 * np.exp(0.7 * rng.normal(size=60))
        for name, (low, high) in (
            fit_endurance(windows(life, cycle, rng)).intervals().items()
        ):
            held[name] += low <= truth[name] <= high
    for count in held.values():
        assert_rate(count, trials, 0.95)


# All of it


@pytest.mark.slow
def test_what_was_measured_is_wrapped_around_the_device():
    rng, up = RNG(9), up_and_down(4, 3, 60)
    constants = {
        "g_min": 10.0, "g_max": 70.0, "pulse": 1.6, "down_ratio": 0.9,
        "write_noise": 0.4, "read_noise": 0.3,
    }  # fmt: skip
    life = 1e5 * np.exp(0.5 * rng.normal(size=50))
    traces = Traces(
        pulses=PulseTrains(g=trains("SoftBounds", constants, up, rng), up=up),
        retention=fallen("PowerRetention", rng),
        endurance=windows(life, np.geomspace(1e2, 1e6, 25), rng),
    )
    fitted = fit_device(traces, ["SoftBounds"])
    device = fitted.device
    assert isinstance(device, ej.Wearing)
    assert isinstance(device.device, ej.PowerRetention)
    assert isinstance(device.device.device, ej.SoftBounds)
    assert all(name.startswith("device.device.") for name in fitted.spread.cell_to_cell)
    w = np.zeros((4, 3), np.float32)
    chips = ej.sample_chips(
        jax.random.key(0), 2, fitted.crossbar, {"w": w}, fitted.spread
    )
    assert chips["w"].device.device.device.pulse.shape[0] in (1, 2)
