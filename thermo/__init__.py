"""Computing by relaxation: boards of noisy circuits that settle on the answer.

Boards are in `thermo.circuits`, their closed forms in `thermo.exact`, networks that
learn to make images out of noise in `thermo.generative`, what boards take beside a
computer in `thermo.scaling`. Units are kΩ, nF, mH, µs, V and mA, a consistent set;
energies are nJ (SI in `thermo.scaling`).
"""

from prng.version import __version__ as __version__
from thermo import denoising as denoising
from thermo import exact as exact
from thermo import generative as generative
from thermo import linalg as linalg
from thermo import scaling as scaling
from thermo.alone import refuse_the_other as _refuse_the_other
from thermo.circuits import Converter as Converter
from thermo.circuits import LinearForm as LinearForm
from thermo.circuits import OpAmpBoard as OpAmpBoard
from thermo.circuits import RCBoard as RCBoard
from thermo.circuits import RLCBoard as RLCBoard
from thermo.circuits import Tolerances as Tolerances
from thermo.circuits import double as double
from thermo.circuits import draw_board as draw_board
from thermo.circuits import draw_boards as draw_boards
from thermo.circuits import johnson_noise as johnson_noise
from thermo.circuits import program_covariance as program_covariance
from thermo.circuits import program_matrix as program_matrix
from thermo.circuits import program_precision as program_precision
from thermo.circuits import quantise as quantise
from thermo.circuits import undouble as undouble
from thermo.netlist import to_spice as to_spice
from thermo.observers import Correlations as Correlations
from thermo.observers import Moments as Moments
from thermo.observers import Spectrum as Spectrum
from thermo.propagate import modes as modes
from thermo.propagate import moments as moments
from thermo.propagate import observe as observe
from thermo.propagate import propagator as propagator
from thermo.propagate import trajectory as trajectory
from thermo.threads import spare_threads as _spare_threads

__all__ = [
    "Converter",
    "Correlations",
    "LinearForm",
    "Moments",
    "OpAmpBoard",
    "RCBoard",
    "RLCBoard",
    "Spectrum",
    "Tolerances",
    "__version__",
    "denoising",
    "double",
    "draw_board",
    "draw_boards",
    "exact",
    "generative",
    "johnson_noise",
    "linalg",
    "modes",
    "moments",
    "observe",
    "program_covariance",
    "program_matrix",
    "program_precision",
    "propagator",
    "quantise",
    "scaling",
    "to_spice",
    "trajectory",
    "undouble",
]

_refuse_the_other()
_spare_threads()
