"""Counts and sourced constants: energy, time, lifetime, TOPS/W."""

from eapu_jax.cost.converters import converter as converter
from eapu_jax.cost.energy import Band as Band
from eapu_jax.cost.energy import Machine as Machine
from eapu_jax.cost.energy import digital as digital
from eapu_jax.cost.energy import energy as energy
from eapu_jax.cost.energy import inference_ratio as inference_ratio
from eapu_jax.cost.energy import machine as machine
from eapu_jax.cost.energy import tops_per_watt as tops_per_watt
from eapu_jax.cost.energy import total as total
from eapu_jax.cost.energy import training_ratio as training_ratio
from eapu_jax.cost.energy import verifies as verifies
from eapu_jax.cost.latency import Timing as Timing
from eapu_jax.cost.latency import latency as latency
from eapu_jax.cost.latency import timing as timing
from eapu_jax.cost.lifetime import Lifetime as Lifetime
from eapu_jax.cost.lifetime import lifetime as lifetime
from eapu_jax.cost.lifetime import survivors as survivors
from eapu_jax.cost.record import Row as Row
from eapu_jax.cost.record import record as record
from eapu_jax.cost.record import written_out as written_out
from eapu_jax.cost.sourced import Constant as Constant
from eapu_jax.cost.sourced import ConstantsError as ConstantsError
from eapu_jax.cost.sourced import read_constants as read_constants
from eapu_jax.cost.work import Work as Work
from eapu_jax.cost.work import inference_work as inference_work
from eapu_jax.cost.work import training_work as training_work
