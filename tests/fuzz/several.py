"""Bad input of the rules with several arrays per weight, and of adapters."""

import jax.numpy as jnp
import jax.random as jr

import eapu_jax as ej
from tests.fuzz.spoil import KINDS, Subject

KEY = jr.key(0)
W = jnp.linspace(-0.5, 0.5, 12, dtype=jnp.float32).reshape(4, 3)
PLAIN, UPWARDS = ej.Crossbar(), ej.DifferentialPair(policy="up")
ONE_SIDED = ej.Crossbar(device=ej.PhaseChange(), encoding=UPWARDS)
NO_ANSWER = (lambda path, shape: None, lambda path, shape: "somewhere")
ALWAYS = {
    "key": "key", "rate": "positive", "every": "count", "step_time": "not negative",
    "place": ("array", 3, object(), *NO_ANSWER),
    "fast": (3, "array", object(), PLAIN.device, ONE_SIDED), "slow": "object",
}  # fmt: skip
OR_NONE = tuple(v for v in KINDS["positive"]() if v is not None)
COUNT_OR_NONE = tuple(v for v in KINDS["count"]() if v is not None)
BUFFER = {"threshold": "positive", "momentum": "proportion", "most": "count"}
BUFFER |= {"step": OR_NONE}
GAMMA, CHOPPED = {"gamma": "not negative"}, {"flip": "proportion"}

RULES = {
    "tiki_taka": GAMMA,
    "tiki_taka_v2": BUFFER,
    "chopped_tiki_taka": BUFFER | GAMMA | CHOPPED,
    "agad": BUFFER | {"reads": "plural", "gate": "not negative"},
    "residual_learning": {"gamma": "positive"},
    "residual_learning_v2": BUFFER | CHOPPED | {"gamma": "positive"},
    "low_rank_tiki_taka": {"gamma": "positive", "rank": "count", "rate": OR_NONE},
    "track_symmetric_point": GAMMA | CHOPPED | {"smoothing": "proportion"},
}


def _called(name):
    """One update of the transform: here it must refuse at the latest."""

    def call(**given):
        tx = getattr(ej, name)(**given)
        return tx.update(W * 0.01, tx.init(W), W)

    return call


def _good(kinds):
    good = {"fast": PLAIN, "slow": PLAIN, "key": KEY}
    good |= {"threshold": 0.1} if "threshold" in kinds else {}
    return good | ({"rank": 2} if "rank" in kinds else {})


SUBJECTS = [
    *[Subject(name, _called(name), _good(kinds), ALWAYS | kinds)
      for name, kinds in RULES.items()],
    Subject(
        "multi_tile", _called("multi_tile"), {"crossbars": [PLAIN] * 3, "key": KEY},
        {"crossbars": (3, "array", object(), [], [3], [PLAIN, ONE_SIDED]),
         "key": "key", "gamma": "positive", "rate": "positive", "every": "count",
         "step_time": "not negative", "place": ALWAYS["place"],
         "warm_start": COUNT_OR_NONE},
    ),
    Subject("adapt", ej.adapt, {"key": KEY, "params": W, "rank": 2},
            {"key": "key", "rank": "count", "place": ALWAYS["place"]}),
    Subject("merged", ej.merged, {"params": ej.adapt(KEY, W, 2)}, {"scale": "real"}),
]  # fmt: skip
