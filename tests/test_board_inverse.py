"""A matrix on simulated boards: what is expected of them is what they do."""

import functools

import numpy as np
import pytest

from experiments.commands import cli
from experiments.thermodynamic.board_inverse import Setup, inverted
from tests.shown_commands import ROOT

RING = np.array([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]])


@functools.cache
def found_of(tolerance, bits, time, boards):
    setup = Setup(tolerance=tolerance, bits=bits, time=time, boards=boards, reads=2000)
    return inverted(RING, setup)


@pytest.mark.slow
def test_an_ideal_board_has_no_floor_and_errs_by_chance():
    one = found_of(0.0, 20, 2000.0, 2)
    assert one.preparation.circuit == "rlc"
    assert one.floor < 1e-4
    assert one.unsettled == 0
    # one error is a root of a chi-square of a few degrees: a few times, not by much
    assert np.all(one.errors < 4 * one.statistical)
    assert np.all(one.errors > one.statistical / 10)


@pytest.mark.slow
def test_the_floor_grows_in_proportion_to_the_tolerance():
    """In first order."""
    small, large = (found_of(t, 20, 2000.0, 1).floor for t in (0.005, 0.01))
    assert large / small == pytest.approx(2, abs=0.1)


@pytest.mark.slow
def test_few_bits_have_the_floor_of_the_nearest_matrix():
    """On 2 bits couplers of 1 between cells of 2 stay: the grid has thirds of 1."""
    exact = found_of(0.0, 2, 2000.0, 1)
    ground = np.array([1.0, 0.0, 1.0])  # what is left of 2 beside couplers
    assert np.all(np.round(ground * 3) == ground * 3)
    assert exact.coarse < 1e-4


@pytest.mark.slow
def test_an_op_amp_board_of_few_bits_may_have_no_coupler_between_cells():
    """0 is one of its levels, whatever the bits."""
    setup = Setup(circuit="op-amp", boards=1, reads=2000, bits=8, tolerance=0.0)
    assert np.all(np.isfinite(inverted(RING, setup).found))


def test_a_passive_board_is_refused_what_it_cannot_hold():
    full = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, 0.9], [0.9, 0.9, 1.0]])
    with pytest.raises(ValueError, match="'rlc': a passive board cannot hold"):
        inverted(full, Setup(circuit="rlc"))
    with pytest.raises(ValueError, match=r"Setup\.bits = 1: must be from 2"):
        Setup(bits=1)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.mtx")), ids=str)
def test_every_example_errs_about_as_expected(path, tmp_path, capsys):
    assert cli.main(["invert", str(path), "--results", str(tmp_path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    expected = float(said.split("expected: ")[1].split("%")[0])
    words = said.split("found: ")[1].split(" figure")[0].split(", ")
    errors = [float(w.strip("%")) for w in words if w.endswith("%")]
    assert errors
    assert expected / 4 < np.median(errors) < 4 * expected
    assert {p.suffix for p in tmp_path.iterdir()} == {".pdf", ".png"}
