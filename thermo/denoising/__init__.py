"""Denoising by chains of Boltzmann machines: spins, block Gibbs, exact small laws.

The discrete thermodynamic model: noise flips the spins of an image bit by bit, and a
machine for every step, sampled by Gibbs updates of whole colours at a time, runs the
flips backwards. What hardware would do cell by cell is simulated here; with few spins
everything is also known exactly, by enumeration.

Energies are in units of k_B T; spins are -1 and 1. `thrml`, the library of the group
that proposed this, is no dependency: `from_thrml` and `to_thrml` map its parameters.
"""

from thermo.denoising.chain import Chain as Chain
from thermo.denoising.chain import generate as generate
from thermo.denoising.chain import noised as noised
from thermo.denoising.chain import untrained as untrained
from thermo.denoising.enumerated import exact_slopes as exact_slopes
from thermo.denoising.enumerated import generated_law as generated_law
from thermo.denoising.enumerated import kernel as kernel
from thermo.denoising.enumerated import losses as losses
from thermo.denoising.enumerated import probabilities as probabilities
from thermo.denoising.enumerated import states as states
from thermo.denoising.gibbs import gibbs as gibbs
from thermo.denoising.graph import Graph as Graph
from thermo.denoising.graph import grid as grid
from thermo.denoising.graph import two_colours as two_colours
from thermo.denoising.jumps import jump_energy as jump_energy
from thermo.denoising.jumps import keep_probability as keep_probability
from thermo.denoising.machine import BoltzmannMachine as BoltzmannMachine
from thermo.denoising.machine import Thrml as Thrml
from thermo.denoising.machine import from_thrml as from_thrml
from thermo.denoising.machine import to_thrml as to_thrml
from thermo.denoising.penalty import correlation_slope as correlation_slope
from thermo.denoising.price import Prices as Prices
from thermo.denoising.price import sample_energy as sample_energy
from thermo.denoising.slopes import Slope as Slope
from thermo.denoising.slopes import slope as slope

__all__ = [
    "BoltzmannMachine",
    "Chain",
    "Graph",
    "Prices",
    "Slope",
    "Thrml",
    "correlation_slope",
    "exact_slopes",
    "from_thrml",
    "generate",
    "generated_law",
    "gibbs",
    "grid",
    "jump_energy",
    "keep_probability",
    "kernel",
    "losses",
    "noised",
    "probabilities",
    "sample_energy",
    "slope",
    "states",
    "to_thrml",
    "two_colours",
    "untrained",
]
