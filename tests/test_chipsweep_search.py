"""A directed search finds the best point, and an interrupted one reads what it had."""

import pytest

from chipsweep import Range, search

pytest.importorskip("optuna")


def height(point, chip, rng):
    """A hill whose top lies at 0.7, high on the right side only."""
    side = {"left": -1.0, "right": 1.0}[point.side]
    return {"y": side - (point.x - 0.7) ** 2 + 0.01 * rng.normal()}


class Count:
    """A progress that counts runs."""

    runs = 0

    def begin(self, spec, done):
        pass

    def event(self, event):
        self.runs += len(event.runs.point)


def searched(store, **how):
    count = Count()
    study = search(
        height,
        {"x": Range(low=0.0, high=1.0), "side": ["left", "right"]},
        score="y", batches=4, batch=4, outputs={"y": float}, store=store,
        progress=count, **how,
    )  # fmt: skip
    return study, count.runs


def test_a_search_finds_the_top_of_a_hill(tmp_path):
    study, runs = searched(tmp_path)
    assert runs == 16
    assert study.best_trial.params["side"] == 1  # which of the values
    assert abs(study.best_trial.params["x"] - 0.7) < 0.3


def test_points_that_do_badly_on_few_chips_are_not_tried_on_more(tmp_path):
    study, runs = searched(tmp_path, chips=(1, 8))
    states = [trial.state.name for trial in study.trials]
    assert set(states) == {"COMPLETE", "PRUNED"}
    assert runs == 16 + 8 * states.count("COMPLETE")


def test_a_search_that_was_stopped_reads_what_it_had(tmp_path):
    first, _ = searched(tmp_path)
    again, runs = searched(tmp_path)
    assert runs == 0
    assert [t.params for t in again.trials] == [t.params for t in first.trials]
