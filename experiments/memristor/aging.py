"""Two RRAMs that drift: filaments that jump, and a bulk layer that leaks slowly.

"Filamentary" cells stand between 10 kΩ and 1 MΩ. A write ends in a verify band,
then the cell relaxes; from 1 s on it may jump, up to half as much resistance again:
10 kΩ becomes up to 15 kΩ, which press coverage tells as an illustration. All other
constants are ASSUMED.

"Bulk" cells are `eapu_jax.presets.BULK_RRAM`: 64 levels, megaohms (STATED-2nd, reports
of the IEDM 2025 work of UC San Diego). They leak by a power of time towards their least
conductance. "Room-temperature retention of years" is STATED-2nd, without a number: the
exponent, 9 % lost in ten years, is ASSUMED.
"""

from dataclasses import replace
from typing import Annotated, Any

import jax
import jax.numpy as jnp

import eapu_jax as ej
from experiments.memristor.training import Training
from experiments.validate import NonNegative, one_of

DEVICES = ("filamentary", "bulk")
DeviceName = Annotated[str, one_of(*DEVICES)]

YEAR = 365.25 * 86400.0
"""Seconds."""
MONTH = YEAR / 12

_STRAYS = {"filamentary": "rate", "bulk": "exponent"}


class Aging(Training):
    """What a training, and an array that drifts, depend on.

    Attributes:
        device: "filamentary" or "bulk".
        jump_rate: jumps of a filamentary cell per decade of time.
        exponent: of the leak of a bulk cell.
        spread: relative log-normal spread of either, from chip to chip and again from
            cell to cell.
    """

    device: DeviceName = "filamentary"
    jump_rate: NonNegative = 0.1
    exponent: NonNegative = 0.005
    spread: NonNegative = 0.3


def device_of(point: Any) -> Any:
    """The cell that the designer had in mind."""
    if point.device == "filamentary":
        verified = ej.VerifyRelaxation(
            tolerance=1.0,
            relaxation=0.5,
            relaxation_per_decade=0.2,
            onset=1.0,
            read_noise=0.5,
            g_min=1.0,
            g_max=100.0,
        )
        return ej.Jumping(device=verified, rate=point.jump_rate)
    levels: Any = ej.presets.BULK_RRAM.device
    noisy = replace(levels, device=replace(levels.device, read_noise=0.005))
    return ej.PowerRetention(device=noisy, level=noisy.g_min, exponent=point.exponent)


def write_error(device: Any) -> Any:
    """What one write misses by, or one level where there are levels, µS."""
    within = device.device
    if isinstance(within, ej.FiniteLevels):
        return within.level
    return jnp.sqrt(within.tolerance**2 / 3 + within.relaxation**2)


def chip_of(key: jax.Array, point: Any, nominal: ej.Crossbar, params: Any) -> Any:
    """The crossbars of one chip, a tree like the weights."""
    sigma = {_STRAYS[point.device]: point.spread}
    spread = ej.Spread(chip_to_chip=sigma, cell_to_cell=sigma)
    return ej.sample_chip(key, 0, nominal, params, spread)
