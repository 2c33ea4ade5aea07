"""What stands between an optimiser and the arrays, one idea per file."""

from eapu_jax.transforms.baselines import drop_below, lift_above, write_all
from eapu_jax.transforms.eapu import eapu
from eapu_jax.transforms.program import program

__all__ = ["drop_below", "eapu", "lift_above", "program", "write_all"]
