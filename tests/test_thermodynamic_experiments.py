"""Every SPU experiment runs tiny, draws, judges, and refuses nonsense."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from matplotlib.figure import Figure

import chipsweep
from experiments import EXPERIMENTS, catalogue
from experiments.claims import VERDICTS
from experiments.thermodynamic.solver_bias import off
from experiments.thermodynamic.solvers import nominal
from experiments.thermodynamic.spu_connectivity import Config as Connectivity
from experiments.thermodynamic.spu_error_budget import Imperfections
from experiments.thermodynamic.spu_error_budget import simulate as floors
from experiments.thermodynamic.spu_inductor_free import Config as InductorFree
from experiments.thermodynamic.spu_inversion import Config as Inversion
from experiments.thermodynamic.spu_scaling import Config as Scaling
from experiments.thermodynamic.spu_solvers import Config as Solvers

NAMES = [name for name in EXPERIMENTS if name.startswith("spu_")]
BRIEF = {"spu_connectivity", "spu_inductor_free", "spu_scaling"}


def specs(module):
    sweeps = module.sweeps(module.PRESETS["smoke"])
    return {label: one.spec for label, one in sweeps.items()}


def identities(those):
    return {label: chipsweep.identity(spec) for label, spec in those.items()}


@cache
def shown(name):
    """Module, what its smallest preset shows, which stores that fills, the sweeps."""
    module = catalogue.find(name)
    once = specs(module)  # each is traced when it is run, and not again
    found = {label: chipsweep.run(spec) for label, spec in once.items()}
    dataset = module.derive(module.PRESETS["smoke"], found)
    return module, dataset, identities(once), found


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name in BRIEF else pytest.mark.slow)
        for name in NAMES
    ],
)
def tiny(request):
    return shown(request.param)


def test_it_runs_draws_and_judges(tiny):
    module, dataset, *_ = tiny
    assert "ASSUMED" in dataset.attrs["data"]
    before = dataset.copy(deep=True)
    assert isinstance(module.plot(dataset), Figure)
    assert all(row.verdict in VERDICTS for row in module.claims(dataset))
    assert dataset.identical(before)


def test_no_number_is_missing(tiny):
    _, dataset, *_ = tiny
    may_be_missing = {"tolerance_low", "tolerance_high", "rc_low", "rc_high"}
    may_be_missing |= {"needed"}
    for name in set(dataset.data_vars) - may_be_missing:
        assert not np.isnan(np.asarray(dataset[name], float)).any(), name


def test_a_store_that_was_filled_is_found_again(tiny):
    module, _, stores, _ = tiny
    assert identities(specs(module)) == stores


def of_sampling(dataset, found):
    at = dataset.sel(board=2)
    return "boards", {}, at[["covariance", "floor", "correlation"]]


def of_inversion(dataset, found):
    at = dataset.sel(size=2, board=2)
    at = at[["error", "expected", "floor", "fitted_floor"]]
    return "boards", {}, at


def of_error_budget(dataset, found):
    floor = dataset.budget_error.sel(imperfection="all together", board=1)
    return "floors", {}, {"floor": floor[0], "fitted_floor": floor[1]}


def of_inductor_free(dataset, found):
    at = dataset.sel(circuit="resistive", board=1)
    return "boards", {}, at[["error", "expected"]]


def of_connectivity(dataset, found):
    at = dataset.sel(wiring="all-to-all", draw=1)
    return "regular", {}, at[["error", "divergence"]]


def of_scaling(dataset, found):
    at = found["points"].isel(seed=0, chip=0, point=-1)
    return "points", {}, at[["board_time", "digital_energy", "inverse"]]


def of_solvers(dataset, found):
    at = found["runs"].sel(solver="ShOULD").isel(chip=1, seed=0)
    return "runs", {"solver": ["ShOULD"]}, at[["covariance", "error"]]


def test_a_board_is_that_of_the_figure_whoever_its_neighbours_are(tiny):
    module, dataset, _, found = tiny
    smoke, name = module.PRESETS["smoke"], module.__name__.rpartition("spu_")[2]
    label, axes, expected = globals()[f"of_{name}"](dataset, found)
    one = module.sweeps(smoke)[label]
    how = {"base": module.defaults(smoke), "design": one.design, "dims": one.dims}
    chips = [1, *range(7, 6 + one.chips)]  # as many: it is the same program
    axes = {**one.axes, **axes}
    again = chipsweep.sweep(one.simulate, axes, chips=chips, key=smoke.seed, **how)
    last = {dim: -1 for dim in again.dims if dim in axes or dim == "point"}
    alike = again.isel(seed=0, chip=0, **last)
    for output, values in expected.items():
        np.testing.assert_allclose(
            np.squeeze(alike[output]), values, 2e-4, 1e-6, err_msg=output
        )


@pytest.mark.slow
def test_the_simulated_bias_is_that_of_the_mean_covariance_of_the_chips():
    module, dataset, _, found = shown("spu_solvers")
    base = module.defaults(module.PRESETS["smoke"])
    target = np.asarray(nominal(base.batch, base.quality).target)
    for name in dataset.solver.to_numpy():
        pooled = found["runs"].covariance.sel(solver=name).mean("chip").isel(seed=0)
        bias = off(pooled.to_numpy(), np.eye(len(target)), target)
        np.testing.assert_allclose(dataset.simulated_bias.sel(solver=name), bias, 2e-4)


def test_the_floor_falls_with_the_tolerance_and_every_board_is_its_own():
    kinds = {"capacitance": [0.01, 0.1]}
    found = chipsweep.sweep(floors, kinds, base=Imperfections(), chips=[3, 7]).floor
    assert (found.sel(capacitance=0.1) > 3 * found.sel(capacitance=0.01)).all()
    assert (found.sel(chip=3) != found.sel(chip=7)).all()


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("spu_inversion", {"interval": [0.0]}),
        ("spu_inversion", {"n_samples": [4]}),
        ("spu_sampling", {"tolerance": [-0.1]}),
        ("spu_error_budget", {"inductance": [-0.1]}),
        ("spu_error_budget", {"adc_bits": [0.0]}),
        ("spu_inductor_free", {"circuit": ["magnetic"]}),
        ("spu_inductor_free", {"n_samples": [4]}),
        ("spu_connectivity", {"wiring": ["odd"]}),
        ("spu_connectivity", {"degree": [16.0]}),
        ("spu_scaling", {"duty": [1.0]}),
        ("spu_scaling", {"channel_rate": [0.0]}),
        ("spu_solvers", {"solver": ["Milstein"]}),
        ("spu_solvers", {"n_samples": [9]}),
    ],
)
def test_a_point_names_the_field_it_refuses(name, bad):
    module = catalogue.find(name)
    base = module.defaults(module.Config())
    with pytest.raises(ValueError, match=next(iter(bad))):
        chipsweep.specify(module.simulate, bad, base=base)


@pytest.mark.parametrize(
    ("config", "change", "named"),
    [
        (Inversion, {"n_samples": 1000}, "n_samples"),
        (Inversion, {"n_boards": 2}, "n_boards"),
        (Inversion, {"tolerances": (0.1, 0.2)}, "tolerances"),
        (Inversion, {"rcs": (1.0, 0.5)}, "rcs"),
        (InductorFree, {"bits": 9}, "bits"),
        (InductorFree, {"circuits": ("rlc",)}, "circuits"),
        (Connectivity, {"bands": (40,)}, "bands"),
        (Connectivity, {"rows": 1, "columns": 3}, "rows"),
        (Scaling, {"digital": "no such file"}, "digital"),
        (Scaling, {"powers": (10.0, 1.0)}, "powers"),
        (Solvers, {"n_samples": 3}, "n_samples"),
    ],
)
def test_a_config_refuses_fields_that_contradict_each_other(config, change, named):
    with pytest.raises(ValueError, match=rf"Config\.{named} = "):
        dataclasses.replace(config(), **change)
