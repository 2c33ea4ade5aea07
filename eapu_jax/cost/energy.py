r"""From counts and sourced constants to joules, their ratios and TOPS/W.

Nothing here is tuned to meet a published ratio: what is not known is a band, and the
ratio that comes out is as wide as it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from eapu_jax.checks import number
from eapu_jax.cost.sourced import Constant, read_constants
from eapu_jax.cost.work import Work, checked
from eapu_jax.devices.base import Scalar


class Band(NamedTuple):
    """A number as far as its constants are known.

    Attributes:
        low: with all constants at their lowest.
        value: with all at their values.
        high: with all at their highest.
    """

    low: float
    value: float
    high: float

    def __add__(self, other: Any) -> "Band":  # type: ignore[override]
        """The sum, end by end: the constants are not taken for independent."""
        return Band(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What each operation costs, a `Constant` each; see `constants.toml`.

    Attributes:
        pulse: to a cell, J.
        pulses_per_write: of a write-and-verify loop, for one counted pulse.
        read: of a cell, J.
        mac: a multiplication with its addition in an array, J.
        memory: one bit moved, J.
        random: one random bit, J.
        adc: one output, J; None where `mac` holds its periphery, as NeuRRAM's does.
        dac: one input, J; likewise.
        verify: a read after a pulse of the loop, J; None where the machine has no
            loop, or the energy of a pulse holds its check.
    """

    pulse: Constant
    pulses_per_write: Constant
    read: Constant
    mac: Constant
    memory: Constant
    random: Constant
    adc: Constant | None = None
    dac: Constant | None = None
    verify: Constant | None = None

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            absent = value is None and field.default is None
            if not (absent or isinstance(value, Constant)):
                raise ValueError(
                    f"Machine.{field.name} must be a Constant, got {value!r}"
                )


def machine(known: Mapping[str, Constant] | None = None, **names: str) -> Machine:
    """A machine from constants by name.

    Args:
        known: constants, as of `read_constants`; the library's when None.
        **names: field of `Machine` -> name of the constant, for those that are not
            to be the default ones.

    Raises:
        ValueError: on a field or a constant that is not known.

    Example:
        >>> machine(pulse="write_isaac").pulse.value
        1.2e-10
    """
    known = read_constants() if known is None else known
    fields_of_it = [field.name for field in fields(Machine)]
    chosen = _DEFAULT | names
    for field, name in chosen.items():
        if field not in fields_of_it:
            raise ValueError(f"Machine has the fields {fields_of_it}, got {field!r}")
        if name not in known:
            raise ValueError(f"Machine.{field}: no constant is called {name!r}")
    return Machine(**{field: known[name] for field, name in chosen.items()})


_DEFAULT = {
    "pulse": "write_pulse",
    "pulses_per_write": "pulses_per_write",
    "read": "read_cell",
    "mac": "mac",
    "memory": "memory_bit",
    "random": "random_bit",
}


def digital(
    mac: Constant | str, known: Mapping[str, Constant] | None = None
) -> Machine:
    """A machine without cells, to hold an array against: a processor or a card.

    Its weights lie in memory, so that pulses and reads of cells cost nothing (by
    definition); what a step moves is in `Work.digital_bits`. Datasheet peaks among the
    constants (`gpu_a100_mac`, `gpu_h100_mac`, `gpu_h100_fp8_mac`, `gpu_b300_mac`) are
    the least that a product can take: trainings keep a card a third to a half busy. One
    of your own is measured by `python -m experiments joules`.

    Args:
        mac: a multiplication with its addition, J; a constant, or the name of one.
        known: constants, as of `read_constants`; the library's when None.

    Raises:
        ValueError: if there is no such constant.

    Example:
        >>> card = total(energy(Work(pulses=9, macs=10**12), digital("gpu_h100_mac")))
        >>> f"{card.value:.2f} J"
        '1.41 J'
    """
    known = read_constants() if known is None else known
    if isinstance(mac, str) and mac not in known:
        raise ValueError(f"mac: no constant is called {mac!r}")
    once = known[mac] if isinstance(mac, str) else mac
    free = Constant(value=0, low=0, high=0, source="has no cells", label="DERIVED")
    one = Constant(value=1, low=1, high=1, source="has no cells", label="DERIVED")
    return Machine(
        pulse=free,
        pulses_per_write=one,
        read=free,
        mac=once,
        memory=known["memory_bit"],
        random=known["random_bit"],
    )


def energy(work: Work, on: Machine) -> dict[str, Band]:
    """Joules by part: writes, reads, products, conversions, memory, random draws.

    Reads are those that are counted, and those of the loop where it verifies.

    Raises:
        ValueError: on counts that make no sense.

    Example:
        >>> parts = energy(Work(pulses=1000, macs=10**6), machine())
        >>> f"{parts['writes'].value:.1e} J, {parts['products'].value:.1e} J"
        '3.3e-07 J, 1.0e-07 J'
    """
    checked(work)
    verified = times(work.written, on.pulses_per_write, on.verify)
    return {
        "writes": times(work.pulses, on.pulse, on.pulses_per_write),
        "reads": times(work.reads, on.read) + verified,
        "products": times(work.macs, on.mac),
        "conversions": times(work.dac, on.dac) + times(work.adc, on.adc),
        "memory": times(work.digital_bits, on.memory),
        "random draws": times(work.random_bits, on.random),
    }


def verifies(work: Work, on: Machine) -> Band:
    """Reads of the write-and-verify loop: one after each of its pulses (ASSUMED).

    Writes of cells times the pulses of a loop; none where the machine does not verify.

    Example:
        >>> verifies(Work(pulses=3), machine(verify="read_cell"))
        Band(low=3.0, value=30.0, high=300.0)
        >>> verifies(Work(pulses=3), machine())
        Band(low=0.0, value=0.0, high=0.0)
    """
    checked(work)
    return times(work.written if on.verify else 0, on.pulses_per_write)


def total(parts: Mapping[str, Band]) -> Band:
    """The sum of all parts."""
    return sum(parts.values(), Band(0.0, 0.0, 0.0))


def times(count: float, *constants: Constant | None) -> Band:
    """A count times constants, end by end; nothing where one of them is None."""
    ends = [(c.low, c.value, c.high) if c else (0.0, 0.0, 0.0) for c in constants]
    return Band(*(float(count) * math.prod(end) for end in zip(*ends, strict=True)))


def tops_per_watt(macs: int, joules: Scalar) -> Scalar:
    """Two operations a multiplication with its addition, per joule, in 1e12.

    Example:
        >>> f"{tops_per_watt(1, 0.1e-12):.0f}"
        '20'
    """
    number("macs", macs, at_least=0)
    number("joules", joules, above=0)
    return 2 * macs / joules * 1e-12


def training_ratio(write_share: Scalar, update_ratio: Scalar) -> Scalar:
    r"""How much less energy a training takes if only a part of the cells is written.

    $$ \frac{E_{BP}}{E} = \frac{1 + x}{1 + r x}, \qquad
       x = \frac{e_w}{3 B m\,e_{mac}} $$

    with the energy $e_w$ of a write, $e_{mac}$ of a multiplication, the batch $B$, the
    products $m$ that a weight takes part in per sample, and the update ratio $r$
    (DERIVED). One group, $x$, decides: the ratio goes from 1 to $1 / r$.

    Args:
        write_share: $x$, energy of writing every cell over that of all products.
        update_ratio: $r$.

    Example:
        >>> f"{training_ratio(1e-9 / (3 * 1 * 64 * 0.1e-12), 0.86e-3):.1f}"
        '50.8'
    """
    number("write_share", write_share, at_least=0)
    number("update_ratio", update_ratio, at_least=0, at_most=1)
    return (1 + write_share) / (1 + update_ratio * write_share)


def inference_ratio(array_share: Scalar, conductance_ratio: Scalar) -> Scalar:
    r"""How much less energy a product takes with smaller conductances.

    $(1 - f) + f k$ (DERIVED): the array takes the share $f$ of the energy of the
    sparing chip, and its rival's conductances are $k$ times larger.

    Args:
        array_share: $f$.
        conductance_ratio: $k$.

    Example:
        >>> f"{inference_ratio(0.165, 34.0):.1f}"
        '6.4'
    """
    number("array_share", array_share, at_least=0, at_most=1)
    number("conductance_ratio", conductance_ratio, at_least=0)
    return (1 - array_share) + array_share * conductance_ratio
