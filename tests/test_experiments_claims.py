"""Verdicts are computed from numbers, and from nowhere else."""

import ast
import dataclasses
import functools
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from experiments import claims
from experiments.claims import VERDICTS, Claim, above, below, both, monotone, within
from experiments.memristor import threshold

REPRODUCED, TREND, NOT, UNTRIED = VERDICTS
CLAIM = Claim(
    claim="EaPU keeps its accuracy [at 2 µS]",
    source="the paper, Fig. 5a",
    published=0.93,
    ours=0.925,
    low=0.92,
    high=0.94,
    unit="",
    scale="reduced",
    verdict=REPRODUCED,
)


@pytest.mark.parametrize(
    ("published", "tolerance", "verdict"),
    [
        (0.92, 0, REPRODUCED),
        (0.94, 0, REPRODUCED),
        (0.9401, 0, NOT),
        (0.9199, 0, NOT),
        (0.95, 0.0101, REPRODUCED),
        (math.nan, 0, NOT),
    ],
)
def test_a_value_is_reproduced_within_the_band(published, tolerance, verdict):
    assert within(published, 0.92, 0.94, tolerance=tolerance) == verdict


@pytest.mark.parametrize(("level", "verdict"), [(0.9, TREND), (0.05, NOT)])
def test_thresholds_at_which_nothing_is_learnt_are_not_flat(level, verdict):
    accuracy = xr.DataArray(
        np.full((2, 3, 3), level),
        dims=("seed", "chip", "ratio"),
        coords={"ratio": [0.5, 1.0, 1.5]},
    )
    found = xr.Dataset({"accuracy": accuracy}, attrs={"chance": 0.1, "scale": "smoke"})
    assert threshold.claims(found)[0].verdict == verdict


def test_a_band_is_that_of_the_chips_that_did_not_diverge():
    chips = xr.DataArray([[3.0, math.nan], [1.0, 2.0]])
    assert claims.spread(chips) == (1.0, 2.0, 3.0)
    assert claims.spread(chips, 0.25) == (1.5, 2.0, 2.5)


@pytest.mark.parametrize(("bound", "verdict"), [(0.35, TREND), (0.3, NOT)])
def test_a_claim_is_judged_by_its_band_at_the_scale_of_the_data(bound, verdict):
    found, rule = (0.1, 0.2, 0.3), functools.partial(below, bound)
    small = xr.Dataset(attrs={"scale": "smoke"})
    made = claims.judged(small, "it is small", "Fig. 1", found, rule, unit="%")
    assert (made.low, made.ours, made.high) == found
    assert (made.verdict, made.scale, made.published) == (verdict, "smoke", None)


def test_a_bound_needs_the_whole_band_on_one_side():
    assert [below(0.35, 0.2, high) for high in (0.34, 0.35, 0.4)] == [TREND, NOT, NOT]
    assert [above(0.35, low, 0.5) for low in (0.36, 0.35, 0.3)] == [TREND, NOT, NOT]


@pytest.mark.parametrize(
    ("values", "rising", "slack", "verdict"),
    [
        ([1, 2, 3], True, 0, TREND),
        ([3, 2, 1], True, 0, NOT),
        ([3, 2, 1], False, 0, TREND),
        ([1, 3, 2.9], True, 0, NOT),
        ([1, 3, 2.9], True, 0.2, TREND),
        ([1, 1.1], True, 0.2, NOT),
        ([1, math.nan, 3], True, 0.2, NOT),
    ],
)
def test_a_tendency_holds_along_the_whole_sweep(values, rising, slack, verdict):
    assert monotone(values, rising=rising, slack=slack) == verdict


def test_several_verdicts_are_as_good_as_the_weakest():
    assert both(REPRODUCED, TREND) == TREND
    assert both(TREND, NOT) == NOT
    assert both(NOT, UNTRIED) == UNTRIED


@pytest.mark.parametrize("band", [(1.0, 0.0), (math.nan, 1.0), (0.0, math.nan)])
def test_a_band_upside_down_is_refused(band):
    with pytest.raises(ValueError, match="a band needs low <= high"):
        within(0.5, *band)


def test_a_typed_in_verdict_is_refused():
    with pytest.raises(ValueError, match="verdict = 'fine'"):
        dataclasses.replace(CLAIM, verdict="fine")


def test_no_experiment_spells_a_verdict():
    for path in Path("experiments").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        texts = {n.value for n in nodes if isinstance(n, ast.Constant)}
        assert path.name == "verdicts.py" or not texts & set(VERDICTS), path


def test_the_table_comes_back_from_its_file(tmp_path):
    untried = claims.not_attempted("ResNet-152", "the paper, Table 1", 0.9, "%")
    table = {"write_noise": [CLAIM, untried], "scheme": [CLAIM]}
    claims.write_csv(tmp_path / "claims.csv", table)
    assert claims.read_csv(tmp_path / "claims.csv") == table
    assert claims.read_csv(tmp_path / "none.csv") == {}


def test_a_foreign_table_is_refused(tmp_path):
    (tmp_path / "claims.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"claims\.csv is not a table of claims"):
        claims.read_csv(tmp_path / "claims.csv")
