"""Training networks whose weights are conductances of simulated memristors.

Put two links at the end of any optax chain: `eapu` decides which cells are
pulsed, `program` replaces the update by what the arrays made of it.
"""

from eapu_jax import array, laws, presets
from eapu_jax.analog import Analog
from eapu_jax.array import ArrayState
from eapu_jax.chips import Spread, sample_chip, sample_chips
from eapu_jax.counts import (
    layer_update_ratio,
    lifetime_factor,
    pulses_per_cell,
    totals,
    update_ratio,
    view,
    writes_per_cell,
)
from eapu_jax.crossbar import Crossbar
from eapu_jax.deploy import deploy
from eapu_jax.devices import (
    AdditiveError,
    Device,
    ExponentialRetention,
    ExponentialStep,
    Ferroelectric,
    FiniteLevels,
    LinearStep,
    PhaseChange,
    PowerRetention,
    SoftBounds,
    StateDependentError,
    StochasticSwitching,
    VerifyRelaxation,
    Wearing,
)
from eapu_jax.encodings import (
    AbsmaxRange,
    DifferentialPair,
    Encoding,
    OffsetColumn,
    Redundant,
    SingleCell,
    WidthAwareRange,
)
from eapu_jax.matvec import matvec, matvec_transposed
from eapu_jax.memory import digital_words
from eapu_jax.periphery import Adc, Dac, Periphery
from eapu_jax.placement import place, placements, table
from eapu_jax.transforms import (
    agad,
    chopped_tiki_taka,
    drop_below,
    eapu,
    eapu_residual,
    hidden_integer,
    lift_above,
    manhattan,
    mixed_precision,
    program,
    pulse_train,
    sign_threshold,
    stochastic_rounding,
    stochastic_sparse,
    lift_above,
    program,
    residual_learning,
    residual_learning_v2,
    tiki_taka,
    tiki_taka_v2,
    write_all,
)
from eapu_jax.wrapping import wrap
from eapu_jax.write_error import matched_threshold, write_error

__all__ = [
    "AbsmaxRange",
    "Adc",
    "AdditiveError",
    "Analog",
    "ArrayState",
    "Crossbar",
    "Dac",
    "Device",
    "DifferentialPair",
    "Encoding",
    "ExponentialRetention",
    "ExponentialStep",
    "Ferroelectric",
    "FiniteLevels",
    "LinearStep",
    "OffsetColumn",
    "Periphery",
    "PhaseChange",
    "PowerRetention",
    "Redundant",
    "SingleCell",
    "SoftBounds",
    "Spread",
    "StateDependentError",
    "StochasticSwitching",
    "VerifyRelaxation",
    "Wearing",
    "WidthAwareRange",
    "agad",
    "array",
    "chopped_tiki_taka",
    "deploy",
    "digital_words",
    "drop_below",
    "eapu",
    "eapu_residual",
    "hidden_integer",
    "laws",
    "layer_update_ratio",
    "lifetime_factor",
    "lift_above",
    "manhattan",
    "matched_threshold",
    "matvec",
    "matvec_transposed",
    "mixed_precision",
    "place",
    "placements",
    "presets",
    "program",
    "pulse_train",
    "pulses_per_cell",
    "residual_learning",
    "residual_learning_v2",
    "sample_chip",
    "sample_chips",
    "sign_threshold",
    "stochastic_rounding",
    "stochastic_sparse",
    "table",
    "tiki_taka",
    "tiki_taka_v2",
    "totals",
    "update_ratio",
    "view",
    "wrap",
    "write_all",
    "write_error",
    "writes_per_cell",
]
