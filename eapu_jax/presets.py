"""Parameter sets with their sources. What is assumed says so.

STATED: in the paper (Nature Communications 2025, doi 10.1038/s41467-025-66240-7)
or in its authors' public code. ASSUMED: chosen here, published nowhere.
"""

from eapu_jax.crossbar import Crossbar
from eapu_jax.devices import AdditiveError, SoftBounds, VerifyRelaxation

PUBLIC_CODE = Crossbar(device=AdditiveError(write_noise=2.0), r_wg=1 / 80)
"""The authors' public commands and the ResNet34 result: 2.0 µS, 1/80 per µS. STATED."""

FIGURE_5C = Crossbar(device=AdditiveError(write_noise=2.4), r_wg=1 / 80)
"""ResNet152 and Swin in Fig. 5c: 2.4 µS, 1/80 per µS. STATED in its caption."""

RELAXING = Crossbar(
    device=VerifyRelaxation(
        tolerance=2.0, relaxation=1.0, relaxation_per_decade=0.211, onset=1e-3
    ),
    r_wg=1 / 80,
)
"""Verify band, then relaxation: 2.0 µS in all, 1 s after a write. ASSUMED."""

SOFT_BOUNDS = Crossbar(
    device=SoftBounds(g_min=-80.0, g_max=80.0, pulse=0.5, write_noise=0.5), r_wg=1 / 80
)
"""A pulsed array that spans weights of -1 to 1. ASSUMED."""
