"""Every experiment can be swept, one chip at a time."""

import dataclasses

import pytest

import chipsweep
from chipsweep.identity import trace
from experiments import EXPERIMENTS, catalogue
from experiments.contract import Sweep
from experiments.learning.rules import RULES
from experiments.memristor import endurance
from experiments.thermodynamic import wirings


def smoke(name):
    module = catalogue.find(name)
    return module, module.PRESETS["smoke"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_one_run_depends_on(name):
    module, config = smoke(name)
    base = module.defaults(config)
    assert dataclasses.is_dataclass(base)
    described = " ".join(kind.__doc__ or "" for kind in type(base).__mro__)
    assert all(f"{f.name}:" in described for f in dataclasses.fields(base))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_names_the_sweeps_of_its_figure(name):
    module, config = smoke(name)
    asked = module.sweeps(config)
    assert asked
    assert all(isinstance(one, Sweep) and one.spec.runs > 0 for one in asked.values())


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        pytest.param("threshold", {"rule": RULES}, marks=pytest.mark.slow),
        ("spu_connectivity", {"wiring": wirings.WIRINGS, "reach": [1.0]}),
    ],
)
def test_what_is_compiled_value_by_value_has_the_same_outputs(name, axes):
    module, _ = smoke(name)  # too few cells for four different wirings
    base = module.defaults(module.Config())
    spec = chipsweep.specify(module.simulate, axes, base=base)
    traced = [trace(spec, group) for group in spec.groups]
    assert all(t.outputs == traced[0].outputs for t in traced)
    assert len({t.program for t in traced}) == len(traced)


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
    module, config = smoke(name)
    with pytest.raises(ValueError, match=next(iter(bad))):
        chipsweep.specify(module.simulate, bad, base=module.defaults(config))
