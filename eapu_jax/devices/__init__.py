"""What a memristor cell is and remembers: one physical model per file."""

from eapu_jax.devices.additive_error import AdditiveError
from eapu_jax.devices.base import Cells, Device, Pulses
from eapu_jax.devices.exponential_step import ExponentialStep
from eapu_jax.devices.ferroelectric import Ferroelectric
from eapu_jax.devices.finite_levels import FiniteLevels
from eapu_jax.devices.jumping import Jumping
from eapu_jax.devices.linear_step import LinearStep
from eapu_jax.devices.phase_change import PhaseChange
from eapu_jax.devices.pulsed import PulseSteps
from eapu_jax.devices.response import response
from eapu_jax.devices.retention import ExponentialRetention, PowerRetention
from eapu_jax.devices.soft_bounds import SoftBounds
from eapu_jax.devices.state_dependent_error import StateDependentError
from eapu_jax.devices.stochastic_switching import StochasticSwitching
from eapu_jax.devices.verify_relaxation import VerifyRelaxation
from eapu_jax.devices.wearing import Wearing

__all__ = [
    "AdditiveError",
    "Cells",
    "Device",
    "ExponentialRetention",
    "ExponentialStep",
    "Ferroelectric",
    "FiniteLevels",
    "Jumping",
    "LinearStep",
    "PhaseChange",
    "PowerRetention",
    "PulseSteps",
    "Pulses",
    "SoftBounds",
    "StateDependentError",
    "StochasticSwitching",
    "VerifyRelaxation",
    "Wearing",
    "response",
]
