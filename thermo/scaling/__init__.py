"""When a board pays: time and energy of sampling and inverting, beside a computer.

Closed forms in d, the number of dimensions, with every constant a field that says where
it is from. Units here are SI: s, J, W, bit/s, flop/s. All is differentiable and maps.
"""

from thermo.scaling.board import Board as Board
from thermo.scaling.compare import break_even_power as break_even_power
from thermo.scaling.compare import crossover as crossover
from thermo.scaling.compare import inversion_speedup as inversion_speedup
from thermo.scaling.compare import speedup as speedup
from thermo.scaling.compare import standby_budget as standby_budget
from thermo.scaling.machine import Machine as Machine
from thermo.scaling.ready import Price as Price
from thermo.scaling.sources import SOURCES as SOURCES
from thermo.scaling.tasks import inversion as inversion
from thermo.scaling.tasks import samples_for as samples_for
from thermo.scaling.tasks import sampling as sampling

__all__ = [
    "SOURCES",
    "Board",
    "Machine",
    "Price",
    "break_even_power",
    "crossover",
    "inversion",
    "inversion_speedup",
    "samples_for",
    "sampling",
    "speedup",
    "standby_budget",
]
