"""The response curves hold to the laws of their devices."""

from dataclasses import replace

import numpy as np
import pytest

import chipsweep
from experiments.memristor import device_response, device_response_figure
from tests.figure_laws import lawful, speaks
from tests.statistics import assert_mean

CHIPS, REQUESTS = 400, 8
CONFIG = device_response.Config(n_chips=CHIPS, n_requests=REQUESTS)
NAMES = ("PUBLIC_CODE", "PHASE_CHANGE", "MAGNETIC", "CMO_HFOX", "INT4", "FIGURE_5C")


@pytest.fixture(scope="module")
def dataset():
    one = device_response.sweeps(CONFIG)["curves"]
    found = chipsweep.run(replace(one, axes={"crossbar": NAMES}).spec)
    return device_response.derive(CONFIG, {"curves": found})


def curve(dataset, name):
    """Of every cell, by request."""
    return dataset.g.sel(crossbar=name).transpose("request", "chip").values


def test_errors_without_memory_add_up_like_a_random_walk(dataset):
    """Var(g after k requests) = k SD**2 about what was asked for."""
    for k in range(1, 2 * REQUESTS + 1):
        walked = curve(dataset, "PUBLIC_CODE")[k] - 160 * float(dataset.asked[k]) + 80
        assert_mean(walked, 0.0)
        assert_mean(walked**2, 4.0 * k)


def test_the_error_that_is_read_off_is_that_of_the_preset(dataset):
    for name, sd in {"PUBLIC_CODE": 2.0, "CMO_HFOX": 0.01, "INT4": 0.0}.items():
        assert_mean(dataset.error.sel(crossbar=name).values ** 2, sd**2)


def test_one_sided_cells_stay_where_they_came_to(dataset):
    g = curve(dataset, "PHASE_CHANGE")
    np.testing.assert_array_equal(g[REQUESTS:], np.broadcast_to(g[REQUESTS], (9, 400)))
    assert g[REQUESTS].mean() > 0.7 * 25


def test_few_levels_are_asked_level_by_level(dataset):
    g = curve(dataset, "MAGNETIC")
    np.testing.assert_allclose(np.unique(g), [1e6 / 6000, 1e6 / 3000], rtol=1e-6)
    assert np.ptp(g[:REQUESTS]) == 0  # one step, so one request: the last
    assert_mean(g[REQUESTS] > 250, 0.9)
    assert np.all(np.diff(curve(dataset, "INT4")[: REQUESTS + 1], axis=0) >= 10)


def test_published_errors_are_found_again(dataset):
    claims = device_response.claims(dataset)
    assert [c.published for c in claims] == [2.0, 2.4, 0.01]
    assert {c.verdict for c in claims} == {"trend reproduced"}  # they went in


def test_the_figure_says_what_was_published(dataset):
    figure = device_response.plot(dataset)
    lawful(figure)
    speaks(device_response_figure.says, dataset)
    titles = [axes.get_title() for axes in figure.axes]
    assert sum("(published" in title for title in titles) == 3
    assert titles[0].startswith("public code of EaPU\nerror")
