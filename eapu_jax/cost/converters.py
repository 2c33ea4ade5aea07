"""What a converter takes, by its bits and the node that it is made in."""

import math

import numpy as np

from eapu_jax.checks import number, whole
from eapu_jax.cost.sourced import Constant
from eapu_jax.devices.base import Scalar

FEWEST, MOST = 4, 10
"""Bits: below, the regression rises again; above, the rate would matter."""


def converter(bits: int, node: Scalar) -> Constant:
    r"""Joules of one analog-to-digital conversion, by CiMLoop's regression.

    $$ E = \tfrac12\,10^{(S - F) / 10}\,
           e^{26.05 + 1.880 \ln n - 2.829 \ln b - 1.470} \; \mathrm{pJ} $$

    with $b$ bits, the node $n$ in nm, $S = 6.02 b + 1.76$ dB and the figure of merit
    $F = 128.31 + 3.2205 b$ dB (STATED, accelergy-adc-plug-in). It stands for the best
    fifth of published converters, at up to 1e8 samples a second: there the rate plays
    no part. No band is stated.

    Args:
        bits: of the output, 4 to 10.
        node: nm, 16 to 180.

    Raises:
        ValueError: on bits or a node out of these bounds.

    Example:
        >>> [f"{1e12 * converter(8, node).value:.2g} pJ" for node in (32, 65, 130, 180)]
        ['1.7 pJ', '6.5 pJ', '24 pJ', '44 pJ']
    """
    whole("bits", bits, at_least=FEWEST, at_most=MOST)
    number("node", node, at_least=16, at_most=180)
    if np.ndim(node):
        raise ValueError(f"node must be one number, got {node!r}")
    noise, merit = 6.02 * bits + 1.76, 128.31 + 3.2205 * bits
    at_node = 26.05 + 1.880 * math.log(node) - 2.829 * math.log(bits) - 1.470
    joules = 0.5 * 10 ** ((noise - merit) / 10) * math.exp(at_node) * 1e-12
    return Constant(
        value=joules,
        low=joules,
        high=joules,
        source=f"CiMLoop's regression (accelergy-adc-plug-in): {bits} bits, {node} nm",
        label="DERIVED",
    )
