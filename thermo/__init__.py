"""Computing by relaxation: boards of noisy circuits that settle on the answer."""

from thermo.circuits import LinearForm as LinearForm
from thermo.circuits import OpAmpBoard as OpAmpBoard
from thermo.circuits import RCBoard as RCBoard
from thermo.circuits import RLCBoard as RLCBoard
from thermo.circuits import johnson_noise as johnson_noise
