"""What a number depends on is written down with it."""

import ast
import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import xarray as xr

from experiments.commands import running
from experiments.results import provenance
from tests import toy_experiment as toy

ROOT = Path(__file__).parents[1]
COMPUTING = (
    *("prng", "eapu_jax", "thermo"),
    *("experiments/learning", "experiments/memristor", "experiments/thermodynamic"),
)


@pytest.mark.parametrize("package", COMPUTING)
def test_no_number_is_read_off_a_clock(package):
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            assert not {"time", "datetime", "timeit"} & set(names), path


def test_equal_configs_have_equal_hashes_and_others_do_not():
    @dataclass(frozen=True)
    class Config:
        n_chips: int = 4

    first = provenance.config_hash(toy.Config())
    assert first == provenance.config_hash(toy.Config(n_chips=4))
    assert first != provenance.config_hash(toy.Config(n_chips=5))
    assert first != provenance.config_hash(Config())


def test_a_stamp_says_how_to_make_the_result_again():
    config = replace(toy.Config(), n_chips=2)
    made = xr.Dataset(attrs={"data": "toy data"})
    attrs = provenance.stamped(
        made, name="toy", config=config, scale="reduced", programs={}
    ).attrs
    assert toy.Config(**json.loads(attrs["config"])).n_chips == 2
    assert attrs["data"] == "toy data"
    for key in ("commit", "versions", "created", "config_hash", "programs"):
        assert attrs[key]
    assert "jax " in attrs["versions"]


def test_the_commit_is_that_at_which_the_run_began(tmp_path, monkeypatch):
    head = ["first"]

    def git(words, **_):
        return SimpleNamespace(stdout=head[0] if "rev-parse" in words else "")

    def derive(config, found):
        head[0] = "second"
        return toy.derive(config, found)

    moving = SimpleNamespace(**vars(toy) | {"derive": derive})
    monkeypatch.setattr(running.catalogue, "find", lambda name: moving)
    monkeypatch.setattr(provenance.subprocess, "run", git)
    provenance.commit.cache_clear()
    try:
        made = running.run("toy", toy.Config(), tmp_path)
    finally:
        provenance.commit.cache_clear()
    assert made.attrs["commit"] == "first"
