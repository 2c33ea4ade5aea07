"""Two published devices as points of pulse curves, from constants that are STATED.

No digitised point of a published figure is at hand. What is published, and was read,
are the constants that IBM's analog hardware kit fitted to measurements of two devices.
The files are what the kit's rule of a pulse makes of these constants, with its noise:
synthetic, and named so. `main("examples")` writes them anew.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.results.store import write_atomically

SCALE = 80.0
"""Conductance of a weight of 1, µS. ASSUMED: the kit counts in weights."""
EVERY = 25
"""Pulses from one point to the next. ASSUMED."""
CYCLES = 4
READ_NOISE = 0.1
"""Of a point, µS. ASSUMED: somebody reads it off a figure."""


class Stated(NamedTuple):
    """A device by the constants that the kit STATES, in weights.

    Attributes:
        told: whose device, and by which rule, for the head of the file.
        window: lowest and highest weight.
        pulse: scale of a step upwards and downwards.
        noise: of a pulse, in units of its own step.
        pulses: in either direction. ASSUMED.
        slopes: up and down, relative to the ends of the window (linear step).
        amplitudes: up and down (exponential step).
        decay: of both exponentials; 0 for a linear step.
        tilt: of the exponent in the weight, and its offset.
    """

    told: str
    window: tuple[float, float]
    pulse: tuple[float, float]
    noise: float
    pulses: int
    slopes: tuple[float, float] = (0.0, 0.0)
    amplitudes: tuple[float, float] = (0.0, 0.0)
    decay: float = 0.0
    tilt: tuple[float, float] = (-0.5, -0.5)

    def step(self, w: float, up: bool) -> float:
        """One pulse without noise, as the kit writes it.

        Example:
            >>> round(DEVICES["li_ecram"].step(1.1724, True) / 0.002, 4)  # 1 - 0.1153
            0.8847
        """
        way, end = (0, self.window[1]) if up else (1, self.window[0])
        if self.decay:
            z = self.tilt[0] * w + self.tilt[1]
            grown = np.exp(self.decay * z * (1 if up else -1))
            share = max(1 - self.amplitudes[way] * grown, 0.0)
        else:
            share = 1 - self.slopes[way] * w / end
        return (self.pulse[way] if up else -self.pulse[way]) * share


DEVICES = {
    "li_ecram": Stated(
        "linear-step fit to the Li-ECRAM of Tang et al., IEDM 2018",
        window=(-0.8276, 1.1724), pulse=(0.002, 0.002), noise=0.3, pulses=1200,
        slopes=(0.1153, 0.5085),
    ),
    "hfo2_rram": Stated(
        "exponential-step fit to the HfO2 RRAM of Gong et al., Nat. Commun. 2018",
        window=(-1.0, 1.0), pulse=(0.00135, 0.00135 * (1 - 0.259359)), noise=5.0,
        pulses=1200, amplitudes=(-1.18445, -0.081404), decay=5.0,
    ),
}  # fmt: skip
"""How 0.259359 divides the steps of the second is our reading of its name (INFERRED);
its noise of reading, of 75 steps, is left out."""


def points(stated: Stated, seed: int) -> list[tuple[int, int, str, float]]:
    """Cycle, pulse, direction and conductance (µS) of every point."""
    rng = np.random.default_rng(seed)
    w, found = stated.window[0], []
    for cycle in range(1, CYCLES + 1):
        for n in range(2 * stated.pulses + 1):
            up = n <= stated.pulses
            if n:
                moved = stated.step(w, up) * (1 + stated.noise * rng.normal())
                w = float(np.clip(w + moved, *stated.window))
            if n % EVERY == 0:
                read = SCALE * w + READ_NOISE * rng.normal()
                found.append((cycle, n, "up" if up else "down", read))
    return found


def table(name: str, seed: int) -> str:
    """A file: what it is, then a line for every point."""
    stated = DEVICES[name]
    head = (
        f"# synthetic: no measured point. Computed from constants STATED in IBM's "
        f"analog hardware kit:\n# its {stated.told},\n# with its noise from pulse to "
        f"pulse. ASSUMED: {SCALE:g} µS for a weight of 1, a point every {EVERY} "
        f"pulses, {READ_NOISE:g} µS of noise per point\n"
    )
    rows = [f"{c},{n},{way},{g:.2f}" for c, n, way, g in points(stated, seed)]
    return head + "\n".join(["cycle,pulse,direction,g (µS)", *rows]) + "\n"


def main(folder: str) -> None:
    """Write both files."""
    for seed, name in enumerate(DEVICES):
        path = Path(folder) / f"synthetic_{name}_as_stated.csv"
        write_atomically(path, table(name, seed).encode())
