"""A sweep is the function at every point, chip and seed, however it is computed."""

import json
import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

from experiments.store import StoreError
from experiments.sweep import (
    Fraction,
    Moments,
    Quantiles,
    Random,
    Range,
    Sobol,
    Structural,
    Traced,
    Zip,
    failures,
    partial,
    plan,
    sweep,
)
from experiments.sweep.memory import choose
from experiments.sweep.point import Point
from tests.toy_sweeps import TRACES, brittle, plain, ruled, sized, walk

AXES = {"mean": [0.0, 1.0, 2.0], "noise": [0.1, 0.5]}


@dataclass(frozen=True)
class Base:
    men: float = 1.0

    def __post_init__(self):
        if not self.men >= 0:
            raise ValueError(f"men = {self.men:g}: at least 0")


@jax.jit
def alone(mean, noise, chip, seed):
    """The law, written down directly."""
    key = jr.fold_in(jr.fold_in(jr.key(0), seed), chip)
    return walk(Point({"mean": mean, "noise": noise}), chip, key)["curve"]


def test_a_sweep_is_the_function_at_every_lane():
    found = sweep(walk, AXES, chips=3, seeds=2, chunk=4)
    for lane in np.ndindex(3, 2, 3, 2):
        mean, noise = AXES["mean"][lane[0]], AXES["noise"][lane[1]]
        expected = alone(mean, noise, lane[2], lane[3])
        np.testing.assert_allclose(found.curve.values[lane], expected, 1e-4, 1e-6)
    assert found.curve.dims == ("mean", "noise", "chip", "seed", "step")


def test_dice_are_common_to_all_points_unless_asked_otherwise():
    axes = {"mean": [0.0], "noise": [1.0, 2.0]}
    same = sweep(walk, axes, chips=2).last.values.reshape(2, 2)
    other = sweep(walk, axes, chips=2, common=False).last.values.reshape(2, 2)
    drift = 0.05 * np.arange(2)
    np.testing.assert_allclose(same[1] - drift, 2 * (same[0] - drift), 1e-4)
    assert not np.allclose(other[1] - drift, 2 * (other[0] - drift), rtol=0.01)


def test_two_chips_and_two_seeds_differ():
    last = sweep(walk, {"mean": [0.0], "noise": [1.0]}, chips=3, seeds=3).last
    assert len(np.unique(last)) == 9


def test_a_chip_alone_is_the_chip_among_many():
    among = sweep(walk, AXES, chips=9, chunk=4).sel(chip=[7])
    by_itself = sweep(walk, AXES, chips=[7], chunk=4)
    xr.testing.assert_allclose(among.curve, by_itself.curve, rtol=1e-6)


def test_structural_values_are_compiled_once_each():
    TRACES.clear()
    found = sweep(ruled, {"size": [1.0, 2.0, 3.0], "rule": ["up", "down"]}, chips=2)
    per_program = {rule: TRACES.count(rule) for rule in ("up", "down")}
    assert per_program["up"] == per_program["down"] <= 4
    np.testing.assert_array_equal(found.x.sel(rule="up"), -found.x.sel(rule="down"))


def test_a_number_may_be_structural():
    found = sweep(sized, {"width": Structural([2, 5])}, chips=2)
    expected = jr.normal(jr.fold_in(jr.fold_in(jr.key(0), 0), 1), (5,)).sum()
    np.testing.assert_allclose(found.x.sel(width=5, chip=1).item(), expected, 1e-5)


@pytest.mark.parametrize(
    ("function", "axes", "message"),
    [
        (
            walk,
            {"mean": [0.0], "noise": [0.0], "nose": [1.0]},
            "never reads.*nose.*did",
        ),
        (walk, {"mean": [0.0], "nois": [0.0]}, "no axis or base value 'noise'.*nois"),
        (sized, {"width": [2, 5]}, "axis 'width' decides the program.*Structural"),
        (
            ruled,
            {"size": [1.0], "rule": Traced(["up"])},
            "'up' is no number.*Structural",
        ),
        (walk, {"mean": [], "noise": [0.0]}, "axis 'mean' has no values"),
        (walk, {"mean": [np.nan], "noise": [0.0]}, "axis 'mean' must be finite"),
        (walk, {"mean": [1.0, 1.0], "noise": [0.0]}, "has 1.0 twice"),
        (walk, {"mean": 1.0, "noise": [0.0]}, "must be a sequence"),
        (walk, {"chip": [1.0], "noise": [0.0]}, "axis 'chip'"),
        (walk, {"mean": Range(low=0, high=1), "noise": [0.0]}, "Range.*Random"),
    ],
)
def test_a_wrong_axis_is_refused(function, axes, message, tmp_path):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        sweep(function, axes, store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"chips": 0}, "chips = 0: at least 1"),
        ({"seeds": [1, 1]}, "seeds must be"),
        ({"reduce": {"lost": Moments()}}, "no output 'lost'.*last"),
        ({"keep": ["cure"]}, "no output 'cure'.*curve"),
        ({"dims": {"curve": ("a", "b")}}, "has 1 dimensions"),
        ({"chunk": 0}, "chunk = 0"),
        ({"key": 0.5}, "key must be"),
        ({"base": Base()}, "unknown axis 'mean'.*men"),
        ({"base": Base(), "axes": {"men": [1, -1]}}, "at .*-1.*men = -1"),
        ({"design": Zip()}, "equally long.*'mean': 3"),
    ],
)
def test_a_wrong_argument_is_refused(asked, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        sweep(walk, **{"axes": AXES, **asked})


def test_designs_draw_what_they_say():
    axes = {"mean": Range(low=1.0, high=100.0, log=True), "noise": [0.1, 0.5]}
    for design in (Random(64), Sobol(64)):
        found = sweep(walk, axes, design=design)
        assert found.sizes["point"] == 64
        assert 1 <= found["mean"].min() < 10 < found["mean"].max() <= 100
        assert set(found.noise.values) == {0.1, 0.5}
    low = (found["mean"].values < 10).sum()
    assert low == 32  # Sobol halves every axis evenly


def test_a_zip_pairs_its_axes():
    found = sweep(walk, {"mean": [1.0, 2.0], "noise": [0.1, 0.5]}, design=Zip())
    whole = sweep(walk, {"mean": [1.0, 2.0], "noise": [0.1, 0.5]})
    pair = [whole.last.sel(mean=m, noise=n).item() for m, n in ((1.0, 0.1), (2.0, 0.5))]
    np.testing.assert_allclose(found.last.values.ravel(), pair, rtol=1e-6)


def test_a_diverged_chip_is_missing_and_says_why():
    found = sweep(
        brittle, {"rule": ["sound"]}, chips=4, reduce={"x": Moments()}, keep=["x"]
    )
    assert found.reason.values.ravel().tolist() == [0, 0, 1, 0]
    assert np.isnan(found.x.values.ravel()).tolist() == [False, False, True, False]
    others = sweep(brittle, {"rule": ["sound"]}, chips=[0, 1, 3])
    np.testing.assert_allclose(found.x_mean.item(), others.x.mean().item(), 1e-6)


def test_a_point_that_fails_is_told_and_the_others_go_on(tmp_path, caplog):
    axes = {"rule": ["sound", "broken"]}
    found = sweep(brittle, axes, chips=2, store=tmp_path)
    assert (found.reason.sel(rule="broken") == 2).all()
    assert np.isfinite(found.x.sel(rule="sound")).all()
    (told,) = failures(found)
    assert "this rule is broken" in told["error"]
    assert "replay" in told["replay"]
    assert "--at rule=broken" in caplog.text


def test_a_sweep_where_everything_fails_raises():
    with pytest.raises(RuntimeError, match="this rule is broken"):
        sweep(brittle, {"rule": ["broken"]})


def test_plain_python_is_swept_too_and_a_chip_that_raises_is_missing():
    found = sweep(plain, {"mean": [0.0, 10.0]}, chips=5, host=True, chunk=3)
    assert (found.reason.sel(chip=3) == 2).all()
    assert found.reason.drop_sel(chip=3).max() == 0
    dice = np.random.default_rng((0, 0, 4)).normal(size=4)
    np.testing.assert_array_equal(found.x.sel(mean=10.0, chip=4).values[0], 10 + dice)
    assert len(failures(found)) == 2


def test_what_is_wanted_of_a_store_and_a_dataset_is_the_same(tmp_path):
    kept = {"curve": [Moments(), Quantiles()], "last": Fraction(at_least=(0.5,))}
    whole = sweep(walk, AXES, chips=5, reduce=kept, chunk=4, store=tmp_path)
    assert partial(tmp_path).identical(whole)
    assert sweep(walk, AXES, chips=5, reduce=kept, store=tmp_path).identical(whole)
    raw = sweep(walk, AXES, chips=5, chunk=4)
    np.testing.assert_allclose(whole.curve_mean, raw.curve.mean(("chip", "seed")), 1e-5)
    np.testing.assert_allclose(
        whole.curve_quantile.sel(curve_q=0.25),
        raw.curve.quantile(0.25, ("chip", "seed")),
        1e-6,
    )
    share = (raw.last >= 0.5).mean(("chip", "seed"))
    np.testing.assert_allclose(whole.last_fraction.values[..., 0], share)


def test_another_sweep_is_refused_and_the_difference_shown(tmp_path):
    sweep(walk, AXES, chips=3, store=tmp_path, chunk=4)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(StoreError, match="chips: stored 3, asked for 5"):
        sweep(walk, AXES, chips=5, store=tmp_path)
    with pytest.raises(StoreError, match="function"):
        sweep(lambda p, c, k: {"last": p.mean + p.noise}, AXES, chips=3, store=tmp_path)
    with pytest.raises(StoreError, match="chunk: stored 4, asked for 2"):
        sweep(walk, AXES, chips=3, store=tmp_path, chunk=2)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_closure_with_another_value_is_another_sweep(tmp_path):
    def made(scale):
        return lambda point, chip, key: {"x": scale * point.mean}

    sweep(made(1.0), {"mean": [1.0]}, store=tmp_path)
    with pytest.raises(StoreError, match="stored"):
        sweep(made(2.0), {"mean": [1.0]}, store=tmp_path)


def test_foreign_and_damaged_stores_are_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError, match=r"holds thesis.tex and no sweep"):
        sweep(walk, AXES, store=tmp_path)
    sweep(walk, AXES, store=tmp_path / "a", chunk=4)
    chunk = next((tmp_path / "a").rglob("*.chunk"))
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match=r"damaged: its digest.*Delete it"):
        sweep(walk, AXES, store=tmp_path / "a")
    chunk.unlink()
    assert sweep(walk, AXES, store=tmp_path / "a").reason.max() == 0
    (tmp_path / "a" / "sweep.json").write_text("{")
    with pytest.raises(StoreError, match=r"sweep.json is damaged"):
        partial(tmp_path / "a")
    (tmp_path / "a" / "sweep.json").write_text('{"a": 1}')
    with pytest.raises(StoreError, match=r"not that of a sweep of ours"):
        partial(tmp_path / "a")
    with pytest.raises(StoreError, match=r"not that of a sweep of ours"):
        sweep(walk, AXES, store=tmp_path / "a")


def test_a_store_of_another_version_is_refused(tmp_path):
    sweep(walk, AXES, store=tmp_path, chunk=4)
    whole = json.loads((tmp_path / "sweep.json").read_text())
    other = {"format": "eapu-jax sweep 0", "jax": "0.1"}
    (tmp_path / "sweep.json").write_text(json.dumps({**whole, **other}))
    with pytest.raises(StoreError, match=r"(?s)format: stored.* 0'.*jax: stored '0.1'"):
        sweep(walk, AXES, store=tmp_path)
    with pytest.raises(StoreError, match=r"is of format 'eapu-jax sweep 0'"):
        partial(tmp_path)
    (tmp_path / "sweep.json").write_text(json.dumps(whole))
    (tmp_path / "group-0000.json").write_text('{"chunk": 0}')
    with pytest.raises(StoreError, match=r"group-0000.json is damaged"):
        sweep(walk, AXES, store=tmp_path)


def test_a_part_of_a_sweep_can_be_read(tmp_path):
    whole = sweep(
        walk, AXES, chips=5, store=tmp_path, chunk=4, reduce={"curve": Moments()}
    )
    for number in (2, 5):
        (tmp_path / "chunks-0000" / f"{number:08}.chunk").unlink()
    part = partial(tmp_path)
    there = part.reason == 0
    assert 0 < there.sum() < there.size
    assert part.last.where(there).equals(whole.last.where(there))
    assert np.isnan(part.last.where(~there)).all()
    assert part.computed.sum() == there.sum()


def test_the_plan_says_what_goes_where():
    found = plan(
        ruled, {"size": [1.0, 2.0], "rule": ["up", "down"]}, chips=10, measure=True
    )
    assert (found.points, found.compiles, found.lanes) == (4, 2, 40)
    assert found.mapped == {"size": 2}
    assert found.structural == {"rule": 2}
    assert found.seconds > 0
    assert found.groups[1].bytes > 0
    assert "2 to compile" in str(found)


def test_the_chunk_fits_the_memory_and_fills_the_calls():
    class Program:
        def __init__(self, width):
            self.width = width

        def memory_analysis(self):
            class Stats:
                temp_size_in_bytes = 1000 * self.width
                argument_size_in_bytes = output_size_in_bytes = alias_size_in_bytes = 0

            return Stats

    for lanes, budget in ((1000, 50_000), (7, 1e9), (10_000, 9_000), (65, 64_000)):
        chunk, program = choose(Program, lanes, 2, budget)
        assert program.width == chunk
        assert 1000 * chunk <= budget
        calls = -(-lanes // (2 * chunk))
        assert calls * 2 * chunk - lanes < 2 * calls  # hardly any padding
    with pytest.raises(MemoryError, match="one lane needs 1000"):
        choose(Program, 10, 1, 999)


@pytest.mark.parametrize("jump", [1, 3, 50])
def test_a_wider_program_is_asked_again(jump):
    class Program:
        def __init__(self, width):
            self.temp_size_in_bytes = 1000 * width * (jump if width > 32 else 1)
            self.argument_size_in_bytes = self.output_size_in_bytes = 0
            self.alias_size_in_bytes = 0

        def memory_analysis(self):
            return self

    chunk, program = choose(Program, 100_000, 1, 500_000)
    assert program.temp_size_in_bytes <= 500_000
    assert chunk == {1: 256, 3: 128, 50: 32}[jump]


def test_the_measured_memory_bounds_the_chunk():
    def wide(point, chip, key):
        x = jr.normal(key, (1000, 100)) * point.noise
        return {"x": (x @ x.T).max() + 0.0 * jnp.float32(chip)}

    axes = {"noise": [1.0]}
    small = plan(wide, axes, chips=100, budget=7 * 2**20, devices=1).groups[0]
    assert small.bytes <= 7 * 2**20
    assert (
        small.chunk
        < plan(wide, axes, chips=100, budget=2**30, devices=1).groups[0].chunk
    )


def test_a_call_that_takes_too_long_is_narrowed_and_what_was_tried_is_kept(tmp_path):
    whole = sweep(walk, AXES, chips=4, devices=1)
    quick = sweep(walk, AXES, chips=4, devices=1, longest=1e-9, store=tmp_path)
    facts = json.loads((tmp_path / "group-0000.json").read_bytes())
    assert facts["chunk"] == 1
    xr.testing.assert_allclose(quick, whole, rtol=1e-5)
    assert sweep(walk, AXES, chips=4, store=tmp_path).identical(quick)


def test_the_pace_counts_the_first_call_too():
    told = []

    class Watch:
        def plan(self, plan):
            pass

        def news(self, news):
            told.append(news)

    def slow(point, chip, key):
        wait = jax.ShapeDtypeStruct((), np.float32)
        nap = jax.pure_callback(lambda: time.sleep(0.2) or np.float32(0), wait)
        return {"x": point.mean + nap + 0.0 * jnp.float32(chip)}

    sweep(slow, {"mean": [1.0]}, chips=1, devices=1, watch=Watch())
    assert told[-1].rate < 1 / 0.2
