r"""Linear algebra by waiting: what a thermodynamic board gives, and when.

`sample`, `invert` and `solve` program a board with a matrix, run it and read it out, in
the units of the question. Below them, in `thermo.linalg.primitives`, is what a board
without units gives, and when: solutions, inverses, Lyapunov equations, determinants,
exponentials. The boards have resistors of 1 kΩ and capacitors of at most 1 nF, so
that RC is 1 µs (STATED for the natural-gradient machine of the same makers), and are
read 12 million times a second unless told otherwise (STATED-2nd of the SPU).

Every answer comes with the standard error that theory predicts and the time that the
board would take. All of it is a simulation, and never a shortcut to the digital
routine: it is there to see what such a machine would be worth.
"""

from thermo.linalg import primitives as primitives
from thermo.linalg.answer import Answer as Answer
from thermo.linalg.fluctuations import invert as invert
from thermo.linalg.fluctuations import sample as sample
from thermo.linalg.mean_voltages import solve as solve
from thermo.linalg.preparation import Preparation as Preparation
from thermo.linalg.preparation import prepare_inversion as prepare_inversion
from thermo.linalg.preparation import prepare_solution as prepare_solution

__all__ = [
    "Answer",
    "Preparation",
    "invert",
    "prepare_inversion",
    "prepare_solution",
    "primitives",
    "sample",
    "solve",
]
