r"""Natural gradients by waiting: a noisy analog board beside the digital training loop.

At every step the board holds the curvature and the gradient of the loss, relaxes for a
while, and what its voltages then say is the update. It is an optax transform: an
optimizer is `optax.chain(natural_gradient.relaxed(50.0, key=key), optax.scale(-lr))`,
whose `update` is given the curvature, see `gauss_newton`. A simulation: digitally it is
dearer than the solution of the same equation, which is `solved`.
"""

from thermo.natural_gradient.curvature import gauss_newton as gauss_newton
from thermo.natural_gradient.curvature import longest_step as longest_step
from thermo.natural_gradient.relaxation import Euler as Euler
from thermo.natural_gradient.relaxation import Modes as Modes
from thermo.natural_gradient.solution import SolvedState as SolvedState
from thermo.natural_gradient.solution import solved as solved
from thermo.natural_gradient.transforms import RelaxedState as RelaxedState
from thermo.natural_gradient.transforms import RunningState as RunningState
from thermo.natural_gradient.transforms import relaxed as relaxed
from thermo.natural_gradient.transforms import running as running

__all__ = [
    "Euler",
    "Modes",
    "RelaxedState",
    "RunningState",
    "SolvedState",
    "gauss_newton",
    "longest_step",
    "relaxed",
    "running",
    "solved",
]
