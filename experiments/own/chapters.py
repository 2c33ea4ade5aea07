"""What the page about a device says, chapter by chapter."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from eapu_jax.fitting import FittedDevice, Places
from experiments.memristor.contest.advice import Advice
from experiments.memristor.contest.entrants import NAMES
from experiments.own.figures import families_in_words, forecast_figure, mapped
from experiments.own.page import drawn, listed, page, paragraph, section, table

_UNITS = {"down_ratio": "", "domains": "", "slope_up": "", "slope_down": ""}
_FAMILIES = ("family", "constants", "behind the best", "a good fit", "devices fitted")


def document(
    name: str,
    understood: Sequence[str],
    fitted: FittedDevice,
    fit: Figure,
    forecast: xr.Dataset,
    advised: Advice,
    places: Places | None = None,
) -> str:
    """The whole page."""
    summary = f"Recommended: {advised.why}"
    return page(
        f"Device {name}", summary,
        [
            section("What was understood", listed(understood)),
            _fit(fitted, fit, places),
            _constants(fitted),
            _forecast(forecast, advised),
        ],
    )  # fmt: skip


def _fit(fitted: FittedDevice, fit: Figure, places: Places | None) -> str:
    rows = families_in_words(fitted.compare())
    if fitted.adequate:
        verdict = f"{fitted.family} describes what was measured"
    else:
        verdict = (
            f"No family that was tried describes the mean step: {fitted.family} comes "
            "nearest, and what follows is to be read with that in mind"
        )
    if "pulse" not in fitted.population:
        caption = (
            "Where writes landed, less where they were asked to: against the target, "
            "and how often, beside the fitted law. A trend on the left says that the "
            "error depends on the target, which this family leaves out."
        )
        return section("Fit", paragraph(verdict + "."), drawn(fit, caption))
    steps = "the steps of every device"
    if mapped(fitted, places):
        order = "in the order of the file, since it tells no places"
        steps += ", " + (order if places is None else "where it stands on the wafer")
    caption = (
        "Readings and the fitted course, what one pulse leaves unexplained, how far "
        f"each family lies behind the best on cycles that were not fitted, and {steps}."
        " Residuals without a trend say that the shape of the step is right."
    )
    return section(
        "Fit", paragraph(verdict + "."), drawn(fit, caption), table(_FAMILIES, rows)
    )


def _constants(fitted: FittedDevice) -> str:
    rows = []
    for name, one in fitted.population.items():
        unit = _UNITS.get(name, "µS")
        spread = "" if one.sigma is None else f"{100 * one.sigma:.1f} %"
        if one.sigma is not None and one.sigma_error is not None:
            spread += f" ± {100 * one.sigma_error:.1f}"
        reach = 1.96 * one.mean_error
        ends = f"({one.mean - reach:.3g} to {one.mean + reach:.3g})"
        if np.isinf(one.mean_error):
            ends = "(not met: the range that was read)"
        value = f"{one.mean:.4g} {ends} {unit}".strip()
        rows.append([name.replace("_", " "), value, spread])
    threshold = fitted.threshold * fitted.r_wg
    text = (
        f"Cycle-to-cycle spread is the write noise of one pulse; device-to-device "
        f"spread is what devices differ by beyond their errors. The threshold of "
        f"EaPU, matched to the error of a write, is {fitted.threshold:.3g} µS, "
        f"{threshold:.3g} of a weight at {fitted.r_wg:.3g} per µS (weights of -1 to 1 "
        f"fill the window)."
    )
    shared = [*fitted.retention[:1], *([fitted.endurance] if fitted.endurance else [])]
    for one in shared:
        for name, (low, high) in one.intervals().items():
            value = f"{one.values[name]:.4g} ({low:.3g} to {high:.3g})"
            rows.append([f"{one.family}: {name.replace('_', ' ')}", value, "shared"])
    heads = ("constant", "mean over devices (95 % interval)", "from device to device")
    return section("Constants", table(heads, rows), paragraph(text))


def _forecast(found: xr.Dataset, advised: Advice) -> str:
    one = found.isel(network=0, device=0)
    rows = []
    for rule in map(str, one.rule.values):
        of = one.sel(rule=rule)
        if not of.accuracy.notnull().any():
            rows.append([NAMES[rule], "the device cannot carry it", "", "", "", ""])
            continue
        low, middle, high = 100 * of.accuracy.quantile([0.05, 0.5, 0.95]).values
        wears = bool(of.lifetime_worst.notnull().any())  # exact arithmetic does not
        life = float(of.lifetime_worst.median("chip")) if wears else np.inf
        rows.append([
            NAMES[rule], f"{middle:.1f} ({low:.1f} to {high:.1f})",
            f"{float(of.update_ratio.median('chip')):.2g}",
            f"{float(of.joules.median('chip')):.2g} "
            f"({float(of.joules_low.median('chip')):.1g} to "
            f"{float(of.joules_high.median('chip')):.1g})",
            f"{float(of.bits.median('chip')):.0f}",
            f"{life:.3g}" if np.isfinite(life) else "",
        ])  # fmt: skip
    heads = (
        "rule", "accuracy (%), 5 to 95 % of chips", "writes per cell and step",
        "energy (J), by unknown constants", "digital bits per weight",
        "steps per write of the most written cell",
    )  # fmt: skip
    figure: Any = forecast_figure(found, advised.rule)
    caption = (
        "Training of a small network on handwritten digits, on chips drawn from the "
        "fitted device, by each update rule: accuracy (median and middle half of the "
        "chips) and energy of the training (counts times the constants of "
        "eapu_jax/cost/constants.toml, bars where they are not known)."
    )
    return section(
        "Forecast", paragraph(advised.why), drawn(figure, caption), table(heads, rows)
    )
