"""What a memristor cell is: one physical model per file."""

from eapu_jax.devices.additive_error import AdditiveError
from eapu_jax.devices.base import Device
from eapu_jax.devices.soft_bounds import SoftBounds
from eapu_jax.devices.verify_relaxation import VerifyRelaxation

__all__ = ["AdditiveError", "Device", "SoftBounds", "VerifyRelaxation"]
