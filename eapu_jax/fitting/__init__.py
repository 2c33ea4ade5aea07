"""From what was measured of devices to a model of them."""

from eapu_jax.fitting.endurance import fit_endurance
from eapu_jax.fitting.files import OwnDevice, load_device, save_device
from eapu_jax.fitting.fit import fit_device
from eapu_jax.fitting.fitted import FamilyFit, FittedDevice
from eapu_jax.fitting.kit import from_kit
from eapu_jax.fitting.likelihood import judged
from eapu_jax.fitting.models import MODELS, Model
from eapu_jax.fitting.retention import fit_retention
from eapu_jax.fitting.shared import SharedFit
from eapu_jax.fitting.traces import (
    Endurance,
    Places,
    PulseTrains,
    Reads,
    Retention,
    Traces,
    Writes,
)
from eapu_jax.fitting.trains import TrainFit, fit_trains
from eapu_jax.fitting.writes import fit_writes

__all__ = [
    "MODELS",
    "Endurance",
    "FamilyFit",
    "FittedDevice",
    "Model",
    "OwnDevice",
    "Places",
    "PulseTrains",
    "Reads",
    "Retention",
    "SharedFit",
    "Traces",
    "TrainFit",
    "Writes",
    "fit_device",
    "fit_endurance",
    "fit_retention",
    "fit_trains",
    "fit_writes",
    "from_kit",
    "judged",
    "load_device",
    "save_device",
]
