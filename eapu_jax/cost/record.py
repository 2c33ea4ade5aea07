"""One labelled record of a run: every count, what it cost, how long it took."""

from typing import NamedTuple

from eapu_jax.cost.energy import Band, Machine, times, total, verifies
from eapu_jax.cost.latency import Timing, latency, timing
from eapu_jax.cost.sourced import LABELS, Constant
from eapu_jax.cost.work import Work, checked


class Row(NamedTuple):
    """A line of the record.

    Attributes:
        name: of what was counted.
        number: of these; None in the sum of all.
        joules: that they took; None where there is nothing to say, or the machine
            has them in those of another row.
        seconds: likewise.
        labels: how the constants in it are known, see `LABELS`; none for a mere count.
    """

    name: str
    number: Band | None
    joules: Band | None = None
    seconds: Band | None = None
    labels: tuple[str, ...] = ()


def record(work: Work, on: Machine, at: Timing | None = None) -> list[Row]:
    """The record of a training or an inference, row by row, and their sum.

    Seconds are those of `latency`; they are missing where the work does not say how
    many vectors it multiplied, and for all that is done beside the arrays. So is the
    sign of pulses where it is not told.

    Args:
        work: as of `training_work` or `inference_work`.
        on: the machine; its joules.
        at: its times; the library's when None.

    Raises:
        ValueError: on counts that make no sense.

    Example:
        >>> from eapu_jax.cost import machine
        >>> rows = record(Work(pulses=1000, down=400), machine())
        >>> [(row.name, row.number.value) for row in rows[:3]]
        [('cell writes', 1000.0), ('pulses up', 600.0), ('pulses down', 400.0)]
    """
    checked(work)
    at = timing() if at is None else at
    timed = work.vectors is not None or not work.macs
    parts = latency(work if timed else work._replace(macs=0), on, at)
    rows = [
        Row("cell writes", _plain(work.written)),
        *_pulses(work, on, at, parts["pulses"]),
        _verifies(work, on, at, parts["verifies"]),
        _row("reads of cells", work.reads, on.read, parts["reads"], at.read),
        _row("multiplications", work.macs, on.mac, parts["inputs"], at.integrate),
        _row("input conversions", work.dac, on.dac),
        _row("output conversions", work.adc, on.adc, parts["conversions"], at.convert),
        _row("random bits", work.random_bits, on.random),
        _row("bits to and from memory", work.digital_bits, on.memory),
        Row("digital words per weight", _plain(work.words)),
    ]
    if not timed:
        rows = [
            row._replace(seconds=None) if row.name in _OF_VECTORS else row
            for row in rows
        ]
    return [*rows, _sum(rows, timed)]


_OF_VECTORS = ("multiplications", "output conversions")


def _pulses(work: Work, on: Machine, at: Timing, seconds: Band) -> list[Row]:
    """By sign, where it is told."""
    signs = {"pulses up": work.up, "pulses down": work.down}
    counted = {"pulses": work.pulses} if work.down is None else signs
    used = (on.pulse, on.pulses_per_write, at.pulse)
    return [
        Row(
            name,
            _plain(n or 0),
            times(n or 0, on.pulse, on.pulses_per_write),
            Band(*((n or 0) / max(work.pulses, 1) * t for t in seconds)),
            _labels(n or 0, *used),
        )
        for name, n in counted.items()
    ]


def _verifies(work: Work, on: Machine, at: Timing, seconds: Band) -> Row:
    n, used = work.written, (on.pulses_per_write, on.verify)
    if on.verify is None:
        return Row("verifying reads", _plain(0))
    labels = _labels(n, *used, at.read, at.convert)
    return Row("verifying reads", verifies(work, on), times(n, *used), seconds, labels)


def _row(
    name: str,
    n: float,
    joule: Constant | None,
    seconds: Band | None = None,
    second: Constant | None = None,
) -> Row:
    joules = times(n, joule) if joule else None
    return Row(name, _plain(n), joules, seconds, _labels(n, joule, second))


def _sum(rows: list[Row], timed: bool) -> Row:
    joules = {str(i): row.joules for i, row in enumerate(rows) if row.joules}
    seconds = {str(i): row.seconds for i, row in enumerate(rows) if row.seconds}
    labels = {label for row in rows for label in row.labels}
    return Row(
        "in all",
        None,
        total(joules),
        total(seconds) if timed else None,
        tuple(label for label in LABELS if label in labels),
    )


def _plain(n: float) -> Band:
    return Band(float(n), float(n), float(n))


def _labels(n: float, *constants: Constant | None) -> tuple[str, ...]:
    """How constants are known that were used at all."""
    held = {one.label for one in constants if one and n}
    return tuple(label for label in LABELS if label in held)


def written_out(rows: list[Row]) -> str:
    """The record as a text: a line per row, bands in brackets where there is one.

    Example:
        >>> from eapu_jax.cost import machine
        >>> lines = written_out(record(Work(macs=10**6), machine())).splitlines()
        >>> " ".join(lines[5].split())
        'multiplications 1e+06 1e-07 (4.6e-08 to 3.1e-07) - DERIVED'
    """
    heads = ("", "number", "energy, J", "time, s", "constants are")
    cells = [heads, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    bands = (row.number, row.joules, row.seconds)
    return (row.name, *(_words(band) for band in bands), ", ".join(row.labels))


def _words(band: Band | None) -> str:
    if band is None:
        return "-"
    if band.low == band.high:
        return f"{band.value:.3g}"
    return f"{band.value:.2g} ({band.low:.2g} to {band.high:.2g})"
