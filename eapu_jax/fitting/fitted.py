"""What was found of devices: constants with errors, a device, its spread, doubts."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from eapu_jax.checks import number
from eapu_jax.chips import Spread
from eapu_jax.crossbar import Crossbar
from eapu_jax.devices.base import Device
from eapu_jax.encodings import SingleCell
from eapu_jax.fitting.coordinates import Coordinate
from eapu_jax.fitting.population import Population
from eapu_jax.fitting.shared import SharedFit

LEVEL = 1e-3
"""A family that would leave as much as this rarely is called a bad fit. ASSUMED."""


@dataclass(frozen=True, kw_only=True)
class FamilyFit:
    """One family of devices, fitted to every device by itself.

    Attributes:
        family: its name in `MODELS`.
        devices: which rows of the traces were fitted.
        free: how the constants were searched for, by name.
        values: the constants of every device, by name; µS. NaN where a fit failed.
        errors: their standard errors.
        held_out: log-likelihood of cycles under constants found without them,
            `(devices, cycles)`, NaN for the cycles that were fitted.
        log_likelihood: of all cycles, under the constants found.
        readings: how many there are, `(devices, cycles)`.
        shape_chance: probability that a right family leaves as much of the mean step.
        noise_chance: that it leaves as much of the variance.
        shape_chances: the same, device by device.
        noise_chances: the same, device by device.
        memory: correlation of neighbouring surprises, in standard errors, by device.
        clean: share of the readings that are no outliers, by device.
        converged: whether the search ended at a maximum, by device.
    """

    family: str
    devices: np.ndarray
    free: Mapping[str, Coordinate]
    values: Mapping[str, np.ndarray]
    errors: Mapping[str, np.ndarray]
    held_out: np.ndarray
    log_likelihood: np.ndarray
    readings: np.ndarray
    shape_chance: float
    noise_chance: float
    shape_chances: np.ndarray
    noise_chances: np.ndarray
    memory: np.ndarray
    clean: np.ndarray
    converged: np.ndarray

    def intervals(
        self, level: float = 0.95
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Ends of the confidence intervals, by name and device; µS.

        Args:
            level: share of intervals that hold the constant.
        """
        number("level", level, above=0, under=1)
        sigmas = NormalDist().inv_cdf((1 + level) / 2)
        return {
            name: one.interval(self.values[name], self.errors[name], sigmas)
            for name, one in self.free.items()
        }

    @property
    def score(self) -> float:
        r"""Log-likelihood per reading of cycles that were not fitted.

        Of one cycle alone, none is left: then that of the fit, less half of
        $p \ln n$ for the $p$ constants that took part in it.
        """
        return float(np.nansum(self.scores) / self._readings)

    @property
    def scores(self) -> np.ndarray:
        """What `score` adds up, device by device and cycle by cycle."""
        if self.held_out.shape[1] > 1:
            return self.held_out
        price = len(self.free) * np.log(np.maximum(self.readings, 1)) / 2
        return self.log_likelihood - price

    @property
    def _readings(self) -> float:
        counted = np.isfinite(self.scores)
        return float(max(np.sum(self.readings[counted]), 1))

    @property
    def adequate(self) -> bool:
        """Whether what is left of the mean step is what a right family leaves."""
        return self.shape_chance >= LEVEL


@dataclass(frozen=True, kw_only=True)
class FittedDevice:
    """A device from what was measured: what `fit_device` gives back.

    Cycle-to-cycle spread is the write noise of the device, found within every device;
    device-to-device spread is what the constants of devices differ by beyond their
    errors, a `Spread` from cell to cell.

    Attributes:
        device: the nominal device.
        family: name of the family that was chosen.
        families: all that were tried, by name; the chosen one first, then by score.
        spread: how devices differ.
        population: mean over devices, relative spread, and the errors of both, by
            constant.
        threshold: of EaPU, matched to the error of the device, µS.
        r_wg: weight per conductance that puts weights of -1 to 1 into the window, 1/µS.
        retention: both laws of what cells lose, the better one first, if measured; the
            device has it.
        endurance: what cells endure, if measured; the device has it.
    """

    device: Device
    family: str
    families: Mapping[str, FamilyFit]
    spread: Spread
    population: Mapping[str, Population]
    threshold: float
    r_wg: float
    retention: tuple[SharedFit, ...] = ()
    endurance: SharedFit | None = None

    @property
    def fit(self) -> FamilyFit:
        """The family that was chosen, device by device."""
        return self.families[self.family]

    @property
    def values(self) -> Mapping[str, np.ndarray]:
        """Constants of every device, by name; µS."""
        return self.fit.values

    @property
    def errors(self) -> Mapping[str, np.ndarray]:
        """Standard errors of the constants of every device, by name."""
        return self.fit.errors

    @property
    def converged(self) -> np.ndarray:
        """Which devices could be fitted."""
        return self.fit.converged

    @property
    def adequate(self) -> bool:
        """Whether the chosen family is a good fit: no other may be, either."""
        return self.fit.adequate

    def intervals(
        self, level: float = 0.95
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Ends of the confidence intervals of the chosen family; µS."""
        return self.fit.intervals(level)

    @property
    def crossbar(self) -> Crossbar:
        """An array of the nominal device: one cell a weight, 0 amid the window."""
        middle = (self.device.g_min + self.device.g_max) / 2
        encoding = SingleCell(reference=float(middle))
        return Crossbar(device=self.device, encoding=encoding, r_wg=self.r_wg)

    def compare(self) -> list[dict[str, float | str | bool]]:
        """A row for every family that was tried, in the order of `families`.

        `score` is the log-likelihood per reading of cycles that were not fitted,
        `behind` how far it lies behind the best on the devices of both, `error` the
        standard error of that.
        """
        best = max(self.families.values(), key=lambda f: f.score)
        rows = []
        for name, fit in self.families.items():
            gap, error = behind(fit, best)
            rows.append(
                {
                    "family": name,
                    "score": fit.score,
                    "behind": gap,
                    "error": error,
                    "constants": len(fit.free),
                    "shape_chance": fit.shape_chance,
                    "noise_chance": fit.noise_chance,
                    "adequate": fit.adequate,
                    "converged": float(np.mean(fit.converged)),
                }
            )
        return rows


def behind(one: FamilyFit, best: FamilyFit) -> tuple[float, float]:
    """By how much one family lies behind another per reading, and its error."""
    _, at, of = np.intersect1d(one.devices, best.devices, return_indices=True)
    gaps = best.scores[of] - one.scores[at]
    readings = np.where(np.isfinite(gaps), one.readings[at], 0)
    gaps = gaps[np.isfinite(gaps)]
    n = max(float(np.sum(readings)), 1.0)
    error = np.std(gaps, ddof=1) * np.sqrt(gaps.size) if gaps.size > 1 else 0.0
    return float(np.sum(gaps) / n), float(error / n)
