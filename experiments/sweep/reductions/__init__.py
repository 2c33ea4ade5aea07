"""What is kept of a population when its curves are not.

A reduction sees the values of a chunk and keeps a small state; states of chunks
merge. So 10,000 chips at 1,000 points never stand in memory together. States
are merged in the order of the chips, whoever computed them: the bits do not
depend on the layout.

Exact: `Moments` (up to the rounding of float64), `Histogram`, `Fraction`, `Best`,
and `Quantiles` without bounds, which keeps the values of one point at a time.
`Quantiles(low=, high=)` counts into fine bins: right to within one bin.
"""

from experiments.sweep.reductions.base import Found as Found
from experiments.sweep.reductions.base import Lanes as Lanes
from experiments.sweep.reductions.base import Reduction as Reduction
from experiments.sweep.reductions.histogram import Histogram as Histogram
from experiments.sweep.reductions.moments import Moments as Moments
from experiments.sweep.reductions.quantiles import Quantiles as Quantiles
from experiments.sweep.reductions.ranking import Best as Best
from experiments.sweep.reductions.ranking import Fraction as Fraction
