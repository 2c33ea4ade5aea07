"""Boards as stochastic differential equations, and how to program them."""

from thermo.circuits.board import AbstractBoard as AbstractBoard
from thermo.circuits.components import Components as Components
from thermo.circuits.components import check_representable as check_representable
from thermo.circuits.components import passive_components as passive_components
from thermo.circuits.converters import Converter as Converter
from thermo.circuits.doubling import double as double
from thermo.circuits.doubling import undouble as undouble
from thermo.circuits.doubling import undouble_covariance as undouble_covariance
from thermo.circuits.imperfections import Tolerances as Tolerances
from thermo.circuits.imperfections import bank_levels as bank_levels
from thermo.circuits.imperfections import draw_board as draw_board
from thermo.circuits.imperfections import draw_boards as draw_boards
from thermo.circuits.imperfections import quantise as quantise
from thermo.circuits.imperfections import uniform_levels as uniform_levels
from thermo.circuits.linear import LinearForm as LinearForm
from thermo.circuits.op_amp import OpAmpBoard as OpAmpBoard
from thermo.circuits.programming import Programmed as Programmed
from thermo.circuits.programming import program_covariance as program_covariance
from thermo.circuits.programming import program_matrix as program_matrix
from thermo.circuits.programming import program_precision as program_precision
from thermo.circuits.published import two_node_board as two_node_board
from thermo.circuits.rc import RCBoard as RCBoard
from thermo.circuits.rlc import RLCBoard as RLCBoard
from thermo.circuits.units import BOLTZMANN as BOLTZMANN
from thermo.circuits.units import johnson_noise as johnson_noise
