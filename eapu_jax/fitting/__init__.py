"""From what was measured of devices to a model of them."""

from eapu_jax.fitting.traces import (
    Endurance,
    PulseTrains,
    Reads,
    Retention,
    Traces,
    Writes,
)

__all__ = ["Endurance", "PulseTrains", "Reads", "Retention", "Traces", "Writes"]
