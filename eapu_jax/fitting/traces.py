"""What was measured of devices, as plain arrays.

Rows are devices. A reading that is missing is NaN, and so is the rest of a row that is
shorter than others.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np


class _Measured:
    """Arrays that are held against each other when they are made."""

    def __post_init__(self):
        for field in fields(self):  # type: ignore[arg-type]
            name = f"{type(self).__name__}.{field.name}"
            value = np.asarray(getattr(self, field.name))
            kind = bool if field.name == "up" else float
            if value.dtype.kind not in "fiub" or (kind is bool) != (
                value.dtype.kind == "b"
            ):
                held = "true and false" if kind is bool else "real numbers"
                raise ValueError(f"{name} must be {held}, got {value.dtype}")
            object.__setattr__(self, field.name, value.astype(kind))
        self._check()

    def _check(self) -> None:
        raise NotImplementedError

    def _shape(self, field: str, expected: tuple[int, ...], why: str) -> None:
        got = np.shape(getattr(self, field))
        if got != expected:
            raise ValueError(
                f"{type(self).__name__}.{field} must have the shape {expected}, "
                f"{why}, got {got}"
            )

    def _axes(self, field: str, names: tuple[str, ...], least: int = 1) -> None:
        got = np.shape(getattr(self, field))
        if len(got) != len(names) or min(got, default=0) < 1 or got[-1] < least:
            raise ValueError(
                f"{type(self).__name__}.{field} must have the axes "
                f"({', '.join(names)}), the last of at least {least}, got {got}"
            )

    def _some(self, field: str) -> None:
        if not np.isfinite(getattr(self, field)).any():
            name = f"{type(self).__name__}.{field}"
            raise ValueError(f"{name} must have a number that is finite, got none")
        if np.isinf(getattr(self, field)).any():
            name = f"{type(self).__name__}.{field}"
            raise ValueError(f"{name} must be finite, or NaN where missing, got inf")


@dataclass(frozen=True, kw_only=True)
class PulseTrains(_Measured):
    """Potentiation and depression, read after every pulse.

    Attributes:
        g: conductance before the first pulse and after each, `(devices, cycles,
            pulses + 1)`, µS.
        up: whether a pulse asks for more, `(devices, cycles, pulses)`.
    """

    g: np.ndarray
    up: np.ndarray

    def _check(self):
        self._axes("g", ("devices", "cycles", "pulses + 1"), least=2)
        shape = np.shape(self.g)
        self._shape("up", (*shape[:-1], shape[-1] - 1), "a pulse between two readings")
        self._some("g")


@dataclass(frozen=True, kw_only=True)
class Writes(_Measured):
    """Where writes landed that had a target.

    Attributes:
        target: conductance asked for, `(devices, writes)`, µS.
        landed: conductance found, µS.
    """

    target: np.ndarray
    landed: np.ndarray

    def _check(self):
        self._axes("target", ("devices", "writes"))
        self._shape("landed", np.shape(self.target), "as target")
        self._some("target")
        self._some("landed")


@dataclass(frozen=True, kw_only=True)
class Reads(_Measured):
    """A cell read again and again, while nothing is written.

    Attributes:
        g: readings, `(devices, reads)`, µS.
    """

    g: np.ndarray

    def _check(self):
        self._axes("g", ("devices", "reads"), least=2)
        self._some("g")


@dataclass(frozen=True, kw_only=True)
class Retention(_Measured):
    """What a cell holds as time passes after a write.

    Attributes:
        time: since the write, ascending, `(times,)`, s.
        g: conductance then, `(devices, times)`, µS.
    """

    time: np.ndarray
    g: np.ndarray

    def _check(self):
        self._axes("time", ("times",), least=2)
        if not (np.diff(self.time) > 0).all() or not np.min(self.time) >= 0:
            raise ValueError(
                "Retention.time must ascend from 0 or later, got "
                f"{np.asarray(self.time)[:6]}"
            )
        self._axes("g", ("devices", "times"), least=2)
        self._shape("g", (np.shape(self.g)[0], np.size(self.time)), "as time")
        self._some("g")


@dataclass(frozen=True, kw_only=True)
class Endurance(_Measured):
    """What is left of the window as a cell is cycled.

    Attributes:
        cycle: cycles so far, ascending, `(n,)`.
        low: conductance of the low state then, `(devices, n)`, µS.
        high: of the high state, µS.
    """

    cycle: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def _check(self):
        self._axes("cycle", ("n",), least=2)
        if not (np.diff(self.cycle) > 0).all() or not np.min(self.cycle) >= 0:
            raise ValueError(
                "Endurance.cycle must ascend from 0 or later, got "
                f"{np.asarray(self.cycle)[:6]}"
            )
        self._axes("low", ("devices", "n"), least=2)
        self._shape("low", (np.shape(self.low)[0], np.size(self.cycle)), "as cycle")
        self._shape("high", np.shape(self.low), "as low")
        self._some("low")
        self._some("high")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where devices stand on their wafer.

    Attributes:
        x: from left to right, `(devices,)`, in `unit`.
        y: from the bottom up, `(devices,)`.
        unit: of both; empty: numbers of dies.
    """

    x: np.ndarray
    y: np.ndarray
    unit: str = ""

    def __post_init__(self):
        for name in ("x", "y"):
            value = np.asarray(getattr(self, name), float)
            if value.ndim != 1 or not np.isfinite(value).all():
                raise ValueError(f"Places.{name} must be a row of finite numbers")
            object.__setattr__(self, name, value)
        if len(self.x) != len(self.y):
            raise ValueError(
                f"Places.y must have the shape ({len(self.x)},), as x, got "
                f"({len(self.y)},)"
            )
        if len(np.unique(np.stack([self.x, self.y]), axis=1).T) < len(self.x):
            raise ValueError("Places must hold one device each, got two at one place")


@dataclass(frozen=True, kw_only=True)
class Traces:
    """All that was measured of devices of one kind; None: not measured.

    Attributes:
        pulses: trains of identical pulses.
        writes: writes with a target.
        reads: readings of cells at rest.
        retention: readings as time passes.
        endurance: windows as cycles pass.
        places: where the devices of `pulses` stand on their wafer, for its map.

    Raises:
        ValueError: if nothing was measured, or something is no measurement.

    Example:
        >>> import numpy as np
        >>> g = np.array([[[1.0, 2.0, 2.5, 1.9]]])  # one device, one cycle
        >>> up = np.array([[[True, True, False]]])
        >>> Traces(pulses=PulseTrains(g=g, up=up)).measured
        ('pulses',)
    """

    pulses: PulseTrains | None = None
    writes: Writes | None = None
    reads: Reads | None = None
    retention: Retention | None = None
    endurance: Endurance | None = None
    places: Places | None = None

    def __post_init__(self):
        kinds: dict[str, Any] = {
            "pulses": PulseTrains, "writes": Writes, "reads": Reads,
            "retention": Retention, "endurance": Endurance,
        }  # fmt: skip
        for name, kind in {**kinds, "places": Places}.items():
            held = getattr(self, name)
            if held is not None and not isinstance(held, kind):
                raise ValueError(f"Traces.{name} must be {kind.__name__}, got {held!r}")
        if not self.measured:
            raise ValueError(f"Traces must have one of {', '.join(kinds)}, got none")
        devices = 0 if self.pulses is None else len(self.pulses.g)
        if self.places is not None and len(self.places.x) != devices:
            raise ValueError(
                f"Traces.places must have a place for each of the {devices} devices of "
                f"pulses, got {len(self.places.x)}"
            )

    @property
    def measured(self) -> tuple[str, ...]:
        """What there is, by name."""
        names = (f.name for f in fields(self) if f.name != "places")
        return tuple(name for name in names if getattr(self, name) is not None)
