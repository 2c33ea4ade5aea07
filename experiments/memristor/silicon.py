"""Published operations per joule: measured, simulated, of data sheets, and retold."""

from typing import NamedTuple

from eapu_jax import cost

MEASURED = {
    **{f"mac_neurram_{b}_bit": f"NeuRRAM, {b} bits" for b in (3, 4, 5, 6, 8, 10)},
    "mac_macro_28_nm": "RRAM macro, 28 nm, normalised",
}
"""Constant -> name; silicon."""
SIMULATED = {
    "mac_afpr_cim": "AFPR-CIM, FP8",
    "mac_spiking_magnetic": "spiking, SOT-MRAM, 28 nm",
    "mac_in_cache": "NVM in a cache",
}
"""Constant -> name; published, but not built."""
CARDS = {
    "gpu_a100_mac": "A100, BF16",
    "gpu_h100_mac": "H100 or H200, BF16",
    "gpu_b300_mac": "B300, BF16",
    "gpu_h100_fp8_mac": "H100 or H200, FP8",
    "gpu_h100_fp8_sparse_mac": "H100 or H200, FP8, sparse",
}
"""Constant -> name; peaks of data sheets."""
RETOLD = {
    "H200": (4.0, 6.0),
    "neuromorphic": (20.0, 50.0),
    "RRAM in memory": (500.0, 1000.0),
}
"""From, to; TOPS/W of a retelling of a talk (IEDM 2025), not to be traced beyond it:
the report of the talk that we found has no such number. PRESS only."""


class Row(NamedTuple):
    """What one operation takes in NeuRRAM, fJ, two of them a product (STATED).

    Attributes:
        lines: switching of the word lines.
        neurons: converters with their control.
        pulses: of the inputs, through the cells.
    """

    lines: float
    neurons: float
    pulses: float


NEURRAM = {
    3: Row(9.0, 10.6, 3.4),
    4: Row(8.3, 12.4, 4.0),
    5: Row(15.5, 20.1, 7.7),
    6: Row(21.8, 29.1, 11.5),
    8: Row(37.2, 52.5, 19.2),
    10: Row(50.5, 75.9, 27.5),
}
"""By bits of an output; inputs have two less. Measured (Wan et al., Nature 608, 504,
2022; figure values as transcribed in cimloop wan_nature_2022). Their sum is that of the
published TOPS/W within 2 %, but at 8 bits, where it would be 9.18 and not 8.26."""
SIDE, HEADROOM = 256, 2
"""Rows and columns of NeuRRAM's arrays; bits of an output beyond those of an input."""


def tops(name: str) -> float:
    """TOPS/W of a published product.

    Example:
        >>> f"{tops('mac_neurram_10_bit'):.2f}"
        '6.44'
    """
    return float(cost.tops_per_watt(1, cost.read_constants()[name].value))
