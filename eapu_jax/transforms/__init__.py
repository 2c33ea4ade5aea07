"""What stands between an optimiser and the arrays, one idea per file."""

from eapu_jax.transforms.agad import agad
from eapu_jax.transforms.baselines import drop_below, lift_above, write_all
from eapu_jax.transforms.chopped_tiki_taka import chopped_tiki_taka
from eapu_jax.transforms.eapu import eapu
from eapu_jax.transforms.eapu_residual import eapu_residual
from eapu_jax.transforms.hidden_integer import hidden_integer
from eapu_jax.transforms.low_rank_tiki_taka import low_rank_tiki_taka
from eapu_jax.transforms.manhattan import manhattan
from eapu_jax.transforms.mixed_precision import mixed_precision
from eapu_jax.transforms.multi_tile import multi_tile
from eapu_jax.transforms.program import program
from eapu_jax.transforms.pulse_train import pulse_train
from eapu_jax.transforms.residual_learning import (
    residual_learning,
    residual_learning_v2,
)
from eapu_jax.transforms.sign_threshold import sign_threshold
from eapu_jax.transforms.stochastic_rounding import stochastic_rounding
from eapu_jax.transforms.stochastic_sparse import stochastic_sparse
from eapu_jax.transforms.tiki_taka import tiki_taka
from eapu_jax.transforms.tiki_taka_v2 import tiki_taka_v2
from eapu_jax.transforms.track_symmetric_point import track_symmetric_point

__all__ = [
    "agad",
    "chopped_tiki_taka",
    "drop_below",
    "eapu",
    "eapu_residual",
    "hidden_integer",
    "lift_above",
    "low_rank_tiki_taka",
    "manhattan",
    "mixed_precision",
    "multi_tile",
    "program",
    "pulse_train",
    "residual_learning",
    "residual_learning_v2",
    "sign_threshold",
    "stochastic_rounding",
    "stochastic_sparse",
    "tiki_taka",
    "tiki_taka_v2",
    "track_symmetric_point",
    "write_all",
]
