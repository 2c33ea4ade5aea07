"""How a sweep is spread over memory, devices and processes."""

from dataclasses import dataclass

import numpy as np

from experiments.sweep.processes import Place, place

__all__ = ["Resources"]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """How a sweep is spread; nothing here changes a draw, `chunk` the roundings.

    Attributes:
        chunk: lanes per device and call; measured when None.
        devices: local devices; all when None.
        budget: bytes per device; half of the free memory when None.
        longest: seconds that a call may take, as far as `chunk` can help it.
        process: index of this process and number of all; as found when None.
        patience: seconds to wait for what other processes may be about to finish.
    """

    chunk: int | None = None
    devices: int | None = None
    budget: int | None = None
    longest: float = 60.0
    process: tuple[int, int] | None = None
    patience: float = 60.0

    def __post_init__(self):
        for name in ("chunk", "devices", "budget"):
            value = getattr(self, name)
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if value is not None and not (whole and value >= 1):
                raise ValueError(f"{name} = {value!r}: a whole number, at least 1")
        if not self.longest > 0:
            raise ValueError(f"longest = {self.longest}: above 0 s")
        if self.process is not None:
            Place(*self.process)

    @property
    def place(self) -> Place:
        """Which process this is, and how many there are."""
        return place() if self.process is None else Place(*self.process)
