"""Sweeps of any pure function of (point, chip, key) over thousands of chips."""

from chipsweep.axes import Range, Structural, Traced
from chipsweep.dataset import failures, opened
from chipsweep.designs import Grid, Latin, Listed, Random, Sobol, Zip
from chipsweep.engine import identity, run, sweep
from chipsweep.outputs import REASONS
from chipsweep.plan import Plan, plan
from chipsweep.preparing import Resources
from chipsweep.progress import Event, Progress
from chipsweep.reductions import Best, Fraction, Histogram, Moments, Quantiles
from chipsweep.replay import replay
from chipsweep.replicate import Keys, keys_of
from chipsweep.search import search
from chipsweep.spec import Spec, specify
from chipsweep.store import StoreError

__all__ = [
    "REASONS",
    "Best",
    "Event",
    "Fraction",
    "Grid",
    "Histogram",
    "Keys",
    "Latin",
    "Listed",
    "Moments",
    "Plan",
    "Progress",
    "Quantiles",
    "Random",
    "Range",
    "Resources",
    "Sobol",
    "Spec",
    "StoreError",
    "Structural",
    "Traced",
    "Zip",
    "failures",
    "identity",
    "keys_of",
    "opened",
    "plan",
    "replay",
    "run",
    "search",
    "specify",
    "sweep",
]
