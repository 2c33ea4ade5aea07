"""Components of a board from its voltages, and a programme that allows for them.

`identify` and `identify_covariances` find what components are, `calibrated` sets the
board so that its covariance is what it should be on paper all the same.
"""

from thermo.identify.calibrate import Calibration as Calibration
from thermo.identify.calibrate import calibrated as calibrated
from thermo.identify.identified import Identified as Identified
from thermo.identify.identified import Interval as Interval
from thermo.identify.identify import identify as identify
from thermo.identify.identify import identify_covariances as identify_covariances
from thermo.identify.identify import identify_spectra as identify_spectra

__all__ = [
    "Calibration",
    "Identified",
    "Interval",
    "calibrated",
    "identify",
    "identify_covariances",
    "identify_spectra",
]
