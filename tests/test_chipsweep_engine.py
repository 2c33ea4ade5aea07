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

from chipsweep import (
    Latin,
    Moments,
    Random,
    Range,
    Resources,
    Sobol,
    Structural,
    Zip,
    failures,
    keys_of,
    plan,
    replay,
    run,
    specify,
    sweep,
)
from chipsweep.memory import choose, needed
from chipsweep.point import Point
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
    key = keys_of(jr.key(0), seed, chip).chip
    return walk(Point({"mean": mean, "noise": noise}), chip, key)["curve"]


def test_a_sweep_is_the_function_at_every_lane():
    found = sweep(walk, AXES, chips=3, seeds=2, chunk=4)
    for lane in np.ndindex(3, 2, 3, 2):
        mean, noise = AXES["mean"][lane[0]], AXES["noise"][lane[1]]
        expected = alone(mean, noise, lane[2], lane[3])
        np.testing.assert_allclose(found.curve.values[lane], expected, 1e-4, 1e-6)
    assert found.curve.dims == ("mean", "noise", "chip", "seed", "step")


def test_draws_are_common_to_all_points_unless_asked_otherwise():
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
    expected = jr.normal(keys_of(jr.key(0), 0, 1).chip, (5,)).sum()
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
        (walk, {"mean": [], "noise": [0.0]}, "axis 'mean' has no values"),
        (walk, {"mean": [np.nan], "noise": [0.0]}, "axis 'mean' must be finite"),
        (
            walk,
            {"mean": [1.0, 1.0], "noise": [0.0]},
            "distinct values, got 1.0 and 1.0",
        ),
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
        ({"chips": 0}, "chips must be from 1 to 2147483647, got 0"),
        ({"seeds": [1, 1]}, "seeds must be distinct"),
        ({"reduce": {"lost": Moments()}}, "no output 'lost'.*last"),
        ({"keep": ["cure"]}, "no output 'cure'.*curve"),
        ({"dims": {"curve": ("a", "b")}}, "has 1 dimensions"),
        ({"chunk": 0}, "chunk must be from 1.*got 0"),
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
    for design in (Random(64), Latin(64), Sobol(64)):
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
    assert "{'rule': 'broken'}, chip=0, seed=0" in caplog.text


def test_a_sweep_where_everything_fails_raises():
    with pytest.raises(RuntimeError, match="this rule is broken"):
        sweep(brittle, {"rule": ["broken"]})


def test_plain_python_is_swept_too_and_a_chip_that_raises_is_missing():
    axes, declared = {"mean": [0.0, 10.0]}, {"x": (float, (4,))}
    found = sweep(plain, axes, chips=5, outputs=declared, chunk=3)
    assert (found.reason.sel(chip=3) == 2).all()
    assert found.reason.drop_sel(chip=3).max() == 0
    drawn = np.random.default_rng((0, 0, 4)).normal(size=4)
    np.testing.assert_array_equal(found.x.sel(mean=10.0, chip=4).values[0], 10 + drawn)
    assert len(failures(found)) == 2


def test_a_chunk_of_plain_python_may_fail_as_a_whole(caplog):
    def unplugged(point, chip, rng):
        raise OSError("no instrument")

    found = sweep(unplugged, {}, chips=3, outputs={"x": (float, (2,))})
    assert (found.reason == 2).all()
    assert found.x.isnull().all()
    assert "no instrument" in caplog.text


def test_the_plan_says_what_goes_where():
    axes = {"size": [1.0, 2.0], "rule": ["up", "down"]}
    found = plan(specify(ruled, axes, chips=10), measure=True)
    assert (found.points, len(found.programs), found.runs) == (4, 2, 40)
    assert found.mapped == {"size": 2}
    assert found.structural == {"rule": 2}
    assert found.seconds > 0
    assert found.programs[1].bytes > 0
    assert "2 to compile" in str(found)


def test_a_plan_measures_programs_that_share_a_call():
    axes = {"size": [1.0, 2.0], "rule": ["up", "down"]}
    spec = specify(ruled, axes, chips=2, design=Zip())
    found = plan(spec, resources=Resources(chunk=4), measure=True)
    assert [p.runs for p in found.programs] == [2, 2]
    assert all(p.bytes is not None for p in found.programs)


def test_a_replay_of_a_narrow_program_is_traced_too(tmp_path):
    def noise(point, chip, key, trace=False):
        x = jr.normal(key, (point.width,))
        return {"x": x, "sums": jnp.cumsum(x)[1:]} if trace else {"x": x}

    spec = specify(noise, {"width": Structural([3, 5])}, chips=2)
    run(spec, store=tmp_path / "s")
    found = replay(spec, {"width": 3}, chip=1, store=tmp_path / "s")
    assert found.attrs["rounding"] < 1e-6
    assert found["sums"].dims == ("sums_step",)
    np.testing.assert_allclose(found["sums"], np.cumsum(found.x[:3])[1:], 1e-5)


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
        chunk = choose(lambda width: needed(Program(width)), lanes, 2, budget)
        assert 1000 * chunk <= budget
        calls = -(-lanes // (2 * chunk))
        assert calls * 2 * chunk - lanes < 2 * calls  # hardly any padding
    with pytest.raises(MemoryError, match=r"one run needs 1000 .*: lower"):
        choose(lambda width: needed(Program(width)), 10, 1, 999)


@pytest.mark.parametrize("jump", [1, 3, 50])
def test_a_wider_program_is_asked_again(jump):
    class Program:
        def __init__(self, width):
            self.temp_size_in_bytes = 1000 * width * (jump if width > 32 else 1)
            self.argument_size_in_bytes = self.output_size_in_bytes = 0
            self.alias_size_in_bytes = 0

        def memory_analysis(self):
            return self

    chunk = choose(lambda width: needed(Program(width)), 100_000, 1, 500_000)
    assert needed(Program(chunk)) <= 500_000
    assert chunk == {1: 256, 3: 128, 50: 32}[jump]


def test_the_measured_memory_bounds_the_chunk():
    def wide(point, chip, key):
        x = jr.normal(key, (1000, 100)) * point.noise
        return {"x": (x @ x.T).max() + 0.0 * jnp.float32(chip)}

    axes = {"noise": [1.0]}
    spec = specify(wide, axes, chips=100)
    small, large = (
        plan(spec, resources=Resources(memory_limit=limit, devices=1))
        for limit in (7 * 2**20, 2**30)
    )
    assert small.programs[0].bytes <= 7 * 2**20
    assert small.width < large.width


def test_a_call_that_takes_too_long_is_narrowed(tmp_path):
    whole = sweep(walk, AXES, chips=4, devices=1)
    quick = sweep(
        walk, AXES, chips=4, devices=1, max_call_seconds=1e-9, store=tmp_path / "s"
    )
    assert json.loads(quick.attrs["sweep"])["chunk"] == [1, 1, 1, 1]
    xr.testing.assert_allclose(quick, whole, rtol=1e-5)
    again = sweep(walk, AXES, chips=4, store=tmp_path / "s")
    assert again.identical(quick)


def test_the_rate_counts_the_first_call_too():
    told = []

    class Watch:
        def begin(self, spec, done):
            assert done == 0

        def event(self, event):
            told.append(event)

    def slow(point, chip, key):
        wait = jax.ShapeDtypeStruct((), np.float32)
        nap = jax.pure_callback(lambda: time.sleep(0.2) or np.float32(0), wait)
        return {"x": point.mean + nap + 0.0 * jnp.float32(chip)}

    sweep(slow, {"mean": [1.0]}, chips=1, chunk=1, devices=1, progress=Watch())
    assert told[-1].rate < 1 / 0.2
