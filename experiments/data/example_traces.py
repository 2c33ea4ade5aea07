"""Example files, synthetic and named so: what a laboratory would have measured.

`main("examples")` writes them anew.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import eapu_jax as ej
from eapu_jax.fitting import PulseTrains
from experiments.results.store import write_atomically

NOMINAL = ej.SoftBounds(
    g_min=5.0, g_max=65.0, pulse=0.6, down_ratio=0.8, write_noise=0.5, read_noise=0.2
)
SPREAD = ej.Spread(cell_to_cell={"pulse": 0.15, "g_max": 0.05, "g_min": 0.05})
"""What the devices of the examples are; each is a cell of one chip."""


def measured(
    key: jax.Array, devices: int, cycles: int, pulses: int, nominal=NOMINAL
) -> PulseTrains:
    """Trains of so many pulses up and as many down, read after each.

    Args:
        key: typed key.
        devices: cells, drawn by `SPREAD`.
        cycles: of each.
        pulses: of either sign in a cycle.
        nominal: the device they stray from.
    """
    key_chip, key_start, key_write, key_read = jr.split(key, 4)
    params = {"cells": jnp.zeros((devices, 1))}
    chip = ej.sample_chip(key_chip, 0, ej.Crossbar(device=nominal), params, SPREAD)
    device = chip["cells"].device
    up = jnp.tile(jnp.arange(2 * pulses) < pulses, cycles)
    low = jnp.broadcast_to(device.g_min, (devices, 1))

    def read(key, cells):
        return device.read(key, cells)[:, 0]

    def step(cells, of):
        key, way = of
        key_write, key_read = jr.split(key)
        dg = jnp.where(way, device.known(True), -device.known(False))
        cells, _ = device.write(key_write, cells, jnp.broadcast_to(dg, low.shape))
        return cells, read(key_read, cells)

    cells = device.init(key_start, low)
    keys = jr.split(key_write, up.size)
    _, after = jax.lax.scan(step, cells, (keys, up))
    rows = np.asarray(after, float).T.reshape(devices, cycles, 2 * pulses)
    before = np.asarray(read(key_read, cells), float)[:, None]
    first = np.concatenate([before, rows[:, :-1, -1]], 1)[..., None]
    ways = np.broadcast_to(np.asarray(up[: 2 * pulses]), rows.shape)
    return PulseTrains(g=np.concatenate([first, rows], -1), up=ways)


def long(trains: PulseTrains) -> str:
    """A line for every pulse."""
    lines = ["device,cycle,pulse,direction,g (µS)"]
    for d, c in np.ndindex(trains.g.shape[:2]):
        ways = ["up", *("up" if up else "down" for up in trains.up[d, c])]
        for p, (way, g) in enumerate(zip(ways, trains.g[d, c], strict=True)):
            lines.append(f"D{d + 1},{c + 1},{p},{way},{g:.3f}")
    return "\n".join(lines) + "\n"


def wide(trains: PulseTrains) -> str:
    """A column for every cycle, as a spreadsheet with decimal commas saves it."""
    pairs = list(np.ndindex(trains.g.shape[:2]))
    names = (f"device {d + 1} cycle {c + 1} [µS]" for d, c in pairs)
    lines = [";".join(["pulse", *names])]
    for p in range(trains.g.shape[-1]):
        fields = (f"{trains.g[d, c, p]:.3f}".replace(".", ",") for d, c in pairs)
        lines.append(";".join([str(p), *fields]))
    return "\n".join(lines) + "\n"


def main(folder: str) -> None:
    """Write all examples."""
    told = (
        "# synthetic: {n} cells of a soft-bounds device of this project, window 5 to "
        "65 µS, pulse 0.6 µS up and 0.48 µS down,\n# 0.5 µS of noise per pulse, 0.2 µS "
        "per reading, spread of 15 % (pulse) and 5 % (window)\n"
    )
    examples = {
        "synthetic_pulses_long.csv": long(measured(jr.key(1), 6, 3, 60)),
        "synthetic_pulses_wide.csv": wide(measured(jr.key(2), 4, 2, 60)),
    }
    for (name, content), n in zip(examples.items(), (6, 4), strict=True):
        write_atomically(Path(folder) / name, (told.format(n=n) + content).encode())
