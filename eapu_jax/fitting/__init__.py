"""From what was measured of devices to a model of them."""

from eapu_jax.fitting.files import OwnDevice, load_device, save_device
from eapu_jax.fitting.fit import fit_device
from eapu_jax.fitting.fitted import FamilyFit, FittedDevice
from eapu_jax.fitting.likelihood import judged
from eapu_jax.fitting.models import MODELS, Model
from eapu_jax.fitting.traces import (
    Endurance,
    PulseTrains,
    Reads,
    Retention,
    Traces,
    Writes,
)
from eapu_jax.fitting.trains import TrainFit, fit_trains

__all__ = [
    "MODELS",
    "Endurance",
    "FamilyFit",
    "FittedDevice",
    "Model",
    "OwnDevice",
    "PulseTrains",
    "Reads",
    "Retention",
    "Traces",
    "TrainFit",
    "Writes",
    "fit_device",
    "fit_trains",
    "judged",
    "load_device",
    "save_device",
]
