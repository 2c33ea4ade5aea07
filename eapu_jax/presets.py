"""Parameter sets with their sources. What is assumed says so.

STATED: in the named source; for EaPU in the paper (Nature Communications 2025, doi
10.1038/s41467-025-66240-7) or in its authors' public code. STATED-2nd: read in a
source that cites the named one. DERIVED: our arithmetic on stated numbers. INFERRED:
a form that the source does not give. ASSUMED: chosen here, published nowhere.

Conductances in µS; scales put weights of -1 to 1 into the window (ASSUMED, where
nothing else is said).
"""

from eapu_jax.crossbar import Crossbar
from eapu_jax.devices import (
    AdditiveError,
    ExponentialStep,
    Ferroelectric,
    FiniteLevels,
    LinearStep,
    PhaseChange,
    SoftBounds,
    StateDependentError,
    StochasticSwitching,
    VerifyRelaxation,
)
from eapu_jax.encodings import DifferentialPair, SingleCell

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

RERAM_MEASURED = Crossbar(
    device=StateDependentError(g_max=40.0),
    encoding=DifferentialPair(policy="both"),
    r_wg=1 / 40,
)
"""ReRAM of Wan et al., Nature 608, 504 (2022), 0 to 40 µS.

Error polynomials at 1 s, 1 day, 2 days STATED-2nd (IBM's analog hardware kit); growth
in between INFERRED; the pair and its policy ASSUMED.
"""

RERAM_EXPONENTIAL = Crossbar(
    device=ExponentialStep(
        g_min=-80.0, g_max=80.0, pulse=0.108, down_ratio=0.741, write_noise=0.54
    ),
    r_wg=1 / 80,
)
"""HfO2 RRAM pulse by pulse, the exponential-step fit of IBM's analog hardware kit.

STATED there, in weights of -1 to 1, after Gong et al., Nat. Commun. 2018: shape of the
step; scale 0.00135 = 0.108 µS / 80 µS; noise of 5 steps per pulse. The down ratio
1 - 0.259359 is our reading of its up_down (INFERRED); its write noise of 75 steps is
left out. The window of 80 µS is ASSUMED.
"""

PHASE_CHANGE = Crossbar(
    device=PhaseChange(g_min=0.0, g_max=25.0),
    encoding=DifferentialPair(policy="up"),
    r_wg=1 / 25,
)
"""Phase-change pair, 0 to 25 µS, written upwards only.

Write error, drift exponents, t0 and window STATED in IBM's analog hardware kit after
Nandakumar et al., ICECS 2019, for programming before inference; that they hold for
single steps of training is ASSUMED. Pairs fill up: there is no refresh.
"""

FERROELECTRIC = Crossbar(
    device=Ferroelectric(g_min=1.0, g_max=45.0, pulse=0.7, domains=1000.0),
    encoding=SingleCell(reference=23.0),
    r_wg=1 / 22,
)
"""Ferroelectric transistor with a window of 45 to 1. ASSUMED throughout."""

MAGNETIC = Crossbar(
    device=StochasticSwitching(
        g_min=1e6 / 6000, g_max=1e6 / 3000, levels=2, probability=0.9
    ),
    encoding=SingleCell(reference=250.0),
    r_wg=1 / (1e6 / 12000),
)
"""Magnetic junction of two states, 3 and 6 kΩ: weights of -1 and 1.

Resistances STATED in NVMExplorer's STT cell, conductances and reference DERIVED; the
probability that a pulse switches is ASSUMED.
"""

BULK_RRAM = Crossbar(
    device=FiniteLevels(
        device=AdditiveError(g_min=0.1, g_max=1.0, write_noise=0.005), levels=64
    ),
    encoding=SingleCell(reference=0.55),
    r_wg=1 / 0.45,
)
"""Bulk-switching RRAM: 64 levels from 1 to 10 MΩ.

64 levels and the megaohm range STATED-2nd (reports of the IEDM 2025 work of UC San
Diego, D. Kuzum); the window and the write error are ASSUMED.
"""

ELECTROCHEMICAL = Crossbar(
    device=LinearStep(
        g_min=-66.208,
        g_max=93.792,
        pulse=0.157287,
        down_ratio=1.125,
        slope_up=0.10004,
        slope_down=0.55557,
        write_noise=0.048,
    ),
    r_wg=1 / 80,
)
"""Lithium electrochemical RAM, the linear-step fit of IBM's analog hardware kit.

STATED there, in weights, after Tang et al., IEDM 2018: window -0.8276 to 1.1724, step
0.002, noise of 0.3 steps per pulse (there times the step, here constant), slopes 0.1153
and 0.5085 per weight at the bounds. DERIVED: the same in 80 µS per weight; slopes and
step about the middle of the window. The 80 µS are ASSUMED.
"""

CMO_HFOX = Crossbar(
    device=AdditiveError(write_noise=0.01, g_min=10.0, g_max=90.0),
    encoding=SingleCell(reference=50.0),
    r_wg=1 / 40,
)
"""CMO/HfOx ReRAM of Falcone et al., arXiv 2502.04524: programming noise of 10 nS.

The noise, "down to", is STATED-2nd there; Gaussian in every state, and the window, are
ASSUMED; no relaxation is modelled.
"""

INT4 = Crossbar(
    device=FiniteLevels(
        device=AdditiveError(write_noise=0.0, g_min=-80.0, g_max=70.0), levels=16
    ),
    r_wg=1 / 80,
)
"""Weights of 16 levels, -8/8 to 7/8, without any error. DERIVED."""

INT2 = Crossbar(
    device=FiniteLevels(
        device=AdditiveError(write_noise=0.0, g_min=-80.0, g_max=40.0), levels=4
    ),
    r_wg=1 / 80,
)
"""Weights of 4 levels, -2/2 to 1/2, without any error. DERIVED."""
