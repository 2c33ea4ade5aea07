r"""The primitives: one matrix on one board without units, and how long to wait.

What `thermo.linalg.invert`, `sample` and `solve` do with everything around it is here
the law of the board alone, $\mathrm dx = (b - A x)\,\mathrm dt + \text{noise}$: nothing
is scaled or transformed first, times are in the inverse unit of the matrix (µs for a
matrix of rates in 1/µs), and a function says which matrices it takes and what extends
it to others. These are the primitives of thermodynamic linear algebra (TLA).
"""

from thermo.linalg.bennett import logdet_bennett as logdet_bennett
from thermo.linalg.chip import Chip as Chip
from thermo.linalg.chip import draw_chip as draw_chip
from thermo.linalg.covariances import inv as inv
from thermo.linalg.covariances import lyapunov as lyapunov
from thermo.linalg.determinant import logdet as logdet
from thermo.linalg.equations import langevin_board as langevin_board
from thermo.linalg.equations import solve as solve
from thermo.linalg.estimate import Estimate as Estimate
from thermo.linalg.estimate import burn_in as burn_in
from thermo.linalg.exponential import expm as expm
from thermo.linalg.readings import Reading as Reading
from thermo.linalg.readings import by_law as by_law
from thermo.linalg.readings import by_moments as by_moments
from thermo.linalg.readings import by_trajectory as by_trajectory
from thermo.linalg.warm import Drive as Drive
from thermo.linalg.warm import covariance_burn_in as covariance_burn_in
from thermo.linalg.warm import drive as drive
from thermo.linalg.warm import slow_modes as slow_modes

__all__ = [
    "Chip",
    "Drive",
    "Estimate",
    "Reading",
    "burn_in",
    "by_law",
    "by_moments",
    "by_trajectory",
    "covariance_burn_in",
    "draw_chip",
    "drive",
    "expm",
    "inv",
    "langevin_board",
    "logdet",
    "logdet_bennett",
    "lyapunov",
    "slow_modes",
    "solve",
]
