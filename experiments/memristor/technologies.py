"""Constants of a product that belong together: a cell, and converters of one node."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from eapu_jax import cost

ADC_BITS = range(4, 11)
"""Widths of converters with constants."""


class Technology(NamedTuple):
    """What a product is made with.

    Attributes:
        title: for the figure.
        cell: constant of one pulse to a cell.
        adc: bits -> what a conversion of an output takes.
    """

    title: str
    cell: str
    adc: Callable[[int], cost.Constant]


def _stated(bits: int) -> cost.Constant:
    return _at(constants()[f"adc_{bits}_bit"], "value")


def _best(bits: int) -> cost.Constant:
    """The best published converter of as many bits or more: it does for fewer."""
    wider = [constants()[f"adc_{b}_bit"] for b in ADC_BITS if b >= bits]
    return _at(min(wider, key=lambda one: one.low), "low")


def _at(one: cost.Constant, end: str) -> cost.Constant:
    x = getattr(one, end)
    return replace(one, value=x, low=x, high=x)


@cache
def constants() -> dict[str, cost.Constant]:
    """Those of the library, read once."""
    return cost.read_constants()


TECHNOLOGIES = {
    "eapu": Technology(
        "180 nm, EaPU's node; any cell", "read_any", lambda b: cost.converter(b, 180.0)
    ),
    "neurram": Technology(
        "130 nm, NeuRRAM's node and cell",
        "read_neurram",
        lambda b: cost.converter(b, 130.0),
    ),
    "isaac": Technology("32 nm, ISAAC's converters and cell", "read_isaac", _stated),
    "best": Technology("best converter, least cell", "read_ecram", _best),
}
"""By name. The read of EaPU's cells is unknown; "best" was never built together."""


def machine(name: str, adc_bits: int, input_bits: int) -> cost.Machine:
    """What the operations of a product take in a technology.

    Inputs enter bit by bit, a pulse and a digital-to-analog conversion for each; a
    line integrates over all of them and is converted once, as in NeuRRAM.

    Args:
        name: of a technology.
        adc_bits: of an output.
        input_bits: pulses of an input.
    """
    known, one = constants(), TECHNOLOGIES[name]
    cell, activity = known[one.cell], known["product_activity"]
    ends = {
        e: getattr(cell, e) * getattr(activity, e) for e in ("low", "value", "high")
    }
    product = cost.Constant(
        **{end: input_bits * x for end, x in ends.items()},
        source=f"{input_bits} pulses, {one.cell}, product_activity",
        label="ASSUMED",
    )
    row = known["dac_row"]
    inputs = replace(
        row,
        low=input_bits * row.low,
        value=input_bits * row.value,
        high=input_bits * row.high,
    )
    return replace(cost.machine(known), mac=product, dac=inputs, adc=one.adc(adc_bits))
