"""How long a run takes, from its counts and sourced times."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from eapu_jax.checks import whole
from eapu_jax.cost.energy import Band, Machine, times, verifies
from eapu_jax.cost.sourced import Constant, read_constants
from eapu_jax.cost.work import Work, checked


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What each operation takes, and how many are made at the same time.

    Attributes:
        pulse: to a cell, s.
        read: voltage on a cell for one read, s.
        integrate: one bit of the inputs of a product, s.
        convert: one bit of an output, s.
        cells_at_once: that are pulsed or read together: 1 are cells one after another,
            the width of an array is a whole line. Lines that are written in part take
            as long as full ones, so that above 1 the time of sparse writes is the
            shortest possible.
        layers_at_once: that multiply, each a vector of its own (a pipeline).
        input_bits: of a product, bit by bit.
        output_bits: of a product or a read.
    """

    pulse: Constant
    read: Constant
    integrate: Constant
    convert: Constant
    cells_at_once: int = 1
    layers_at_once: int = 1
    input_bits: int = 8
    output_bits: int = 8

    def __post_init__(self):
        for field in fields(self):
            name, value = f"Timing.{field.name}", getattr(self, field.name)
            if isinstance(field.default, int):
                whole(name, value, at_least=1)
            elif not isinstance(value, Constant):
                raise ValueError(f"{name} must be a Constant, got {value!r}")


def timing(
    known: Mapping[str, Constant] | None = None,
    *,
    cells_at_once: int = 1,
    layers_at_once: int = 1,
    input_bits: int = 8,
    output_bits: int = 8,
    **names: str,
) -> Timing:
    """A timing from constants by name.

    Args:
        known: constants, as of `read_constants`; the library's when None.
        cells_at_once: see `Timing`; likewise the other numbers.
        layers_at_once: vectors in the pipeline.
        input_bits: of a product.
        output_bits: of a product or a read.
        **names: time of `Timing` -> name of the constant, for those that are not to be
            the default ones.

    Raises:
        ValueError: on a time, a constant or a number that cannot be.

    Example:
        >>> timing(pulse="pulse_time_neurram").pulse.value
        8.52e-06
    """
    known = read_constants() if known is None else known
    chosen = _DEFAULT | names
    for field, name in chosen.items():
        if field not in _DEFAULT:
            raise ValueError(f"Timing has the times {list(_DEFAULT)}, got {field!r}")
        if name not in known:
            raise ValueError(f"Timing.{field}: no constant is called {name!r}")
    return Timing(
        **{field: known[name] for field, name in chosen.items()},
        cells_at_once=cells_at_once,
        layers_at_once=layers_at_once,
        input_bits=input_bits,
        output_bits=output_bits,
    )


_DEFAULT = {
    "pulse": "pulse_time",
    "read": "read_time",
    "integrate": "integration_step",
    "convert": "adc_step",
}


def latency(work: Work, on: Machine, at: Timing) -> dict[str, Band]:
    r"""Seconds by part: pulses, verifies, reads, inputs, conversions.

    $$ t = \frac{n_p l\,t_p + n_v (t_r + t_c) + n_r (t_r + b_o t_c)}{c}
         + \frac{n_x}{p}\,(b_i t_i + b_o t_c) $$

    for $n_p$ pulses with $l$ in a loop, $n_v$ reads of that loop, $n_r$ reads and $n_x$
    vectors. $c$ cells are pulsed or read together; a read of a loop is one comparison
    ($t_c$), another one is converted (ASSUMED). An array multiplies one vector at a
    time: its inputs enter bit by bit ($b_i t_i$), its columns are converted in parallel
    ($b_o t_c$). All arrays of a layer work together, and layers one after another, or
    $p$ of them, each on a vector of its own (ASSUMED; a forward pass is a vector, so is
    one backward, so is the outer product). Parts follow each other. What is done beside
    the arrays, the rule, its memory and its draws, is not in it.

    Raises:
        ValueError: on counts that make no sense, or multiplications without the number
            of their vectors.

    Example:
        >>> from eapu_jax.cost import machine
        >>> work = Work(pulses=1000, macs=10**6, vectors=100)
        >>> parts = latency(work, machine(), timing())
        >>> f"{parts['pulses'].value:.1e} s, {parts['inputs'].value:.2e} s"
        '5.0e-04 s, 2.16e-04 s'
    """
    checked(work)
    if work.vectors is None and work.macs:
        raise ValueError("Work.vectors must say how many are multiplied, got None")
    vectors = (work.vectors or 0) / at.layers_at_once
    compared, n = times(1, at.read) + times(1, at.convert), at.cells_at_once
    seen = times(1, at.read) + times(at.output_bits, at.convert)
    checks = verifies(work, on)
    return {
        "pulses": times(work.pulses / n, at.pulse, on.pulses_per_write),
        "verifies": Band(*(v * t / n for v, t in zip(checks, compared, strict=True))),
        "reads": Band(*(work.reads * t / n for t in seen)),
        "inputs": times(vectors * at.input_bits, at.integrate),
        "conversions": times(vectors * at.output_bits, at.convert),
    }
