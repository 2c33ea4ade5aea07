"""Boards that are identified, set anew and run again: the same boards, and better."""

import dataclasses
from types import SimpleNamespace

import jax.random as jr
import numpy as np
import pytest
from matplotlib.figure import Figure

import chipsweep
from chipsweep.replicate import keys_of
from experiments.thermodynamic import board_twin, one_board, twins

CONFIG = dataclasses.replace(board_twin.PRESETS["smoke"], n_records=(40_000,))
POINT = {**vars(board_twin.defaults(CONFIG)), "root": 3, "seed": 0}


@pytest.fixture(scope="module")
def found():
    return twins.twin(SimpleNamespace(**POINT, n_record=40_000), 1, None)


@pytest.mark.slow
def test_the_twin_is_that_of_the_board_that_was_simulated(found):
    point, keys = SimpleNamespace(**POINT), keys_of(jr.key(3), 0, 1)
    board = one_board.simulate(point, 1, keys)
    assert found["floor_before"] == pytest.approx(float(board["floor"]), rel=1e-5)


@pytest.mark.slow
def test_a_board_that_was_set_anew_errs_as_little_as_was_promised(found):
    assert found["predicted_before"] == pytest.approx(found["floor_before"], rel=0.2)
    assert found["floor"] < 4 * found["predicted"] < found["floor_before"]
    assert found["predicted_statistical"] == pytest.approx(
        found["statistical"], rel=0.1
    )


@pytest.mark.slow
def test_components_are_found_within_their_errors(found):
    off = found["found_factor"] - found["true_factor"]
    assert len(off) == twins.n_components(CONFIG.size)
    assert (np.abs(off) < 5 * found["standard_error"]).all()


@pytest.mark.slow
def test_every_output_is_declared(found):
    declared = twins.outputs(CONFIG.size, CONFIG.n_samples)
    assert set(found) == set(declared)
    for name, one in declared.items():
        shape = () if one is float else one[1]
        assert np.shape(found[name]) == shape, name


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tolerance": 0.0}, "tolerance"),
        ({"boards": ()}, "boards"),
        ({"boards": (2, 2)}, "boards"),
        ({"n_records": (4800, 2400)}, "n_records"),
        ({"n_records": (10,)}, "n_records"),
        ({"n_samples": 1000}, "n_samples"),
    ],
)
def test_a_config_refuses(change, named):
    with pytest.raises(ValueError, match=rf"Config\.{named}"):
        dataclasses.replace(board_twin.Config(), **change)


@pytest.mark.slow
def test_it_runs_and_draws():
    smoke = board_twin.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in board_twin.sweeps(smoke).items()}
    dataset = board_twin.derive(smoke, found)
    assert "ASSUMED" in dataset.attrs["data"]
    assert isinstance(board_twin.plot(dataset), Figure)
    assert (dataset.error_before.sizes["board"], *dataset.n_record.shape) == (3, 2)
