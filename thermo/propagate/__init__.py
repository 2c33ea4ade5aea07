r"""The exact path: a linear board stepped by its own transition law.

Between two samples a linear board is a matrix and a Gaussian, whatever the interval:

$$ z(t + dt) = m + P\,(z(t) - m) + L\,\xi, \qquad \xi \sim \mathcal N(0, I) $$

No discretisation error, no solver, about twice the cost of the normals themselves.
Everything is written for one board; `jax.vmap` over keys makes many identical boards,
over keys and propagators many different ones.
"""

from thermo.propagate.dense import Propagator as Propagator
from thermo.propagate.dense import propagator as propagator
from thermo.propagate.driven import Driven as Driven
from thermo.propagate.modal import Modes as Modes
from thermo.propagate.modal import modes as modes
from thermo.propagate.record import trajectory as trajectory
from thermo.propagate.statistics import moments as moments
from thermo.propagate.statistics import observe as observe
from thermo.propagate.stepper import Stepper as Stepper

__all__ = [
    "Driven",
    "Modes",
    "Propagator",
    "Stepper",
    "modes",
    "moments",
    "observe",
    "propagator",
    "trajectory",
]
