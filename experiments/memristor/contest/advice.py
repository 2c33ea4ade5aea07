"""Which rule to train a device by, and why, from what the contest found."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from experiments.memristor.contest.belief import NEAR
from experiments.memristor.contest.entrants import NAMES, kind


class Advice(NamedTuple):
    """A recommendation.

    Attributes:
        rule: of `experiments.learning.rules`.
        why: in one sentence; medians over the chips that judged.
    """

    rule: str
    why: str


def advice(dataset: xr.Dataset, network: str, device: str) -> Advice:
    """Of the rules on an array within a point of the best, the one of least energy.

    Args:
        dataset: a result of `rivals`.
        network: that was trained.
        device: that was written.

    Raises:
        ValueError: if no rule on an array has learnt on this device.
    """
    one = dataset.sel(network=network, device=device)
    good = one.accuracy.median("chip")
    on_array = [r for r in one.rule.values if kind(r) != "digital"]
    good = good.sel(rule=on_array).dropna("rule")
    if not good.sizes["rule"]:
        raise ValueError(f"no rule on an array has learnt on {device} with {network}")
    best = str(good.rule.values[np.argmax(good.values)])
    near = good.where(good >= good.max() - NEAR, drop=True).rule.values
    price = one.joules.median("chip").sel(rule=near)
    rule = str(near[np.argmin(price.values)])
    bits = float(one.bits.median("chip").sel(rule=rule))
    told = f"{NAMES[rule]} ends at {100 * float(good.sel(rule=rule)):.1f} %"
    if rule != best:
        told += (
            f", within a point of the best rule on an array ({NAMES[best]}, "
            f"{100 * float(good.max()):.1f} %)"
        )
    else:
        told += ", more than any other rule on an array"
    if len(near) > 1:
        told += f", and takes the least energy of the {len(near)} rules that do so"
    told += f": {float(price.min()):.2g} J for the training, {bits:.0f} digital bits a "
    told += "weight"
    others = [r for r in near if r != rule]
    least = one.joules_low.median("chip").sel(rule=others).min() if others else np.inf
    if least < one.joules_high.median("chip").sel(rule=rule):
        told += " (constants that are not known could turn this order)"
    life = one.lifetime_worst.median("chip").sel(rule=rule)
    if life.notnull():
        told += f", the most written cell once in {float(life):.3g} steps"
    return Advice(rule, told + ".")
