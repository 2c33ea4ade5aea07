"""Every SPU experiment runs tiny, draws, judges, and refuses nonsense."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments import EXPERIMENTS, catalogue
from experiments.claims import VERDICTS
from experiments.thermodynamic.spu_connectivity import Config as Connectivity
from experiments.thermodynamic.spu_error_budget import Config as ErrorBudget
from experiments.thermodynamic.spu_inductor_free import Config as InductorFree
from experiments.thermodynamic.spu_inversion import Config as Inversion
from experiments.thermodynamic.spu_sampling import Config as Sampling
from experiments.thermodynamic.spu_solvers import Config as Solvers
from experiments.work import Work

NAMES = [name for name in EXPERIMENTS if name.startswith("spu_")]


@pytest.fixture(scope="module", params=NAMES)
def tiny(request):
    """Module, and the result of its smallest preset, parts counted."""
    module = catalogue.find(request.param)
    seen = []
    dataset = module.run(module.PRESETS["smoke"], Work(report=seen.append))
    return module, dataset, seen[-1]


def test_it_runs_draws_and_judges(tiny):
    module, dataset, last = tiny
    assert last.done == last.expected
    assert "ASSUMED" in dataset.attrs["data"]
    before = dataset.copy(deep=True)
    assert isinstance(module.plot(dataset), Figure)
    assert all(row.verdict in VERDICTS for row in module.claims(dataset))
    assert dataset.identical(before)


def test_no_number_is_missing(tiny):
    _, dataset, _ = tiny
    may_be_missing = {"tolerance_low", "tolerance_high", "rc_low", "rc_high"}
    may_be_missing |= {"needed", "cost_per_sample"}
    for name in set(dataset.data_vars) - may_be_missing:
        assert not np.isnan(np.asarray(dataset[name], float)).any(), name


@pytest.mark.parametrize(
    ("config", "change", "named"),
    [
        (Inversion, {"n_samples": 1000}, "n_samples"),
        (Inversion, {"n_boards": 2}, "n_boards"),
        (Inversion, {"rc": 0.0}, "rc"),
        (Inversion, {"tolerances": (0.1, 0.2)}, "tolerances"),
        (Inversion, {"rcs": (1.0, 0.5)}, "rcs"),
        (Sampling, {"tolerance": -0.1}, "tolerance"),
        (Sampling, {"quality": float("nan")}, "quality"),
        (ErrorBudget, {"bits": (0, 1)}, "bits"),
        (InductorFree, {"bits": 9}, "bits"),
        (Connectivity, {"bands": (40,)}, "bands"),
        (Solvers, {"solvers": ("Milstein",)}, "solvers"),
        (Solvers, {"n_samples": 3}, "n_samples"),
    ],
)
def test_a_config_refuses_nonsense_by_name(config, change, named):
    with pytest.raises(ValueError, match=named):
        dataclasses.replace(config(), **change)
