"""From what was measured of devices to a model of them."""

from eapu_jax.fitting.files import OwnDevice, load_device, save_device
from eapu_jax.fitting.traces import (
    Endurance,
    PulseTrains,
    Reads,
    Retention,
    Traces,
    Writes,
)

__all__ = [
    "Endurance",
    "OwnDevice",
    "PulseTrains",
    "Reads",
    "Retention",
    "Traces",
    "Writes",
    "load_device",
    "save_device",
]
