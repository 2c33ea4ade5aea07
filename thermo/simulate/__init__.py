r"""The one door to diffrax: boards that are not linear, and solvers to be judged.

A linear board is stepped exactly, and faster, by `thermo.propagate`. Everything else
goes through here: cells with a cubic or saturating element, any equation of your own
that is a `System`, and any solver whose bias is the question. Every step ends on a
multiple of the sampling interval, so nothing is interpolated between steps.
"""

from thermo.simulate.choices import default_solver as default_solver
from thermo.simulate.choices import substeps as substeps
from thermo.simulate.record import Run as Run
from thermo.simulate.record import simulate as simulate
from thermo.simulate.record import simulate_differentiable as simulate_differentiable
from thermo.simulate.statistics import Observed as Observed
from thermo.simulate.statistics import observe as observe
from thermo.simulate.system import System as System

__all__ = [
    "Observed",
    "Run",
    "System",
    "default_solver",
    "observe",
    "simulate",
    "simulate_differentiable",
    "substeps",
]
