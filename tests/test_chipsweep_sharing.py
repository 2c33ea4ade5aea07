"""What all runs of a call share is computed once, and is the same for all."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from chipsweep import Random, Range, Resources, Structural, Zip, specify
from chipsweep.compute import Computer
from chipsweep.files import Files
from chipsweep.frame import Frame, chunk_for
from chipsweep.memory import needed
from chipsweep.preparing import prepared
from chipsweep.replicate import arguments
from chipsweep.stages import Call, Staged, Stages
from tests.toy_stages import sweep_of
from tests.toy_sweeps import ruled, walk

GRID = {"mean": [0.0, 1.0, 2.0], "noise": [0.1, 0.5]}
DRAWN = {"mean": Range(low=0.0, high=1.0), "noise": [0.1, 0.5]}
SPECS = {
    "grid": specify(walk, GRID, chips=5, seeds=3),
    "one seed": specify(walk, GRID, chips=7),
    "one chip": specify(walk, GRID, seeds=4),
    "pairs": specify(walk, {**GRID, "noise": [0.1, 0.2, 0.3]}, design=Zip(), chips=5),
    "drawn": specify(walk, DRAWN, design=Random(6), chips=2, seeds=2),
    "structural": specify(ruled, {**GRID, "rule": Structural(["up", "down"])}, chips=4),
}


@pytest.mark.parametrize("name", SPECS)
def test_what_a_call_takes_for_shared_is_shared(name):
    spec = SPECS[name]
    shared = 0
    for width in (1, 2, 3, 5, 8, 30, 1000):
        frame = Frame(spec, chunk_for(spec, width))
        for number in range(frame.count):
            given = arguments(spec, frame.runs(number))
            for x, alike in zip(flat(given), flat(frame.alike), strict=True):
                assert not alike or len(np.unique(x)) == 1
                shared += alike
    assert shared


def flat(given):
    values, *indices = given
    return [*(values[name] for name in sorted(values)), *indices]


@pytest.mark.parametrize("width", [1, 4, 6, 13, 10**6])
def test_a_chunk_is_filled_with_chips_first(width):
    for spec in SPECS.values():
        *axes, chips, seeds = chunk_for(spec, width)
        assert np.prod([*axes, chips, seeds]) <= width
        assert seeds == 1 or chips == len(spec.chips)
        assert set(axes) == {1} or seeds == len(spec.seeds)


def heavy(point, chip, keys):
    """Most of its memory is in what the seed alone decides."""
    images = jr.normal(keys.seed, (500, 500))
    weights = jr.normal(keys.chip, (500, 1))
    return {"x": point.gain * jnp.tanh(images @ images @ weights).sum()}


def test_what_a_seed_fixes_takes_its_memory_once():
    spec = specify(heavy, {"gain": [1.0]}, chips=64)
    few, many = (
        needed(prepared(spec, Files.at(None), Resources(chunk=n, devices=1))[1].program(
            spec.groups[0]
        ))
        for n in (2, 64)
    )  # fmt: skip
    assert many < 2 * few


def test_a_short_call_in_stages_is_begun_before_it_is_waited_for(monkeypatch, tmp_path):
    order = []
    advance, finish = Call.advance, Computer.finish

    def going(call, seconds):
        order.append("go")
        advance(call, seconds)

    def waiting(computer, started):
        order.append("wait")
        return finish(computer, started)

    monkeypatch.setattr(Call, "advance", going)
    monkeypatch.setattr(Computer, "finish", waiting)
    sweep_of(tmp_path / "s", chunk=3, devices=1, seconds=60.0)
    waits = [i for i, what in enumerate(order) if what == "wait"]
    # a stage of the first call is timed, then the rest of it; the second call begins
    # before anything is known of its pace; the others begin while one is at work
    assert [order[:i].count("go") for i in waits] == [0, 3, 5, 6, 7, 8, 9, 9]


def test_calls_that_grow_slow_are_saved_between_their_stages_again(monkeypatch):
    """The pace of calls begun at once is that of the last one, not of the first."""
    slow = Staged(lambda *a: (None, a[1]), Stages(6, (), [], {}), pace=1.0)
    now = iter([0.0, 600.0])
    monkeypatch.setattr("chipsweep.stages.time.monotonic", lambda: next(now, 600.0))
    call = Call(slow, (), [b""])
    call.begin(60.0)
    assert call.left == 0
    call.arrived()
    assert slow.pace == 100.0
    later = Call(slow, (), [b""])
    later.begin(60.0)
    assert later.left == 6  # not at once any more


def test_a_call_that_was_tried_to_its_end_is_not_begun_again():
    calls = []
    one = Staged(lambda *a: (calls.append(a), a[1]), Stages(1, (), [], {}))
    call = Call(one, (), [b""])
    assert 0 < call.tried() < 60
    call.begin(None)
    call.arrived()
    assert len(calls) == 1
