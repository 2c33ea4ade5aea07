"""How the weights of a layer become conductances: one scheme per file."""

from eapu_jax.encodings.base import Encoding
from eapu_jax.encodings.differential_pair import DifferentialPair
from eapu_jax.encodings.offset_column import OffsetColumn
from eapu_jax.encodings.ranges import AbsmaxRange, Range, WidthAwareRange
from eapu_jax.encodings.redundant import Redundant
from eapu_jax.encodings.single_cell import SingleCell

__all__ = [
    "AbsmaxRange",
    "DifferentialPair",
    "Encoding",
    "OffsetColumn",
    "Range",
    "Redundant",
    "SingleCell",
    "WidthAwareRange",
]
