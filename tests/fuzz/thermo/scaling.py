"""When a board pays."""

from tests.fuzz.spoil import Subject
from tests.fuzz.thermo.values import (
    BOARD,
    NUMBER,
    OR_INFINITE,
    OR_NONE,
    POSITIVE,
    THING,
)
from thermo import scaling

TASK = {"board": scaling.Board(), "machine": scaling.Machine(), "d": 10.0}
ON_TASK = {"board": (*THING, scaling.Machine()), "machine": (*THING, scaling.Board()),
           "d": POSITIVE}  # fmt: skip
SAMPLES_OF = {"n_samples": POSITIVE}
CONSTANT = POSITIVE + NUMBER
SCALING = [
    Subject("Board", lambda **a: scaling.sampling(scaling.Board(**a), 10.0, 10.0), {},
            {**dict.fromkeys(("bits", "channel_rate", "interval", "power"), CONSTANT),
             **dict.fromkeys(("settling", "cell_power", "conversion_energy",
                              "accumulation_energy"), OR_NONE),
             "accumulation_rate": OR_INFINITE}),
    Subject("Machine", lambda **a: scaling.sampling(scaling.Machine(**a), 10.0, 10.0),
            {},
            {**dict.fromkeys(("factor_rate", "product_rate", "power"), CONSTANT),
             **dict.fromkeys(("overhead", "idle"), OR_NONE),
             "normal_rate": OR_INFINITE}),
    *[Subject(f.__name__, f, {"of": scaling.Board(), "d": 10.0, name: 0.5},
              {"of": (*THING, BOARD), "d": POSITIVE, name: POSITIVE})
      for f, name in ((scaling.sampling, "n_samples"), (scaling.inversion, "error"))],
    Subject("samples_for", scaling.samples_for, {"d": 10.0, "error": 0.5},
            {"d": POSITIVE, "error": POSITIVE}),
    *[Subject(f.__name__, f, TASK | {"n_samples": 10.0}, ON_TASK | SAMPLES_OF)
      for f in (scaling.speedup, scaling.break_even_power)],
    Subject("inversion_speedup", scaling.inversion_speedup, TASK | {"error": 0.5},
            ON_TASK | {"error": POSITIVE}),
    Subject("crossover", scaling.crossover,
            {k: TASK[k] for k in ("board", "machine")} | {"n_samples": 10.0},
            {k: ON_TASK[k] for k in ("board", "machine")}
            | {"n_samples": POSITIVE + NUMBER}),
    Subject("standby_budget", scaling.standby_budget,
            TASK | {"n_samples": 10.0, "rate": 1.0},
            ON_TASK | SAMPLES_OF | {"rate": POSITIVE}),
]  # fmt: skip
