"""Every SPU experiment runs tiny, draws, judges, and refuses nonsense."""

import dataclasses

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments import EXPERIMENTS, catalogue
from experiments.claims import VERDICTS
from experiments.thermodynamic import errors, imperfections, machine
from experiments.thermodynamic.spu_connectivity import Config as Connectivity
from experiments.thermodynamic.spu_inductor_free import Config as InductorFree
from experiments.thermodynamic.spu_inversion import Config as Inversion
from experiments.thermodynamic.spu_solvers import Config as Solvers
from experiments.work import Work
from tests.one_chip import assert_alone_as_among_others, compiled

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
    may_be_missing |= {"needed"}
    for name in set(dataset.data_vars) - may_be_missing:
        assert not np.isnan(np.asarray(dataset[name], float)).any(), name


def of_sampling(config, found):
    noise = jr.split(jr.split(jr.key(config.seed), 4)[2], 4)
    at = found.isel(board=[1, 3])
    return {}, [1, 3], noise[jnp.array([1, 3])], at[["covariance", "floor"]]


def of_inversion(config, found):
    noise = jr.split(jr.split(jr.fold_in(jr.key(config.seed), 2), 3)[2], 4)
    at = found.sel(size=2, n_samples=config.n_samples).isel(board=[1, 3])
    at = at.assign(error=at.single_error.isel(stretch=0))
    same = ["error", "expected", "floor", "fitted_floor"]
    return {}, [1, 3], noise[jnp.array([1, 3])], at[same]


def of_error_budget(config, found):
    key = jr.key(config.seed)
    _, targets = imperfections.nominal(key, config.n_boards, config.rc, config.quality)
    one_converter = {"full_scale": 4 * float(targets.max()) ** 0.5}
    floor, fitted = found.budget_error.sel(imperfection="all together").values.T
    expected = {"floor": floor[1:], "fitted_floor": fitted[1:]}
    return one_converter, [1, 2], jr.split(key), expected


def of_inductor_free(config, found):
    whole = 4 * config.n_samples
    at = found.sel(circuit="resistive", n_samples=whole)
    noise = jr.split(jr.split(jr.key(config.seed))[0], 2)
    return {"n_samples": whole}, [0, 1], noise, at[["error", "expected"]]


def of_connectivity(config, found):
    at = found.sel(kind="Wishart, both signs", degree=2)
    expected = {"error": at.chosen_error, "divergence": at.chosen_divergence}
    where = {"kind": "signs", "wiring": "chosen", "degree": 2.0}
    return where, [0, 1], jr.split(jr.key(config.seed)), expected


def of_solvers(config, found):
    key = jr.key(config.seed)
    _, target = machine.nominal(key, machine.N_CELLS, 3.0, 3.0)
    bias = found.simulated_bias.sel(solver="ShOULD")

    def pooled(several):
        mean = several["covariance"].mean(0)
        return {"bias": errors.relative_error(mean, target)}

    return {"solver": "ShOULD"}, [0, 1], jr.split(key), {"bias": bias}, pooled


def test_one_chip_is_that_of_the_run_alone_or_among_others(tiny):
    module, dataset, _ = tiny
    smoke, name = module.PRESETS["smoke"], module.__name__.rpartition("spu_")[2]
    swept, who, keys, expected, *see = globals()[f"of_{name}"](smoke, dataset)
    chips = compiled(module.one_chip, smoke.base(), **swept)
    last = jnp.array([1, 1])
    several, alone = chips(who, keys), chips(jnp.array(who)[last], keys[last])
    assert_alone_as_among_others(several, alone)
    differ = several["floor" if "floor" in several else "error"]
    assert differ[0] != differ[1]  # boards, not only their noise
    found = see[0](several) if see else several
    for output, values in expected.items():
        np.testing.assert_allclose(found[output], values, 2e-4, 1e-6, err_msg=output)


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
        (Solvers, {"n_samples": 3}, "n_samples"),
    ],
)
def test_a_config_refuses_fields_that_contradict_each_other(config, change, named):
    with pytest.raises(ValueError, match=rf"Config\.{named} = "):
        dataclasses.replace(config(), **change)
