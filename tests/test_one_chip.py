"""Every experiment can be swept over any field of one run."""

import dataclasses

import pytest

import chipsweep
from chipsweep.identity import trace
from experiments import EXPERIMENTS, catalogue
from experiments.learning import RULES
from experiments.memristor import endurance, threshold
from experiments.thermodynamic import spu_connectivity, wirings


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_one_run_depends_on(name):
    module = catalogue.find(name)
    base = module.defaults(module.Config())
    described = " ".join(kind.__doc__ or "" for kind in type(base).__mro__)
    assert all(f"{f.name}:" in described for f in dataclasses.fields(base))


@pytest.mark.parametrize(
    ("module", "axes"),
    [
        (threshold, {"rule": RULES}),
        (spu_connectivity, {"wiring": wirings.WIRINGS, "reach": [1.0]}),
    ],
)
def test_what_is_compiled_value_by_value_has_the_same_outputs(module, axes):
    base = module.defaults(module.PRESETS["smoke"])
    spec = chipsweep.specify(module.simulate, axes, base=base)
    traced = [trace(spec, group) for group in spec.groups]
    assert all(one.outputs == traced[0].outputs for one in traced)
    assert len({one.program for one in traced}) == len(traced)


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
    module = catalogue.find(name)
    base = module.defaults(module.Config())
    with pytest.raises(ValueError, match=next(iter(bad))):
        chipsweep.specify(module.simulate, bad, base=base)
