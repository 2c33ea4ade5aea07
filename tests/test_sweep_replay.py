"""One lane of a sweep can be computed again, alone, from what the sweep left."""

import io

import numpy as np
import pytest
from rich.console import Console

from experiments.sweep import (
    Moments,
    Random,
    Range,
    Rung,
    directed,
    halving,
    on_terminal,
    replay,
    sweep,
)
from experiments.sweep.live import sparkline
from tests.toy_sweeps import brittle, plain, ruled, walk

AXES = {"mean": [0.0, 1.0, 2.0], "noise": [0.1, 0.5]}


def test_a_replay_is_the_sweep_bit_for_bit(tmp_path):
    whole = sweep(walk, AXES, chips=5, seeds=2, chunk=4, store=tmp_path)
    for mean, noise, chip, seed in (
        (0.0, 0.1, 0, 0),
        (2.0, 0.5, 4, 1),
        (1.0, 0.1, 3, 1),
    ):
        point = {"mean": mean, "noise": noise}
        again = replay(tmp_path, point, chip=chip, seed=seed)
        there = whole.sel(**point, chip=chip, seed=seed)
        np.testing.assert_array_equal(again.curve, there.curve)
        assert again.last == there.last


def test_a_replay_at_another_chunk_or_from_a_dataset_has_the_same_draws(tmp_path):
    whole = sweep(walk, AXES, chips=5, chunk=4, reduce={"curve": Moments()})
    again = replay(whole, {"mean": 1.0, "noise": 0.5}, chip=3)
    np.testing.assert_allclose(
        again.last, whole.last.sel(mean=1.0, noise=0.5, chip=3), 1e-5
    )


def test_a_replay_shows_what_the_sweep_did_not_keep(tmp_path):
    sweep(walk, AXES, chips=5, chunk=4, store=tmp_path)
    again = replay(tmp_path, 3, chip=2)
    np.testing.assert_array_equal(again.double[:, 1], 2 * again.double[:, 0])
    np.testing.assert_allclose(again.double[:, 0], again.curve, rtol=1e-5)
    assert 0 <= again.attrs["rounding"] < 1e-5


def test_structural_and_random_points_replay(tmp_path):
    axes = {"size": Range(low=1.0, high=2.0), "rule": ["up", "down"]}
    whole = sweep(ruled, axes, design=Random(6), chips=2, store=tmp_path)
    for i in range(6):
        assert replay(tmp_path, i, chip=1).x == whole.x[i, 1, 0]


def test_plain_python_replays_and_raises_again(tmp_path):
    whole = sweep(plain, {"mean": [5.0]}, chips=5, host=True, store=tmp_path)
    np.testing.assert_array_equal(replay(tmp_path, 0, chip=4).x, whole.x[0, 4, 0])
    with pytest.raises(RuntimeError, match="chip 3 is no good"):
        replay(tmp_path, {"mean": 5.0}, chip=3)


def test_a_failed_point_fails_again_with_its_own_error(tmp_path):
    sweep(brittle, {"rule": ["sound", "broken"]}, store=tmp_path)
    with pytest.raises(KeyError, match="this rule is broken"):
        replay(tmp_path, {"rule": "broken"})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"point": {"mean": 0.5, "noise": 0.1}}, "no point .*0.5"),
        ({"point": {"mean": 0.0}}, "must name .*noise"),
        ({"point": 6}, "there are 6"),
        ({"point": 0, "chip": 9}, "chip = 9: the sweep has 0 to 1"),
        ({"point": 0, "seed": 1}, "seed = 1"),
    ],
)
def test_a_wrong_lane_is_refused(asked, message):
    whole = sweep(walk, AXES, chips=2)
    with pytest.raises(ValueError, match=message):
        replay(whole, **asked)
    with pytest.raises(ValueError, match="not the result of a sweep"):
        replay(whole.drop_attrs(), **asked)


def bowl(point, chip, key):
    best = 0.3 if point.rule == "good" else 0.9
    noise = 0.01 * (chip + 1).astype("float32") / point.steps
    return {
        "loss": (point.x - best) ** 2 + noise + (0.0 if point.rule == "good" else 1)
    }


def test_halving_finds_the_best_and_spends_most_on_it(tmp_path):
    axes = {"x": [0.0, 0.3, 0.6, 0.9], "rule": ["good", "bad"]}
    rungs = [
        Rung(chips=1, steps=1, keep=4),
        Rung(chips=2, steps=2, keep=2),
        Rung(chips=4, steps=8),
    ]
    asked = {"score": "loss", "largest": False, "store": tmp_path}
    found = halving(bowl, axes, rungs, **asked)
    best = found.isel(point=found.attrs["best"])
    assert (best.x.item(), best.rule.item()) == (0.3, "good")
    assert np.isfinite(found.score).sum("point").values.tolist() == [8, 4, 2]
    assert halving(bowl, axes, rungs, **asked).identical(found)


def test_a_directed_search_needs_optuna_and_finds_the_bowl():
    try:
        import optuna
    except ImportError:
        with pytest.raises(ImportError, match=r"eapu-jax\[search\]"):
            directed(bowl, {"x": Range(low=0.0, high=1.0)}, score="loss", batches=1)
        return
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    axes = {"x": Range(low=0.0, high=1.0), "rule": ["good", "bad"]}
    found = directed(
        bowl, axes, score="loss", largest=False, batches=6, base={"steps": 1.0}
    )
    assert abs(found.best_params["x"] - 0.3) < 0.15


def test_curves_are_drawn_while_they_are_computed():
    text = io.StringIO()
    with on_terminal(Console(file=text, force_terminal=True, width=100)) as watch:
        sweep(walk, AXES, chips=9, chunk=8, watch=watch)
    shown = text.getvalue()
    assert "mapped: mean (3), noise (2)" in shown
    assert "mean 1, noise 0.5" in shown
    assert "54/54 lanes" in shown
    assert sparkline(range(8)) == "▁▂▃▄▅▆▇█"


def test_without_a_terminal_there_are_lines():
    text = io.StringIO()
    with on_terminal(Console(file=text, width=100)) as watch:
        sweep(walk, AXES, chips=9, chunk=8, watch=watch)
    assert "54/54 lanes" in text.getvalue()
    assert "left" in text.getvalue()
