"""Counts and sourced constants: energy, lifetime, TOPS/W."""

from eapu_jax.cost.energy import Band as Band
from eapu_jax.cost.energy import Machine as Machine
from eapu_jax.cost.energy import energy as energy
from eapu_jax.cost.energy import inference_ratio as inference_ratio
from eapu_jax.cost.energy import machine as machine
from eapu_jax.cost.energy import survivors as survivors
from eapu_jax.cost.energy import tops_per_watt as tops_per_watt
from eapu_jax.cost.energy import total as total
from eapu_jax.cost.energy import training_ratio as training_ratio
from eapu_jax.cost.sourced import Constant as Constant
from eapu_jax.cost.sourced import ConstantsError as ConstantsError
from eapu_jax.cost.sourced import read_constants as read_constants
from eapu_jax.cost.work import Work as Work
from eapu_jax.cost.work import training_work as training_work
