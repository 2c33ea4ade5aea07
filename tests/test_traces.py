"""Measurements are held against each other before anything is fitted to them."""

from typing import Any

import numpy as np
import pytest

from eapu_jax import fitting

Endurance: Any = fitting.Endurance  # what they take is tried here
PulseTrains: Any = fitting.PulseTrains
Reads: Any = fitting.Reads
Retention: Any = fitting.Retention
Traces: Any = fitting.Traces
Writes: Any = fitting.Writes

G = np.linspace(1, 2, 24).reshape(2, 3, 4)
UP = np.ones((2, 3, 3), bool)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PulseTrains(g=G, up=UP[:, :, :2]), r"PulseTrains.up .*\(2, 3, 3\)"),
        (lambda: PulseTrains(g=G, up=UP.astype(float)), "up must be true and false"),
        (lambda: PulseTrains(g=G * 1j, up=UP), "g must be real numbers, got complex"),
        (lambda: PulseTrains(g=G[0], up=UP[0]), "PulseTrains.g must have the axes"),
        (lambda: PulseTrains(g=G * np.nan, up=UP), "finite, got none"),
        (lambda: PulseTrains(g=np.where(G > 1.9, np.inf, G), up=UP), "got inf"),
        (lambda: PulseTrains(g=["a"], up=UP), "g must be real numbers"),
        (lambda: Writes(target=G[0], landed=G[0, :2]), "landed must have the shape"),
        (lambda: Reads(g=G[0, :, :1]), "the last of at least 2"),
        (lambda: Retention(time=[0, 2, 1], g=G[0, :, :3]), "time must ascend"),
        (lambda: Retention(time=[-1, 2, 3], g=G[0, :, :3]), "from 0 or later"),
        (lambda: Retention(time=[1, 2, 3], g=G[0]), r"\(3, 3\), as time"),
        (lambda: Endurance(cycle=[1, 1], low=G[0, :, :2], high=G[0, :, :2]), "ascend"),
        (lambda: Traces(), "must have one of pulses, writes"),
        (lambda: Traces(reads=G), "Traces.reads must be Reads"),
    ],
)
def test_what_cannot_be_measured_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_gaps_are_welcome_and_whole_numbers_become_real():
    gaps = np.where(G > 1.5, np.nan, G)
    assert np.isnan(PulseTrains(g=gaps, up=UP).g).sum() == (G > 1.5).sum()
    held = Retention(time=[1, 10], g=[[3, 2]])
    assert held.g.dtype == held.time.dtype == float
    assert Traces(retention=held).measured == ("retention",)
