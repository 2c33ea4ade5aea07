"""Looking at a store shows what is in it, and runs nothing that it names."""

import json
import math
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from experiments import cli
from experiments.store import StoreError
from experiments.sweep import Moments, Structural, folder, partial, replay, sweep
from tests.toy_sweeps import walk

AXES = {"mean": [0.0, 1.0], "noise": [0.1]}


@dataclass(frozen=True)
class Shape:
    """A structural value."""

    width: int = 2
    name: str = "flat"


def shaped(point, chip, dice):
    """Plain Python: an axis of functions, one of dataclasses."""
    return {"x": point.rule(float(point.shape.width))}


def edited(path, change, *, signed=True):
    """The manifest after a change, with a digest that fits or the old one."""
    manifest = json.loads((path / "sweep.json").read_text())
    digest = manifest.pop("digest")
    change(manifest)
    digest = folder._digest(manifest) if signed else digest
    (path / "sweep.json").write_text(json.dumps({**manifest, "digest": digest}))


def put(*where):
    """A change that puts a label somewhere into a manifest."""

    def change(manifest, label):
        for name in where[:-1]:
            manifest = manifest[name]
        manifest[where[-1]] = label

    return change


PLACES = [
    put("base"),
    put("function"),
    put("chips"),
    put("keep"),
    put("key"),
    put("reduce", "curve"),
    put("reduce", "curve", "tuple", 0),
    put("axes", "mean", "values"),
    put("points", "mean"),
    put("points", "mean", "list", 0),
]


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "store"
    sweep(walk, AXES, chips=2, store=path, reduce={"curve": Moments()})
    return path


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_looking_at_a_store_runs_nothing(store, place, tmp_path, monkeypatch, capsys):
    left = tmp_path / "left"
    (tmp_path / "harmful.py").write_text(f"open({str(left)!r}, 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    command = {"list": ["touch", str(left)]}
    labels = [
        {"make": "subprocess:Popen", "fields": {"args": command}},
        {"make": "harmful:Thing", "fields": {}},
        {"import": "harmful:thing"},
        {"tuple": [{"import": "harmful:thing"}]},
        {"dict": {"a": {"make": "pathlib:Path.touch", "fields": {"self": str(left)}}}},
        {"object": "harmful"},
        {"make": None, "fields": {}},
        {},
    ]
    whole = (store / "sweep.json").read_text()
    for label in labels:
        (store / "sweep.json").write_text(whole)
        edited(store, lambda m, label=label: PLACES[place](m, label))
        cli.main(["peek", str(store)])
        assert "Traceback" not in capsys.readouterr().err
        assert not left.exists()
        assert "harmful" not in sys.modules


def test_a_manifest_changed_by_hand_is_refused(store):
    edited(store, lambda m: m.update(key=1), signed=False)
    for look in (partial, lambda path: replay(path, 0), again):
        with pytest.raises(StoreError, match=r"sweep\.json is damaged: its digest"):
            look(store)


def again(path):
    return sweep(walk, AXES, chips=2, store=path, reduce={"curve": Moments()})


@pytest.mark.parametrize("missing", ["axes", "points", "dims", "chips", "reduce"])
def test_a_manifest_that_lacks_something_is_named(store, missing):
    edited(store, lambda m: m.pop(missing))
    with pytest.raises(StoreError, match=f"damaged.*{missing}"):
        partial(store)


def test_a_replay_makes_dataclasses_only(store, tmp_path):
    left = tmp_path / "left"
    fields = {"args": {"list": ["touch", str(left)]}}
    edited(
        store, lambda m: m.update(base={"make": "subprocess:Popen", "fields": fields})
    )
    with pytest.raises(ValueError, match=r"Popen cannot be made again .*no dataclass"):
        replay(store, 0)
    assert not left.exists()


def test_what_is_only_named_has_the_labels_of_what_was_swept(tmp_path):
    axes = {
        "rule": [math.sqrt, math.exp, np.cos],
        "shape": Structural([Shape(), Shape(3), Shape(3, name="it's")]),
    }
    whole = sweep(shaped, axes, chips=2, host=True, store=tmp_path)
    assert len(np.unique(whole.x)) == 6  # three rules at two widths
    assert partial(tmp_path).identical(whole)
