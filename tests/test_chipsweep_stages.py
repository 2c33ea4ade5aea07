"""A scan in stages is the scan, and a call that was killed goes on where it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

from chipsweep import Moments, in_stages, plan, replay, specify
from chipsweep.files import Files
from chipsweep.point import Point
from chipsweep.saves import Saves
from chipsweep.stages import Call, stages_of
from tests.toy_cluster import content
from tests.toy_stages import AXES, N_STAGES, plain, staged, sweep_of, typed, walk

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    where = tmp_path_factory.mktemp("alone") / "s"
    sweep_of(where, seconds=60.0)  # that is, never
    return content(where)


@pytest.fixture
def stages(monkeypatch):
    """Every stage after which a call came back."""
    seen, advance = [], Call.advance

    def counting(call, seconds):
        advance(call, seconds)
        seen.append(call._done)

    monkeypatch.setattr(Call, "advance", counting)
    return seen


def started(store, dies_after, devices=1):
    flags = f"--xla_force_host_platform_device_count={devices}"
    command = [sys.executable, "-m", "tests.toy_stages", str(store), str(dies_after)]
    how = {"env": {**os.environ, "XLA_FLAGS": flags}, "cwd": ROOT, "text": True}
    return subprocess.run(command, capture_output=True, **how)


def killed(store, after, devices=1):
    ended = started(store, after, devices)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def saved(store):
    return sorted(p.name for p in (Path(store) / "stages").iterdir())


@pytest.mark.parametrize("around", [lambda f: f, jax.jit, jax.vmap])
def test_outside_a_sweep_it_is_the_scan(around):
    point, key = Point({"mean": 0.5, "noise": 1.0}), jr.key(0)
    key = jr.split(key, 3) if around is jax.vmap else key
    ours, theirs = (
        around(lambda k, scan=scan: walk(scan, point, k))(key)
        for scan in (in_stages, jax.lax.scan)
    )
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def test_a_sweep_in_stages_is_the_sweep():
    found, whole = (sweep_of(None, f, chunk=5) for f in (staged, plain))
    xr.testing.assert_allclose(found.drop_attrs(), whole.drop_attrs(), rtol=1e-6)
    np.testing.assert_array_equal(found["count"], whole["count"])


def test_only_what_can_be_saved_comes_back_between_stages(tmp_path, stages):
    sweep_of(None, chunk=24)
    assert stages == [N_STAGES]
    sweep_of(tmp_path / "s", chunk=24)
    assert stages[1:] == list(range(1, N_STAGES + 1))


def test_time_between_saves_is_filled_with_stages(tmp_path, stages):
    sweep_of(tmp_path / "s", chunk=24, seconds=60.0)
    assert stages == [1, N_STAGES]


def test_the_state_has_what_outputs_are_made_of():
    """Not what a step returns and nobody reads: it would be computed and copied."""

    def run(start, kind):
        def step(c, x):
            return c + 1, {"asked": c + x, "unread": c * x, "turned": 2 * c}

        last, ys = in_stages(step, start, jnp.arange(4.0))
        read = {"asked": ys["asked"].sum(), "turned": jnp.sin(ys["turned"])}
        return {"last": last, **{k: read[k] for k in kind}}

    def used(kind, axis=0):
        many = lambda f: jax.vmap(f, in_axes=axis, axis_size=5)  # noqa: E731
        given = jnp.zeros(5) if axis == 0 else 0.0
        stages = stages_of(lambda s: run(s, kind), many, (given,))
        assert stages is not None
        assert [x.shape for x in jax.tree.leaves(stages.state)] == [
            (5,), *[(5, 4)] * len(kind)
        ]  # fmt: skip
        names = sorted(["asked", "unread", "turned"])
        return {n for n, one in zip(names, stages.used, strict=True) if one}

    for axis in (0, None):
        assert used(("asked", "turned"), axis) == {"asked", "turned"}
        assert used(("turned",), axis) == {"turned"}
        assert used((), axis) == set()


def nested(point, chip, key):
    return jax.jit(lambda: staged(point, chip, key))()


def twice(point, chip, key):
    return {**staged(point, chip, key), **staged(point, chip, jr.fold_in(key, 1))}


def empty(point, chip, key):
    x = point.mean + 0.0 * point.noise
    return {"x": in_stages(lambda c, x: (c, x), x, jnp.zeros(0))[0]}


def keys_out(point, chip, key):
    start = point.mean + 0.0 * point.noise
    x, keys = in_stages(lambda c, i: (c + 1, jr.fold_in(key, i)), start, jnp.arange(3))
    return {"x": x + jax.vmap(jr.normal)(keys).sum()}


@pytest.mark.parametrize("function", [nested, twice, empty, keys_out])
def test_what_has_no_stages_of_its_own_is_one_call(function, stages):
    found = sweep_of(None, function)
    assert stages == []
    assert np.isfinite(found.x).all()


def test_a_killed_call_goes_on_from_its_last_save(alone, tmp_path, stages):
    killed(tmp_path / "s", 3)
    assert saved(tmp_path / "s") == ["0.0"]
    sweep_of(tmp_path / "s")
    assert stages == [*range(4, N_STAGES + 1), *range(1, N_STAGES + 1)]
    assert content(tmp_path / "s") == alone


def broken(path):
    *most, last = path.read_bytes()
    path.write_bytes(bytes([*most, last ^ 1]))


def halved(path):
    path.write_bytes(path.read_bytes()[:100])


def emptied(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "damage", [broken, halved, pytest.param(emptied, marks=pytest.mark.slow)]
)
def test_a_damaged_save_is_ignored(damage, alone, tmp_path, stages):
    killed(tmp_path / "s", 3)
    damage(tmp_path / "s" / "stages" / "0.0")
    sweep_of(tmp_path / "s")
    assert stages == 2 * list(range(1, N_STAGES + 1))
    assert content(tmp_path / "s") == alone


@pytest.mark.parametrize(
    "foreign",
    ["another sweep", pytest.param("another chunk", marks=pytest.mark.slow)],
)
def test_a_save_that_is_foreign_is_ignored(foreign, alone, tmp_path, stages):
    killed(tmp_path / "s", 3)
    mine = tmp_path / "s/stages/0.0"
    if foreign == "another chunk":
        mine.rename(mine.with_name("1.0"))
    else:
        saves = Saves(Files.at(tmp_path / "s"), "another", 0.0)
        saves.save(0, 0, mine.read_bytes()[32:])
    sweep_of(tmp_path / "s")
    assert stages == 2 * list(range(1, N_STAGES + 1))
    assert content(tmp_path / "s") == alone


def test_a_save_of_another_layout_is_not_gone_on_from(
    alone, tmp_path, monkeypatch, stages
):
    """As an engine leaves it that kept other things of a stage."""
    killed(tmp_path / "s", 3)
    load = Saves.load
    monkeypatch.setattr(Saves, "load", lambda *a: load(*a) and load(*a) + b"more")
    sweep_of(tmp_path / "s")
    assert stages == 2 * list(range(1, N_STAGES + 1))
    assert content(tmp_path / "s") == alone


def test_what_is_saved_of_a_chunk_that_is_there_goes(alone, tmp_path, stages):
    sweep_of(tmp_path / "s")
    Files.at(tmp_path / "s").put("stages/1.0", b"left behind")
    sweep_of(tmp_path / "s")
    assert content(tmp_path / "s") == alone


def test_nothing_is_saved_before_it_is_time_or_in_memory(tmp_path, monkeypatch):
    def fails(*args):
        raise AssertionError("saved")

    monkeypatch.setattr(Saves, "save", fails)
    sweep_of(tmp_path / "s", seconds=60.0)
    sweep_of(None)


def test_a_save_that_fails_stops_nothing(alone, tmp_path, monkeypatch, caplog):
    put = Files.put

    def full(files, key, content):
        if key.startswith("stages/"):
            raise OSError("no space left")
        put(files, key, content)

    monkeypatch.setattr(Files, "put", full)
    sweep_of(tmp_path / "s")
    assert "no space left" in caplog.text
    assert content(tmp_path / "s") == alone


def test_reductions_and_programs_that_differ_keep_their_stages(tmp_path):
    axes = {"rule": ["up", "down"], **AXES}
    asked = {"reduce": {"x": Moments()}, "keep": ["x"], "chunk": 6}
    found = sweep_of(tmp_path / "s", typed, axes, **asked)
    np.testing.assert_array_equal(found.x.sel(rule="up"), -found.x.sel(rule="down"))
    mean = found.x.mean(("chip", "seed"))
    np.testing.assert_allclose(found.x_mean.values, mean.values, 1e-5)
    assert saved(tmp_path / "s") == []


def test_a_run_again_is_the_run(tmp_path):
    found = sweep_of(tmp_path / "s").load()
    spec = specify(staged, AXES, chips=3, seeds=2)
    where = {"mean": 1.0, "noise": 0.5}
    again = replay(spec, where, chip=2, seed=1, store=tmp_path / "s")
    one = found.sel(**where, chip=2, seed=1)
    for name in ("x", "draw", "curve", "halves"):
        np.testing.assert_array_equal(again[name], one[name])


def test_a_sweep_that_chooses_its_width_goes_on_from_what_it_tried(tmp_path, stages):
    found = sweep_of(tmp_path / "s", chunk=None, seconds=60.0)
    assert stages == [1, N_STAGES]
    whole = sweep_of(None, chunk=24)
    assert found.load().drop_attrs().identical(whole.drop_attrs())


def single(point, chip, key):
    start = point.mean + point.noise
    return {"x": in_stages(lambda c, i: (c + i, c), start, jnp.zeros(1))[0]}


@pytest.mark.parametrize("function", [staged, single])
def test_a_plan_knows_memory_and_time_of_stages(function, stages):
    planned = plan(specify(function, AXES, chips=3, seeds=2), measure=True)
    assert stages
    assert max(stages) <= 2  # one tells of all
    assert planned.programs[0].bytes
    assert planned.seconds


def test_the_bits_do_not_depend_on_the_devices_that_go_on(alone, tmp_path, stages):
    killed(tmp_path / "s", 3, devices=2)
    assert saved(tmp_path / "s") == ["0.0", "1.0"]
    sweep_of(tmp_path / "s")
    assert stages == 2 * list(range(4, N_STAGES + 1))
    assert content(tmp_path / "s") == alone


def test_devices_do_not_share_a_call_at_different_stages(alone, tmp_path):
    killed(tmp_path / "s", 3, devices=2)
    (tmp_path / "s/stages/1.0").unlink()
    ended = started(tmp_path / "s", 100, devices=2)
    assert ended.stdout.split() == [str(N_STAGES - 3 + N_STAGES)], ended.stderr
    assert content(tmp_path / "s") == alone
