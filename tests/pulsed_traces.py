"""Pulse trains as NumPy simulates them: no line of the library takes part."""

import numpy as np


def step_of(family, c, g, up):
    """One pulse without noise, from the published form of the family."""
    half, middle = (c["g_max"] - c["g_min"]) / 2, (c["g_max"] + c["g_min"]) / 2
    x = (g - middle) / half
    sign = np.where(up, 1.0, -1.0)
    scale = c["pulse"] * np.where(up, 1.0, c["down_ratio"])
    if family == "SoftBounds":
        return sign * scale * (1 - sign * x)
    if family == "LinearStep":
        slope = np.where(up, c["slope_up"], c["slope_down"])
        return sign * scale * (1 - sign * slope * x)
    if family == "ConstantStep":
        return sign * scale
    if family == "ExponentialStep":  # tilt -1/2, offset 0
        rising = c["amplitude_up"] * np.exp(-c["decay_up"] * x / 2)
        falling = c["amplitude_down"] * np.exp(c["decay_down"] * x / 2)
        return sign * scale * np.maximum(1 - np.where(up, rising, falling), 0)
    raise KeyError(family)


PARTS = {"ExponentialStep": 40}
"""Of a pulse: ours follows the flow of this step."""


def trains(family, constants, up, rng, start=None):
    """Readings of trains, `(..., n + 1)`: constants may be arrays over devices.

    Args:
        family: name of the step.
        constants: of the device; those of many have the shape `(devices,)`.
        up: `(devices, cycles, n)`.
        rng: of NumPy.
        start: where trains start; a quarter into the window when None.
    """
    c = {n: np.reshape(v, (-1, 1)) for n, v in constants.items()}
    g = c["g_min"] + (c["g_max"] - c["g_min"]) / 4 if start is None else start
    g = np.broadcast_to(g, up.shape[:2]).astype(float)
    path = [g]
    for t in range(up.shape[-1]):
        noise = c["write_noise"] * rng.normal(size=g.shape)
        moved = g
        for _ in range(PARTS.get(family, 1)):
            step = step_of(family, c, moved, up[..., t])
            moved = moved + step / PARTS.get(family, 1)
        g = np.clip(moved + noise, c["g_min"], c["g_max"])
        path.append(g)
    path = np.stack(path, axis=-1)
    return path + c["read_noise"][..., None] * rng.normal(size=path.shape)


def up_and_down(devices, cycles, n):
    """Half of every train upwards, then downwards."""
    return np.broadcast_to(np.arange(n) < n // 2, (devices, cycles, n))
