"""Digital layers: which sets there are, what they save, what they cost."""

from itertools import combinations

import jax
import numpy as np
import pytest
import xarray as xr

import chipsweep
from experiments.learning.loop import first_weights
from experiments.memristor import hybrid, hybrid_figure
from experiments.memristor.training import network, prepared
from tests.figure_laws import lawful, speaks

SMOKE = hybrid.PRESETS["smoke"]
PAIRS = hybrid.Config(
    data="digits",
    n_train=320,
    n_test=100,
    pool=1,
    hidden=(8, 6, 4),
    rules=("eapu", "noisy"),
)


def made_up(config, ratio=0.01, words=(2.0, 3.0)):
    """Sweeps in which a set of layers is as accurate as its number in the list."""
    rules, sets, who = len(config.rules), len(config.sets()), (2, 3)
    shape, dims = (rules, sets, *who), ("rule", "digital", "seed", "chip")
    number = np.arange(sets)[None, :, None, None] / 100
    of_rule = np.reshape(words[:rules], (-1, 1, 1, 1))
    swept = xr.Dataset(
        {
            "final": (dims, np.broadcast_to(0.5 + number, shape)),
            "update_ratio": (dims, np.full(shape, ratio)),
            "words": (dims, np.broadcast_to(of_rule, shape)),
        },
        {"rule": list(config.rules), "digital": [str(s) for s in config.sets()]},
    )
    one = (("seed", "chip"), np.ones((2, 1)))
    return {
        "sets": swept,
        "all": xr.Dataset({"final": one, "words": (one[0], 2 * one[1])}),
    }


def test_the_sets_are_none_each_layer_and_every_pair():
    assert PAIRS.sets()[0] == ()
    assert set(PAIRS.sets()) == {
        s for n in (0, 1, 2) for s in combinations((0, 1, 2, 3), n)
    }
    assert len(PAIRS.sets()) == 1 + 4 + 6


def test_the_sizes_are_those_of_the_kernels():
    point = PAIRS.training()
    params = first_weights(jax.random.key(0), network(point), prepared(point))
    kernels = [params[f"Dense_{n}"]["kernel"].size for n in range(4)]
    np.testing.assert_array_equal(PAIRS.sizes(), kernels)


def test_a_digital_layer_costs_a_word_per_weight_and_saves_its_writes():
    dataset = hybrid.derive(PAIRS, made_up(PAIRS))
    total = 64 * 8 + 8 * 6 + 6 * 4 + 4 * 10
    for name, kept in {"none": 0, "1": 512, "2+4": 48 + 40}.items():
        at = dataset.sel(digital=name)
        np.testing.assert_allclose(at.words.sel(rule="eapu"), kept / total)
        np.testing.assert_allclose(at.words.sel(rule="noisy"), 1.0)  # one of its own
        np.testing.assert_allclose(at.writes, 0.01 * (1 - kept / total))


def test_the_gain_is_over_the_same_chip_without_digital_layers():
    dataset = hybrid.derive(PAIRS, made_up(PAIRS))
    assert np.all(dataset.gain.sel(digital="none") == 0)
    order = dataset.gain.isel(rule=0, seed=0, chip=0)
    np.testing.assert_allclose(order, np.arange(11) / 100)
    assert dataset.layers.sel(digital="2+4").values.tolist() == [1, 3]


def test_the_figure_has_a_triangle_for_every_rule():
    figure = hybrid.plot(hybrid.derive(PAIRS, made_up(PAIRS)))
    lawful(figure)
    speaks(hybrid_figure.says, hybrid.derive(PAIRS, made_up(PAIRS)))
    titles = [axes.get_title() for axes in figure.axes]
    assert "EaPU\nnone 50.0 %, all 100.0 %" in titles
    assert sum("none" in title for title in titles) == 2
    numbers = {t.get_text() for axes in figure.axes for t in axes.texts}
    assert {"+1.0", "+10"} <= numbers
    assert "UCI digits" in figure.get_supxlabel()
    assert hybrid.claims(hybrid.derive(PAIRS, made_up(PAIRS))) == []


@pytest.mark.slow
def test_a_tiny_run_is_labelled_and_drawn():
    found = {k: chipsweep.run(s.spec) for k, s in hybrid.sweeps(SMOKE).items()}
    dataset = hybrid.derive(SMOKE, found)
    assert dataset.sizes["chip"] == 2
    assert all("units" in dataset[v].attrs for v in dataset.data_vars)
    assert float(dataset.words.sel(rule="eapu", digital="none")) < 0.2
    assert hybrid.plot(dataset).axes


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"most": 4}, "most = 4: at most 3"),
        ({"rules": ("ideal",)}, "rules"),
        ({"rules": ("multi_tile",)}, "rules"),
        ({"hidden": ()}, "hidden"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(bad, named):
    with pytest.raises(ValueError, match=rf"Config\.{named}"):
        hybrid.Config(**bad)
