"""Bad input of `eapu_jax.cost`: every public constructor and function."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import jax.random as jr

import eapu_jax as ej
from eapu_jax import cost
from eapu_jax.cost.hwcomponents import costs
from tests.fuzz.spoil import KINDS, NAN, Subject, fault, spoilt

ONE = cost.Constant(value=1.0, low=1.0, high=1.0, source="made up", label="ASSUMED")
W = jnp.zeros((4, 3))
STATE = ej.program(ej.Crossbar(), key=jr.key(0)).init(W)
WORK, ON, AT = cost.Work(pulses=9), cost.machine(), cost.timing()
NO_CONSTANT = (3, 1e-12, "mac", object(), {}, (1.0, 1.0, 1.0), NAN)
NO_WORK = (3, None, "work", object(), {}, (1, 2, 3))
COUNTS = {name: "not negative" for name in ("pulses", "reads", "macs", "dac", "adc")}
COUNTS |= {name: "not negative" for name in ("random_bits", "digital_bits", "words")}
PARTS = tuple(v for v in KINDS["not negative"]() if v is not None)
COUNTS |= {"down": (*PARTS, 10), "writes": (*PARTS, 10), "vectors": PARTS}
ENERGIES = ("pulse", "pulses_per_write", "read", "mac", "memory", "random")
BUNDLED = (AT.pulse, AT.read, AT.integrate, AT.convert)
TIMES = dict(zip(("pulse", "read", "integrate", "convert"), BUNDLED, strict=True))
PARALLEL = ("cells_at_once", "layers_at_once", "input_bits", "output_bits")
LIFE = {"writes": jnp.arange(3), "steps": 2, "pulses_per_write": ONE, "endurance": ONE}
SHAPES = (3, None, "a", {"w": 3}, {"w": ()}, {"w": (-1, 3)}, {"w": ("a", 3)})


def _work(**counts: Any) -> Any:
    return cost.energy(cost.Work(**counts), ON)


class Part:
    """A component as those of `hwcomponents` are."""

    size = 3

    def __init__(self, energy: Any = 1e-12, latency: Any = 1e-9):
        self.energy, self.latency = energy, latency

    def convert(self) -> "Part":
        """Energy and latency of it."""
        return self


PART = Part()


def _asked(name: str) -> Any:
    return lambda **said: costs(Part(**said), "convert")


SUBJECTS = [
    Subject("Constant", cost.Constant, vars(ONE),
            {"value": "not negative", "low": "not negative", "high": "not negative",
             "source": (3, None, "", " ", object()), "label": "choice"}),
    Subject("Machine", cost.Machine, {name: ONE for name in ENERGIES},
            {**dict.fromkeys(ENERGIES, (*NO_CONSTANT, None)),
             **dict.fromkeys(("adc", "dac", "verify"), NO_CONSTANT)}),
    Subject("Timing", cost.Timing, TIMES,
            {**dict.fromkeys(TIMES, (*NO_CONSTANT, None)),
             **dict.fromkeys(PARALLEL, "count")}),
    Subject("machine", cost.machine, {}, {"pulse": ("nope", "", None, 3)}),
    Subject("digital", cost.digital, {"mac": "gpu_h100_mac"},
            {"mac": ("nope", "", None, 3, 1e-12, object())}),
    Subject("converter", cost.converter, {"bits": 8, "node": 32.0},
            {"bits": "count", "node": "positive"}),
    Subject("timing", cost.timing, {},
            {"pulse": ("nope", "", None, 3), **dict.fromkeys(PARALLEL, "count")}),
    Subject("Work", _work, {"pulses": 9}, COUNTS),
    *[Subject(f.__name__, f, {"work": WORK, "on": ON}, {"work": NO_WORK})
      for f in (cost.energy, cost.verifies, cost.record)],
    Subject("latency", cost.latency, {"work": WORK, "on": ON, "at": AT},
            {"work": NO_WORK}),
    Subject("tops_per_watt", cost.tops_per_watt, {"macs": 1, "joules": 1.0},
            {"macs": "not negative", "joules": "positive"}),
    Subject("training_ratio", cost.training_ratio,
            {"write_share": 1.0, "update_ratio": 0.1},
            {"write_share": "not negative", "update_ratio": "proportion"}),
    Subject("inference_ratio", cost.inference_ratio,
            {"array_share": 0.1, "conductance_ratio": 3.0},
            {"array_share": "proportion", "conductance_ratio": "not negative"}),
    Subject("survivors", cost.survivors, {"writes": jnp.arange(3), "endurance": 1.0},
            {"endurance": "positive", "writes": (3, None, "a", object(), W[:0])}),
    Subject("lifetime", cost.lifetime, LIFE,
            {"steps": "count", "pulses_per_write": (*NO_CONSTANT, None),
             "endurance": (*NO_CONSTANT, None), "worn": ((-0.1,), (2,), (NAN,), ("a",)),
             "writes": ((), {}, "a", None, object(), 1.5, W, -jnp.ones(2, int))}),
    Subject("hwcomponents.costs", costs, {"component": PART, "action": "convert"},
            {"component": (3, None, "adc", object(), {}), "label": "choice",
             "action": (3, None, "", "nope", "size", object())},
            also={"component": "component", "label": "Constant.label"}),
    *[Subject(f"hwcomponents.costs of {name}", _asked(name), {name: 1.0},
              {name: "not negative"}) for name in ("energy", "latency")],
    Subject("training_work", cost.training_work,
            {"state": STATE, "crossbar": ej.Crossbar(), "steps": 1, "vectors": 1},
            {"state": ((), {}, None, "a", 3, object()), "crossbar": "object",
             "steps": "number of", "vectors": "number of",
             "bits_per_weight": "not negative", "words_per_weight": "not negative",
             "random_bits_per_weight": "not negative"}),
    Subject("inference_work", cost.inference_work,
            {"crossbar": ej.Crossbar(), "shapes": {"w": (4, 3)}, "vectors": 2},
            {"crossbar": "object", "vectors": "number of", "shapes": SHAPES}),
]  # fmt: skip


def faults(seed: int, count: int) -> Iterator[str]:
    """A line for every one of `count` bad inputs that was not refused by name."""
    for subject, argument, value in spoilt(SUBJECTS, seed, count):
        wrong = fault(subject, argument, value)
        if wrong:
            yield wrong
