"""Sweeps: a grid over any experiment, or millions of lanes of one pure function."""

from experiments.sweep.grid import grid as grid
from experiments.sweep.grid import parse_axis as parse_axis
