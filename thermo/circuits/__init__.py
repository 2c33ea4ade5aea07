"""Boards as stochastic differential equations, and how to program them."""

from thermo.circuits.board import AbstractBoard as AbstractBoard
from thermo.circuits.linear import LinearForm as LinearForm
from thermo.circuits.rc import OpAmpBoard as OpAmpBoard
from thermo.circuits.rc import RCBoard as RCBoard
from thermo.circuits.rlc import RLCBoard as RLCBoard
from thermo.circuits.units import BOLTZMANN as BOLTZMANN
from thermo.circuits.units import johnson_noise as johnson_noise
