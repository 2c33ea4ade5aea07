"""What the authors of EaPU left open: does an addition beat it at equal writes?

A digital residual of few bits; a threshold that falls or rises over the training; where
errors of writes differ between layers, a threshold for each. Every variant is trained
at several thresholds, so that its loss stands beside that of plain EaPU at the same
number of writes. A residual needs some digital
bits per weight, EaPU none.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import t as student

from experiments.claims import nothing_published as claims  # noqa: F401
from experiments.contract import Sweep, base_of
from experiments.deep.ablated import VARIANTS, Varied
from experiments.deep.ablated import simulate as simulate
from experiments.deep.ablations_figure import REFERENCES
from experiments.deep.ablations_figure import plot as plot
from experiments.deep.text import DIMS as DIMS
from experiments.deep.text import TextAndNet
from experiments.deep.text_setting import SMOKE, TextSetting
from experiments.memristor.setting import taken
from experiments.validate import Ascending, Positive

REPRODUCES = "nothing published: EaPU with a residual, a schedule, thresholds by layer"
KEPT = ("final", "update_ratio")


class Config(TextSetting, TextAndNet):
    """Train a transformer by variants of EaPU at several thresholds.

    Attributes:
        write_noise: SD(eps_cell) at `R_wg = 1/80`, uS.
        strengths: thresholds in units of the error of a write, ascending.
        reference_strengths: those of plain EaPU, which others are held against.
    """

    strengths: Ascending[Positive] = (1.0, 4.0, 8.0)
    reference_strengths: Ascending[Positive] = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

    def trainings(self) -> Mapping[str, Varied]:
        """What one training of each variant depends on."""
        return {name: base_of(Varied, self, variant=name) for name in VARIANTS}

    def strengths_of(self, variant: str) -> tuple[float, ...]:
        """At which thresholds a variant is trained."""
        return self.reference_strengths if variant in REFERENCES else self.strengths


PRESETS = {
    "smoke": Config(
        **SMOKE, width=8, epochs=1, strengths=(1.0,), reference_strengths=(0.5, 2.0),
    ),
    "shakespeare": Config(text="tinyshakespeare"),
    "large": Config(
        text="tinyshakespeare", n_train=10_000, n_seeds=5, epochs=4, n_test=1000,
    ),
}  # fmt: skip


def defaults(config: Config) -> Varied:
    """What one training of plain EaPU depends on."""
    return config.trainings()["plain"]


def sweeps(config: Config) -> dict[str, Sweep]:
    """Every variant at its thresholds, and the ideal training."""
    more: Any = {"dims": DIMS, "keep": KEPT, "may_be_nan": ("final",)}
    found = {
        name: config.sweep(
            simulate, base, axes={"strength": config.strengths_of(name)}, **more
        )
        for name, base in config.trainings().items()
    }
    return found | {"ideal": config.ideal(found["plain"])}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Bits and writes of every variant, and what it gains at equal writes."""
    parts = [
        taken(found[name], final="bits", update_ratio="writes") for name in VARIANTS
    ]
    dataset = xr.concat(parts, xr.Variable("variant", list(VARIANTS)), join="outer")
    dataset["writes"] = config.steps * dataset.writes
    dataset["ideal"] = found["ideal"].final.isel(chip=0, drop=True).load()
    dataset["gained"] = _gained(dataset)
    dataset["gain"] = dataset.gained.mean("strength")
    dataset["gain_error"] = half_width(dataset.gain)
    dataset.bits.attrs["units"] = "bits per character"
    return dataset.assign_attrs(config.facts(), steps=config.steps)


def _gained(dataset: xr.Dataset) -> Any:
    """Bits by which a variant is better than its reference at each threshold."""
    parts = []
    for name in VARIANTS:
        plain = dataset.sel(variant=beside(name))
        one = dataset.sel(variant=name)
        expected = xr.apply_ufunc(
            at_equal_writes,
            one.writes,
            plain.writes,
            plain.bits,
            input_core_dims=[["strength"]] * 3,
            output_core_dims=[["strength"]],
            vectorize=True,
        )
        parts.append(expected - one.bits)
    return xr.concat(parts, "variant")


def half_width(gain: xr.DataArray) -> xr.DataArray:
    """Half the 95 % interval of a mean over seeds and chips, by Student's t.

    NaN where there is one seed only.

    Example:
        >>> gain = xr.DataArray([[1.0], [2.0], [3.0]], dims=("seed", "chip"))
        >>> round(float(half_width(gain)), 3)
        2.484
    """
    over = ("seed", "chip")
    n = gain.count(over)
    several = n.where(n > 1)
    squares = ((gain - gain.mean(over)) ** 2).sum(over)
    error = (squares / (several - 1) / several) ** 0.5
    return error * student.ppf(0.975, several - 1)


def beside(variant: str) -> str:
    """The variant that another one is held against: plain EaPU on like arrays."""
    return REFERENCES[-1] if variant in (REFERENCES[-1], "own") else REFERENCES[0]


def at_equal_writes(
    writes: np.ndarray, of_plain: np.ndarray, bits: np.ndarray
) -> np.ndarray:
    """Bits of plain EaPU at these writes, on straight lines over their logarithm.

    NaN beyond the writes that it was trained at, and where there is no training.

    Example:
        >>> writes = np.array([10.0, 5.0, 0.1])
        >>> at = np.array([100.0, 1.0]), np.array([3.0, 4.0])
        >>> at_equal_writes(writes, *at).round(3).tolist()
        [3.5, 3.651, nan]
    """
    there = np.isfinite(of_plain) & np.isfinite(bits) & (of_plain > 0)
    if not there.any():
        return np.full(writes.shape, np.nan)
    order = np.argsort(of_plain[there])
    x, y = np.log(of_plain[there][order]), bits[there][order]
    with np.errstate(divide="ignore"):
        return np.interp(np.log(writes), x, y, left=np.nan, right=np.nan)
