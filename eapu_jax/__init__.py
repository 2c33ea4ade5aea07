"""Training networks whose weights are conductances of simulated memristors.

Put two links at the end of any optax chain: `eapu` decides which cells are
pulsed, `program` replaces the update by what the array made of it.
"""

from eapu_jax import laws, presets
from eapu_jax.chips import Spread, sample_chip, sample_chips
from eapu_jax.counts import (
    layer_update_ratio,
    lifetime_factor,
    update_ratio,
    writes_per_cell,
)
from eapu_jax.crossbar import Crossbar, array_mask, is_on_array, read_weights
from eapu_jax.devices import AdditiveError, Device, SoftBounds, VerifyRelaxation
from eapu_jax.transforms import drop_below, eapu, lift_above, program, write_all

__all__ = [
    "AdditiveError",
    "Crossbar",
    "Device",
    "SoftBounds",
    "Spread",
    "VerifyRelaxation",
    "array_mask",
    "drop_below",
    "eapu",
    "is_on_array",
    "laws",
    "layer_update_ratio",
    "lifetime_factor",
    "lift_above",
    "presets",
    "program",
    "read_weights",
    "sample_chip",
    "sample_chips",
    "update_ratio",
    "write_all",
    "writes_per_cell",
]
