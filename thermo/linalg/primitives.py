r"""The primitives: one matrix on one board without units, and how long to wait.

What `thermo.linalg.invert`, `sample` and `solve` do with everything around it is here
the law of the board alone, $\mathrm dx = (b - A x)\,\mathrm dt + \text{noise}$: nothing
is scaled or transformed first, times are in the inverse unit of the matrix (us for a
matrix of rates in 1/us), and a function says which matrices it takes and what extends
it to others. These are the primitives of thermodynamic linear algebra (TLA).
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
