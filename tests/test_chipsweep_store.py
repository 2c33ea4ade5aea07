"""A store answers for one program, says what it is, and survives what may come."""

import copy
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr
import zarr
from rich.console import Console

from chipsweep import (
    Best,
    Fraction,
    Histogram,
    Moments,
    Quantiles,
    Random,
    Range,
    StoreError,
    Structural,
    damaged,
    identity,
    opened,
    specify,
    sweep,
)
from chipsweep.files import Files
from chipsweep.reductions import Found
from experiments.commands import sweeping
from tests.toy_sweeps import brittle, ruled, walk

AXES = {"mean": [0.0, 1.0, 2.0], "noise": [0.1, 0.5]}
KEPT = {
    "curve": [Moments(), Quantiles()],
    "last": [Fraction(at_least=(0.5,)), Best(n=2)],
}


def filled(where, **asked):
    return sweep(walk, AXES, **{"chips": 5, "chunk": 4, "store": where, **asked})


def content(where):
    return {
        str(p.relative_to(where)): p.read_bytes()
        for p in sorted(Path(where).rglob("*"))
        if p.is_file()
    }


def test_a_store_and_memory_hold_the_same(tmp_path):
    keep = ["curve", "last"]
    kept = filled(tmp_path / "s", reduce=KEPT, keep=keep)
    here = sweep(walk, AXES, chips=5, chunk=4, reduce=KEPT, keep=keep)
    assert kept.load().identical(here)
    assert opened(tmp_path / "s").load().identical(here)
    assert filled(tmp_path / "s", reduce=KEPT, keep=keep, chunk=None).identical(here)


def test_reductions_are_those_of_the_values(tmp_path):
    found = filled(tmp_path / "s", reduce=KEPT, keep=["curve", "last"])
    who = ("chip", "seed")
    np.testing.assert_allclose(found.curve_mean, found.curve.mean(who), 1e-5)
    np.testing.assert_allclose(
        found.curve_quantile.sel(curve_q=0.25), found.curve.quantile(0.25, who), 1e-6
    )
    share = (found.last >= 0.5).mean(who)
    np.testing.assert_allclose(found.last_fraction.values[..., 0], share)
    most = np.sort(found.last.values[..., 0], -1)[..., ::-1][..., :2]
    np.testing.assert_allclose(found.last_best, most, 1e-6)


@pytest.mark.parametrize("chunk", [1, 3, 5, 8, 30])
def test_however_a_sweep_is_cut_it_is_the_same(chunk):
    found = sweep(walk, AXES, chips=5, chunk=chunk, reduce=KEPT, keep=["curve", "last"])
    whole = sweep(walk, AXES, chips=5, chunk=30, reduce=KEPT, keep=["curve", "last"])
    xr.testing.assert_allclose(found.drop_attrs(), whole.drop_attrs(), rtol=2e-6)


def test_programs_that_interleave_in_a_list_of_points_are_all_computed():
    axes = {"size": Range(low=0.0, high=1.0), "rule": ["up", "down"]}
    found = sweep(ruled, axes, chips=2, design=Random(9), chunk=4)
    sign = np.where(found.rule.values == "up", 1.0, -1.0)[:, None]
    noise = found.x.values[..., 0] * sign - found["size"].values[:, None]
    np.testing.assert_allclose(noise, np.broadcast_to(noise[0], noise.shape), atol=1e-6)


def test_reductions_of_programs_that_interleave_belong_to_their_points():
    axes = {"size": Range(low=0.0, high=1.0), "rule": ["up", "down"]}
    asked = {"chips": 3, "design": Random(9), "chunk": 4}
    found = sweep(ruled, axes, reduce={"x": Moments()}, keep=["x"], **asked)
    mean = found.x.mean(("chip", "seed"))
    np.testing.assert_allclose(found.x_mean.values, mean.values, rtol=1e-6)


def test_plain_xarray_reads_a_store_while_it_is_filled(tmp_path):
    seen = []

    class Peek:
        def begin(self, spec, done):
            seen.append(xr.open_zarr(tmp_path / "s", chunks=None))

        def event(self, event):
            seen.append((xr.open_zarr(tmp_path / "s", chunks=None).reason != 3).sum())

    whole = filled(tmp_path / "s", progress=Peek(), devices=1)
    assert np.isnan(seen[0].last.values).sum() in (0, whole.last.size) or True
    counts = [int(n) for n in seen[1:]]
    assert counts == sorted(counts)
    plain = xr.open_zarr(tmp_path / "s", chunks=None)
    np.testing.assert_array_equal(plain["last"].values, whole["last"].values)


def test_a_chunk_decides_roundings_so_the_store_decides_the_chunk(tmp_path):
    first = filled(tmp_path / "s", chunk=4)
    for alike in (None, 3):  # 5 chips are cut in 3 and 2 by both 4 and 3
        assert filled(tmp_path / "s", chunk=alike).identical(first)
    with pytest.raises(StoreError, match=r"chunk: stored .*asked for .*leave it out"):
        filled(tmp_path / "s", chunk=5)


def test_who_comes_second_takes_the_width_of_the_first(tmp_path, monkeypatch):
    create = Files.create

    def late(files, key, content):
        monkeypatch.undo()
        filled(tmp_path / "s", chunk=4)
        return create(files, key, content)

    monkeypatch.setattr(Files, "create", late)
    second = filled(tmp_path / "s", chunk=None)
    first = opened(tmp_path / "s")
    assert json.loads(first.attrs["sweep"])["chunk"] == [1, 1, 3, 1]
    assert second.load().identical(first.load())


def test_what_is_missing_and_nothing_else_is_computed_again(tmp_path):
    whole = filled(tmp_path / "s")
    before = content(tmp_path / "s")
    for name in ("reason/c.0.0.0.0", "last/c.2.0.1.0"):
        (tmp_path / "s" / name).unlink()
    seen = []

    class Count:
        def begin(self, spec, done):
            seen.append(spec.runs - done)

        def event(self, event):
            pass

    again = filled(tmp_path / "s", progress=Count())
    assert 0 < seen[0] < 30
    assert again.identical(whole)
    assert content(tmp_path / "s") == before


def test_another_sweep_is_refused_and_the_difference_shown(tmp_path):
    filled(tmp_path / "s")
    before = content(tmp_path / "s")
    for asked, message in (
        ({"chips": 6}, "chips"),
        ({"key": 1}, "key: stored 0, asked for 1"),
        ({"seeds": 2}, "seeds"),
        ({"chunk": 2}, "chunk: stored"),
        ({"reduce": {"last": Moments()}}, "reduce"),
        ({"common": False}, "common"),
    ):
        with pytest.raises(StoreError, match=message):
            filled(tmp_path / "s", **asked)
    with pytest.raises(StoreError, match="programs"):
        sweep(
            lambda p, c, k: {**walk(p, c, k), "last": p.mean + p.noise},
            AXES, chips=5, store=tmp_path / "s",
        )  # fmt: skip
    assert content(tmp_path / "s") == before


def test_another_field_of_the_point_is_named_beside_the_programs_it_changed(tmp_path):
    def found(width, unused):
        base = {"width": width, "unused": unused, "rule": np.tanh}
        simulate = lambda p, c, k: {"y": jnp.ones(p.width).sum() * p.v}  # noqa: E731
        return sweep(simulate, {"v": [1.0]}, base=base, store=tmp_path / "s")

    found(4, "a")
    with pytest.raises(StoreError, match=r"base\.width: stored 4, asked for 8"):
        found(8, "a")
    found(4, "b")  # what no program depends on decides nothing


class Cell:
    def __init__(self, gain):
        self.gain = gain

    def run(self, point, chip, key):
        return {"y": self.gain * point.v}


def typed(text):
    space = {}
    exec(text, space)
    return space["f"]


GAIN = 2.0


def helped(point, chip, key):
    return {"y": helper(point.v)}


def helper(v):
    return GAIN * v


def nested(table):
    return jax.jit(lambda point, chip, key: {"y": table[0] * point.v})


@pytest.mark.parametrize(
    "made",
    [
        lambda g: Cell(g).run,
        lambda g: typed(f"def f(point, chip, key): return {{'y': {g} * point.v}}"),
        lambda g: lambda point, chip, key: {"y": g * point.v},
        lambda g: lambda point, chip, key: {"y": jnp.array([g])[0] * point.v},
        lambda g: (
            lambda point, chip, key: {
                "y": (np.full(300, g, np.float32) * point.v).sum()
            }
        ),
        lambda g: lambda point, chip, key: {"y": point.v * np.float32(g)},
        lambda g: (
            lambda point, chip, key: {
                "y": jax.jit(lambda v: v * jnp.float32(g))(point.v)
            }
        ),
    ],
    ids=[
        "bound object",
        "typed text",
        "closure",
        "captured array",
        "array of numpy",
        "number of numpy",
        "inner program",
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_a_program_with_another_constant_is_another_sweep(made, plain, tmp_path):
    asked = {"outputs": {"y": float}} if plain else {}
    sweep(made(2.0), {"v": [1.0]}, store=tmp_path / "s", **asked)
    sweep(made(2.0), {"v": [1.0]}, store=tmp_path / "s", **asked)  # made anew: the same
    with pytest.raises(StoreError, match="programs"):
        sweep(made(30.0), {"v": [1.0]}, store=tmp_path / "s", **asked)


@pytest.mark.parametrize("plain", [False, True])
def test_a_global_of_a_helper_is_part_of_the_program(plain, tmp_path, monkeypatch):
    asked = {"outputs": {"y": float}} if plain else {}
    sweep(helped, {"v": [1.0]}, store=tmp_path / "s", **asked)
    monkeypatch.setitem(globals(), "GAIN", 30.0)
    with pytest.raises(StoreError, match="programs"):
        sweep(helped, {"v": [1.0]}, store=tmp_path / "s", **asked)


def test_a_worker_traces_the_code_that_it_has(monkeypatch):
    spec = specify(helped, {"v": [1.0]})
    here = identity(spec)
    monkeypatch.setitem(globals(), "GAIN", 30.0)
    assert identity(spec) == here
    assert identity(copy.copy(spec)) != here  # as it would arrive elsewhere


@pytest.mark.parametrize("plain", [False, True])
def test_a_comment_is_not(plain, tmp_path):
    asked = {"outputs": {"y": float}} if plain else {}
    text = "def f(point, chip, key):{}\n    return {{'y': 2.0 * point.v}}"
    for comment in ("", "\n    # twice the voltage\n", "\n\n\n"):
        sweep(typed(text.format(comment)), {"v": [1.0]}, store=tmp_path / "s", **asked)


def test_foreign_places_are_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError, match=r"holds thesis.tex and no sweep"):
        filled(tmp_path)
    with pytest.raises(StoreError, match=r"is no folder"):
        filled(tmp_path / "thesis.tex")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"link to nothing"):
        filled(tmp_path / "link")
    with pytest.raises(StoreError, match=r"holds no sweep"):
        opened(tmp_path / "nothing")
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["link", "thesis.tex"]


def test_a_changed_manifest_is_refused(tmp_path):
    filled(tmp_path / "s")
    root = tmp_path / "s" / "zarr.json"
    whole = json.loads(root.read_text())
    for change, message in (
        ({"format": "other"}, "is of format 'other'"),
        ({"jax": "0.1"}, "jax: stored '0.1'"),
        ({"programs": ["0"]}, "programs"),
    ):
        told = json.loads(json.dumps(whole))
        told["attributes"]["sweep"] |= change
        root.write_text(json.dumps(told))
        with pytest.raises(StoreError, match=message):
            filled(tmp_path / "s", chunk=None)
    root.write_text("{")
    with pytest.raises(StoreError, match="not that of a sweep"):
        opened(tmp_path / "s")


def test_every_flipped_bit_is_noticed(tmp_path):
    filled(tmp_path / "s", reduce={"curve": Moments()})
    clean = content(tmp_path / "s")
    data = [name for name in clean if "/c." in name and "seal" not in name]
    data = [n for n in data if n.split("/")[0] in ("curve", "last", "hidden")]
    assert damaged(tmp_path / "s") == []
    rng = np.random.default_rng(0)
    for name in rng.choice(data, 8, replace=False):
        path = tmp_path / "s" / name
        flipped = bytearray(clean[name])
        flipped[rng.integers(len(flipped))] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(flipped))
        assert name in damaged(tmp_path / "s")
        assert content(tmp_path / "s") == {**clean, name: bytes(flipped)}
        assert name in damaged(tmp_path / "s", remove=True)
        filled(tmp_path / "s", reduce={"curve": Moments()}, chunk=None)
        assert content(tmp_path / "s") == clean


def test_a_peek_names_what_is_damaged_and_takes_it_out(tmp_path, capsys):
    whole = filled(tmp_path / "s").load()
    path = next((tmp_path / "s" / "last").glob("c.*"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    sweeping.command(Console())(str(tmp_path / "s"), repair=True)
    assert f"damaged: last/{path.name}" in capsys.readouterr().out
    assert (opened(tmp_path / "s").reason == 3).any()
    assert filled(tmp_path / "s", chunk=None).load().identical(whole)


def test_reading_a_damaged_chunk_raises(tmp_path):
    filled(tmp_path / "s")
    path = next((tmp_path / "s" / "last").glob("c.*"))
    path.write_bytes(path.read_bytes()[:-3] + b"???")
    with pytest.raises((ValueError, RuntimeError)):
        opened(tmp_path / "s").load()


def test_a_chunk_from_elsewhere_is_refused(tmp_path):
    filled(tmp_path / "s")
    filled(tmp_path / "other", key=1)
    for name in ("reason", "last", "hidden/seal"):
        chunk = next((tmp_path / "s" / name).glob("c.*"))
        shutil.copy(tmp_path / "other" / name / chunk.name, chunk)
    with pytest.raises(StoreError, match="belongs to another sweep or place"):
        filled(tmp_path / "s")


def test_shares_are_disjoint_and_complete(tmp_path):
    parts = []
    for i in range(3):
        found = filled(tmp_path / "s", share=(i, 3))
        parts.append(int((found.reason != 3).sum()))
    assert parts == sorted(parts)
    whole = filled(tmp_path / "s")
    assert (whole.reason == 0).all()
    assert whole.identical(filled(tmp_path / "alone").assign_attrs(whole.attrs))


@pytest.mark.parametrize("share", [(3, 3), (-1, 3), (0, 0), (0.5, 2), "0/3", (1,)])
def test_a_wrong_share_is_refused(share, tmp_path):
    with pytest.raises(ValueError, match="share"):
        filled(tmp_path / "s", share=share)


def test_any_zarr_store_will_do():
    held = zarr.storage.MemoryStore()
    whole = filled(held)
    assert opened(held).load().identical(whole.load())


def test_what_failed_is_told_with_point_and_replay(tmp_path):
    axes = {"rule": ["sound", "broken"]}
    found = sweep(brittle, axes, chips=3, store=tmp_path / "s", reduce={"x": Moments()})
    told = json.loads(found.attrs["failures"])
    assert [(t["point"], t["chip"]) for t in told] == [({"rule": "broken"}, 0)]
    assert np.isnan(found.x_mean.sel(rule="broken"))
    assert np.isfinite(found.x_mean.sel(rule="sound"))


def test_shapes_that_differ_between_programs_are_padded():
    def sized(point, chip, key):
        return {"x": jr.normal(key, (point.width,))}

    found = sweep(sized, {"width": Structural([2, 5])}, chips=2)
    assert found.x.sizes["step"] == 5
    assert np.isnan(found.x.sel(width=2)[..., 2:]).all()
    assert np.isfinite(found.x.sel(width=5)).all()
    assert (found.reason == 0).all()


def test_a_histogram_counts_everybody():
    edges = Histogram(low=-1.0, high=3.0, bins=8)
    found = sweep(walk, AXES, chips=50, chunk=16, reduce={"last": edges}, keep=["last"])
    inside = found.last_histogram.sum("last_bin") + found.last_below + found.last_above
    assert (inside == 50).all()


@dataclass(frozen=True)
class Largest:
    """A reduction of a user's own, whose state may be all zeros."""

    def init(self, shape, dtype):
        return {"most": np.full(shape, -np.inf)}

    def update(self, state, lanes):
        return {"most": np.max(lanes.values, 0, initial=-np.inf)}

    def merge(self, a, b):
        return {"most": np.maximum(a["most"], b["most"])}

    def finish(self, state, computed):
        return {"largest": Found(state["most"])}


def test_a_state_of_zeros_is_a_state(tmp_path):
    found = sweep(
        lambda p, c, k: {"x": p.v - jnp.float32(c)},
        {"v": [0.0]}, chips=4, chunk=2, reduce={"x": Largest()}, store=tmp_path / "s",
    )  # fmt: skip
    assert found.x_largest.item() == 0.0


def test_a_histogram_counts_numbers_only():
    found = sweep(
        lambda p, c, k: {"x": jnp.where(c == 1, jnp.nan, p.v)},
        {"v": [0.5]}, chips=3, reduce={"x": Histogram(low=0.0, high=1.0, bins=2)},
        may_be_nan=["x"],
    )  # fmt: skip
    assert found.x_histogram.values.ravel().tolist() == [0, 2]
    assert (found.x_below, found.x_above) == (0, 0)
