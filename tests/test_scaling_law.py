"""Exponents of scaling laws: a law that is known is found again, with its error."""

from dataclasses import replace

import jax
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

from chipsweep import Keys
from experiments.deep import scaling_law
from experiments.deep.scaling_law_figure import PUBLISHED, RULES

SIZES = np.array([9e3, 3e4, 1.1e5, 4.2e5])
N_SEEDS = 20


def of_law(*exponents, noise=0.0):
    """Losses of `N_SEEDS` seeds whose logarithms err independently by `noise`."""
    errors = np.random.default_rng(0).standard_normal((len(exponents), 4, N_SEEDS))
    law = [9.0 * SIZES**-a for a in exponents]
    loss = np.array(law)[:, :, None] * np.exp(noise * errors)
    coords = {"parameters": SIZES, "rule": list(RULES[: len(exponents)])}
    return xr.DataArray(loss, coords, ("rule", "parameters", "seed"))


def test_a_known_exponent_is_found_within_its_error():
    noise, a = 0.02, 0.23
    found = scaling_law.exponent(of_law(a, noise=noise)).isel(rule=0)
    low, middle, high = scaling_law.with_error(found)
    x = np.log(SIZES)
    law = noise / np.sqrt(((x - x.mean()) ** 2).sum())  # of one least-squares slope
    assert abs(middle - a) < 5 * law / N_SEEDS**0.5
    # a standard deviation of n values errs by 1 / sqrt(2 (n - 1)) of itself
    spread = (high - low) / 4 * N_SEEDS**0.5
    assert spread == pytest.approx(law, rel=5 / np.sqrt(2 * (N_SEEDS - 1)))


def test_the_band_is_two_standard_errors_wide_on_either_side():
    """Of 0.1 and 0.3: they lie 0.1 from their mean, which is its standard error."""
    found = scaling_law.with_error(xr.DataArray([0.1, 0.3]))
    assert found == pytest.approx((0.0, 0.2, 0.4))


def test_the_error_of_one_seed_is_not_known_and_nothing_is_said_of_none():
    for alone in ([0.2], [np.nan, 0.2]):  # a seed that diverged does not count
        assert scaling_law.with_error(xr.DataArray(alone)) == (0.2, 0.2, 0.2)
    assert np.isnan(scaling_law.with_error(xr.DataArray([np.nan]))).all()


def judged(*exponents, chance=4.0):
    both = [[a - 0.003, a + 0.003] for a in exponents]
    found = xr.DataArray(both, {"rule": list(RULES)}, ("rule", "seed"))
    loss = xr.DataArray([[2.5, 2.0]] * 3, {"rule": list(RULES)}, ("rule", "parameters"))
    made = {"exponent": found, "loss": loss}
    attrs = {"chance": chance / np.log(2)}
    claims = scaling_law.claims(xr.Dataset(made, attrs=attrs))
    return [claim.verdict for claim in claims]


def test_verdicts_hold_exponents_against_the_published_ones():
    trend, no = "trend reproduced", "not reproduced"
    digital, analog = PUBLISHED["ideal"], PUBLISHED["mixed_precision"]
    assert judged(digital, digital, analog) == ["reproduced"] * 2 + [trend] * 2
    assert judged(0.3, 0.25, 0.29) == [no, no, trend, no]


def test_exponents_of_what_learns_nothing_are_not_alike():
    """Of a loss that does not fall with the size, none could be lower."""
    trend, no = "trend reproduced", "not reproduced"
    assert judged(0.0, 0.0, 0.0) == [no, no, trend, trend]
    assert judged(0.0, 0.0, 0.0, chance=2.3) == [no] * 4


def test_parameters_are_counted_by_their_shapes():
    config = scaling_law.Config(widths=(16, 32))
    sizes = [scaling_law.parameters(p) for p in config.trainings().values()]
    for width, size in zip(config.widths, sizes, strict=True):
        kinds, blocks = len(config.read().vocabulary), config.blocks
        kernels = blocks * 12 * width**2 + kinds * width
        tables = (kinds + config.context) * width
        vectors = blocks * (4 * width + 9 * width) + 2 * width
        assert size == kernels + tables + vectors
    assert scaling_law.parameters(scaling_law.PRESETS["full"].of(1024)) > 1e8


def test_rows_and_rates_follow_the_width():
    config = scaling_law.Config(widths=(16, 64), n_train=100, learning_rate=0.01)
    wide = config.of(64)
    assert (wide.n_train, wide.learning_rate) == (400, 0.0025)
    assert wide.width == 64


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        (r"Config\.widths", {"widths": (16,)}),
        (r"Config\.widths", {"widths": (32, 16)}),
        (r"\w+\.heads", {"widths": (16, 30)}),
        (r"\w+\.n_train", {"n_train": 4000}),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field, bad):
    with pytest.raises(ValueError, match=rf"{field} = "):
        scaling_law.Config(**bad)


@pytest.mark.slow
def test_the_smoke_preset_derives_judges_and_draws():
    import chipsweep

    smoke = scaling_law.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in scaling_law.sweeps(smoke).items()}
    dataset = scaling_law.derive(smoke, found)
    assert len(scaling_law.claims(dataset)) == 4
    assert len(scaling_law.plot(dataset).axes) == 3
    assert (dataset.update_ratio.sel(rule="ideal") == 0).all()
    assert (dataset.update_ratio.sel(rule="eapu") > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shakespeare", "large", "full"])
def test_every_preset_takes_two_steps_at_tiny_width(name):
    """Text, blocks, optimizer and schedule stay: none of them may rot."""
    preset = scaling_law.PRESETS[name]
    few = {"n_train": 4, "n_test": 4, "batch_size": 2, "epochs": 1, "context": 8}
    widest = preset.of(preset.widths[-1])
    tiny = replace(widest, width=widest.heads, test_at_once=2, **few)
    kept = ("text", "blocks", "heads", "optimizer", "schedule", "warm_up")
    assert all(getattr(tiny, field) == getattr(preset, field) for field in kept)
    keys = Keys(jr.key(0), jr.key(1))
    found = jax.jit(lambda: scaling_law.simulate(tiny, 0, keys))()
    assert np.isfinite(found["loss"]).all()
    assert found["update_ratio"] > 0
