"""Natural gradients."""

from tests.fuzz.spoil import Subject
from tests.fuzz.thermo.values import (
    COUNT,
    DURATION,
    KEY,
    KEYS,
    NOT_NEGATIVE,
    NUMBER,
    ONES,
    THING,
    M,
)
from thermo import natural_gradient


def _updated(kind):
    """The update of a gradient under the curvature 2."""

    def call(curvature=_doubled, **arguments):
        tx = kind(**arguments)
        return tx.update(ONES, tx.init(ONES), curvature=curvature)[0]

    return call


def _doubled(v):
    return 2 * v


AGAIN = {"damping": NOT_NEGATIVE + NUMBER[1:], "curvature": (3, None, "a", M)}
WAITED = AGAIN | {"key": KEYS, "time": NOT_NEGATIVE + NUMBER,
                  "noise": NOT_NEGATIVE + NUMBER, "relaxation": THING}  # fmt: skip
GRADIENTS = [
    Subject("relaxed", _updated(natural_gradient.relaxed), {"key": KEY, "time": 1.0},
            WAITED),
    Subject("running", _updated(natural_gradient.running), {"key": KEY, "time": 1.0},
            WAITED | {"delay": NOT_NEGATIVE + NUMBER}),
    Subject("solved", _updated(natural_gradient.solved), {},
            AGAIN | {"iterations": (*COUNT, None), "tolerance": DURATION}),
    Subject("longest_step", natural_gradient.longest_step,
            {"curvature": _doubled, "params": ONES, "key": KEY},
            {"curvature": (3, None, "a", M), "key": KEYS, "iterations": (*COUNT, None),
             "damping": NOT_NEGATIVE + NUMBER}),
    Subject("Euler", lambda step: _updated(natural_gradient.relaxed)(
                key=KEY, time=1.0, relaxation=natural_gradient.Euler(step=step)),
            {"step": 0.5}, {"step": DURATION}),
]  # fmt: skip
