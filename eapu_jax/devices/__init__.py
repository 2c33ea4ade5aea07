"""What a memristor cell is and remembers: one physical model per file."""

from eapu_jax.devices.additive_error import AdditiveError
from eapu_jax.devices.base import Cells, Device, Pulses
from eapu_jax.devices.soft_bounds import SoftBounds
from eapu_jax.devices.verify_relaxation import VerifyRelaxation

__all__ = [
    "AdditiveError",
    "Cells",
    "Device",
    "Pulses",
    "SoftBounds",
    "VerifyRelaxation",
]
