"""Every experiment can be swept by the engine, chip by chip."""

import dataclasses

import pytest

from experiments import EXPERIMENTS, catalogue
from experiments.learning import RULES
from experiments.memristor import endurance
from experiments.sweep import sweep
from experiments.sweep.ask import study
from experiments.sweep.engine import experiment
from experiments.sweep.labels import label
from experiments.sweep.lane import facts_of
from experiments.sweep.recall import value_of
from experiments.thermodynamic import wirings


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_one_chip_depends_on(name):
    function, base = experiment(name, None)
    assert callable(function)
    assert value_of(label(base)) == base  # a store can be replayed
    described = " ".join(kind.__doc__ or "" for kind in type(base).__mro__)
    assert all(f"{f.name}:" in described for f in dataclasses.fields(base))


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("threshold", {"rule": RULES}),
        ("spu_connectivity", {"wiring": wirings.WIRINGS, "reach": [1.0]}),
    ],
)
def test_what_is_compiled_value_by_value_has_the_same_outputs(name, axes):
    module = catalogue.find(name)
    smoke = catalogue.defaults(module, module.PRESETS["smoke"])
    function, base = experiment(name, smoke)
    asked = study(function, axes, base=base)
    facts = [facts_of(asked, group) for group in asked.groups]
    assert all(f.outputs == facts[0].outputs for f in facts)
    assert len({f.program for f in facts}) == len(facts)


def test_an_array_that_is_never_written_has_no_lifetime():
    base = endurance.PRESETS["smoke"].training(rule="ideal")
    with pytest.raises(ValueError, match="rule = 'ideal'"):
        endurance.simulate(base, 0, None)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("endurance", {"r_wg": [0.0]}),
        ("update_ratio", {"pretraining": [0.0]}),
        ("chip_yield", {"stuck_rate": [2.0]}),
    ],
)
def test_a_point_names_the_field_it_refuses(name, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        sweep(name, bad)
