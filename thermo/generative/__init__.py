"""Images out of heat: quartic units that learn to run the making of noise backwards.

Energies are in units of E0, times in 1/(mobility E0); both are 1 by default.
"""

from thermo.generative.generation import Generated as Generated
from thermo.generative.generation import generate as generate
from thermo.generative.ledger import heat as heat
from thermo.generative.ledger import log_path_ratio as log_path_ratio
from thermo.generative.ledger import path_heat as path_heat
from thermo.generative.network import QuarticNetwork as QuarticNetwork
from thermo.generative.network import untrained as untrained
from thermo.generative.noising import driving as driving
from thermo.generative.noising import noising as noising
from thermo.generative.noising import projection as projection
from thermo.generative.objective import Slope as Slope
from thermo.generative.objective import loss as loss
from thermo.generative.objective import slope as slope
from thermo.generative.optimum import Sums as Sums
from thermo.generative.optimum import optimum as optimum
from thermo.generative.optimum import sums as sums
from thermo.generative.training import batch_update as batch_update
from thermo.generative.training import online_updates as online_updates

__all__ = [
    "Generated",
    "QuarticNetwork",
    "Slope",
    "Sums",
    "batch_update",
    "driving",
    "generate",
    "heat",
    "log_path_ratio",
    "loss",
    "noising",
    "online_updates",
    "optimum",
    "path_heat",
    "projection",
    "slope",
    "sums",
    "untrained",
]
