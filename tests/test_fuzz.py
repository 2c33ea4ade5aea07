"""Bad input is refused by name: a seeded few here, thousands in `make fuzz`."""

import dataclasses
import importlib
import importlib.util
import inspect

import pytest

import eapu_jax as ej
from eapu_jax import cost
from tests.fuzz import cost as fuzz_cost
from tests.fuzz import eapu
from tests.fuzz.__main__ import PARTS as NAMES
from tests.fuzz.spoil import every_one, fault

OTHERS = [part for part in NAMES if part != "eapu"]
PARTS = [part for part in OTHERS if importlib.util.find_spec(f"tests.fuzz.{part}")]


@pytest.mark.parametrize("part", PARTS)
def test_bad_input_is_refused_by_name(part):
    module = importlib.import_module(f"tests.fuzz.{part}")
    assert list(module.faults(seed=1, count=150)) == []


def test_eapu_refuses_all_that_cannot_be_meant():
    every = every_one(eapu.subjects())
    assert [wrong for one in every if (wrong := fault(*one))] == []


def test_every_constant_has_values_that_it_cannot_be():
    for kind, kinds in eapu.FIELDS.items():
        assert {f.name for f in dataclasses.fields(kind)} == set(kinds), kind


def test_everything_public_is_tried():
    tried = {subject.name.split(" ")[0].split(".")[-1] for subject in eapu.subjects()}
    names = [n for n in ej.__all__ if n[0] != "_"]
    public = {n for n in names if not inspect.ismodule(getattr(ej, n))}
    told_otherwise = {
        "Adapted",
        "adapter_labels",
        "Analog",
        "ArrayState",
        "Device",
        "Encoding",
        "FittedDevice",  # given back, and not handed in
        "place",
        "write_all",
    }
    assert public - tried == told_otherwise


def test_everything_public_of_cost_is_tried():
    tried = {
        subject.name.split(" ")[0].split(".")[-1] for subject in fuzz_cost.SUBJECTS
    }
    public = {
        name
        for name, one in vars(cost).items()
        if callable(one) and one.__module__.startswith("eapu_jax.cost")
    }
    results = {"Band", "Lifetime", "Row"}  # given back, and not handed in
    elsewhere = {"ConstantsError", "read_constants"}  # files: tests/test_cost.py
    assert public - tried == results | elsewhere | {"total", "written_out"}
