"""A grid over `seed` sweeps the seeds: they are no part of the population then."""

import json

import numpy as np
import xarray as xr

from experiments import sweep_figure
from experiments.outcomes import outcomes


def test_the_outcome_of_every_seed_is_kept_and_drawn():
    values = np.arange(6.0).reshape(2, 3)
    dataset = xr.Dataset(
        {"y": (("seed", "chip"), values)},
        coords={"seed": [0, 1]},
        attrs={"swept": json.dumps({"seed": [0, 1]})},
    )
    (found,) = outcomes(dataset)
    np.testing.assert_array_equal(found.middle, np.median(values, 1))
    assert sweep_figure.plot(dataset).axes
