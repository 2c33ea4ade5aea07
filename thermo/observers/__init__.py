"""What a run is remembered by: statistics accumulated chunk by chunk.

An observer is a frozen recipe with three verbs: `init` an empty state,
`update` it with the next chunk of samples `(time, d)`, `finish` it into a
result. None of them keeps the trajectory, so a run may be as long as one likes.
"""

from thermo.observers.correlations import Autocovariance as Autocovariance
from thermo.observers.correlations import Correlations as Correlations
from thermo.observers.correlations import effective_samples as effective_samples
from thermo.observers.moments import MomentEstimate as MomentEstimate
from thermo.observers.moments import Moments as Moments
from thermo.observers.observer import Observer as Observer
from thermo.observers.observer import measure as measure
from thermo.observers.spectrum import Spectrum as Spectrum
from thermo.observers.spectrum import SpectrumEstimate as SpectrumEstimate

__all__ = [
    "Autocovariance",
    "Correlations",
    "MomentEstimate",
    "Moments",
    "Observer",
    "Spectrum",
    "SpectrumEstimate",
    "effective_samples",
    "measure",
]
