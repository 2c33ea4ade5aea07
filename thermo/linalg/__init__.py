r"""Linear algebra by waiting: what a thermodynamic board gives, and when.

Each function programs an ideal board, lets it relax, and reads the answer off its
average or its covariance, with the standard error that theory predicts and the time
that the board would take. All of it is a simulation, and never a shortcut to the
digital routine: it is there to see what such a machine would be worth.
"""

from thermo.linalg.covariances import inv as inv
from thermo.linalg.covariances import lyapunov as lyapunov
from thermo.linalg.determinant import logdet as logdet
from thermo.linalg.equations import langevin_board as langevin_board
from thermo.linalg.equations import solve as solve
from thermo.linalg.estimate import Estimate as Estimate
from thermo.linalg.estimate import burn_in as burn_in

__all__ = [
    "Estimate",
    "burn_in",
    "inv",
    "langevin_board",
    "logdet",
    "lyapunov",
    "solve",
]
