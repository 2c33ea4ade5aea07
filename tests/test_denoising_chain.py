"""The experiment `denoising_chain`: its images, its measure, and how it compares."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import chipsweep
from experiments.claims import VERDICTS
from experiments.thermodynamic import (
    denoising_chain,
    denoising_digits,
    denoising_small,
)
from experiments.thermodynamic.denoising_chain_claims import equal_updates
from tests.statistics import assert_mean

SMOKE = denoising_chain.PRESETS["smoke"]


def test_bars_and_stripes_are_those_of_two_rows_and_three_columns():
    found = denoising_small.bars_and_stripes().reshape(-1, 2, 3)
    rows = (found == found[:, :, :1]).all((1, 2))
    columns = (found == found[:, :1]).all((1, 2))
    assert len(found) == 2**2 + 2**3 - 2
    assert (rows | columns).all()
    law = np.asarray(denoising_small.law())
    assert law.sum() == pytest.approx(1)
    assert (law > 0).sum() == len(found)


def test_the_distance_of_samples_of_one_law_is_zero_in_the_mean():
    """The estimate is unbiased; and it tells an image from its inverse."""
    rng = np.random.default_rng(0)
    means = rng.uniform(-1, 1, 12)
    draw = lambda n: jnp.array(  # noqa: E731
        np.where(rng.uniform(-1, 1, (n, 12)) < means, 1.0, -1.0), jnp.float32
    )
    found = [float(denoising_digits.distance(draw(40), draw(40))) for _ in range(100)]
    assert_mean(np.array(found), 0.0)
    apart = float(denoising_digits.distance(draw(40), -draw(40)))
    assert apart > max(found)


def test_independent_pixels_keep_their_means_alone():
    images = jnp.array(denoising_digits.digits()[0])
    mixed = np.asarray(denoising_digits._shuffled(jr.key(0), images))
    np.testing.assert_allclose(mixed.mean(0), images.mean(0), atol=1e-5)
    near = [np.corrcoef(x[:, 27], x[:, 28])[0, 1] for x in (np.asarray(images), mixed)]
    assert abs(near[1]) < 5 / len(mixed) ** 0.5 < abs(near[0])


def test_pixels_come_first_on_the_grid():
    graph = denoising_digits.layout(12)
    assert graph.mask.shape == (144, 144)
    assert (graph.mask.sum(0) == 8).all()
    pixels = graph.colour[: denoising_digits.PIXELS]
    assert 0 < pixels.mean() < 1  # both colours show


def test_as_many_updates_means_as_many_sweeps_of_all_machines():
    values = xr.DataArray(
        [[8.0, 6.0, 4.0], [3.0, 2.0, 1.0]],
        {"n_steps": [1, 4], "sweeps": [5, 20, 80]},
        ("n_steps", "sweeps"),
    )
    assert float(equal_updates(values, "sweeps")) == 4.0 / 2.0


@pytest.mark.slow
def test_it_runs_draws_and_judges():
    swept = denoising_chain.sweeps(SMOKE)
    found = {label: chipsweep.run(one.spec) for label, one in swept.items()}
    dataset = denoising_chain.derive(SMOKE, found)
    assert "ASSUMED" in dataset.attrs["data"]
    assert isinstance(denoising_chain.plot(dataset), Figure)
    assert all(row.verdict in VERDICTS for row in denoising_chain.claims(dataset))
    for name in dataset.data_vars:
        assert np.isfinite(np.asarray(dataset[name], float)).all(), name
    assert set(np.unique(dataset.image)) == {-1, 1}


@pytest.mark.slow
def test_training_brings_the_generated_law_nearer_to_the_images():
    """Exactly: no draw but the first couplings; one machine, and a chain of four."""
    swept = denoising_chain.sweeps(denoising_chain.Config(n_chips=1))["small"]
    found = chipsweep.run(swept.spec).divergence.isel(seed=0)
    even = np.log(2**denoising_small.VISIBLE / len(denoising_small.bars_and_stripes()))
    assert (found.isel(sweeps=-1) < 0.1 * even).all()
    assert (found.isel(sweeps=-1) < found.isel(sweeps=0)).all()


@pytest.mark.parametrize(
    ("change", "named"),
    [({"steps": (2, 4)}, "steps"), ({"side": 8}, "side"), ({"side": 13}, "side"),
     ({"large_hidden": 9}, "large_hidden"),
     ({"training_sweeps": 1}, "training_sweeps")],
)  # fmt: skip
def test_a_config_refuses_what_cannot_be_meant(change, named):
    with pytest.raises(ValueError, match=named):
        denoising_chain.Config(**change)
