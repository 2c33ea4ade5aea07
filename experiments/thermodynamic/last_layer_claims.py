"""Last layers on boards, held against the digital posterior."""

from functools import partial

import xarray as xr

from experiments.claims import Claim, below, judged
from experiments.thermodynamic import machine
from experiments.thermodynamic.last_layer_network import RULES

POINTS = 0.02
"""Of AUROC, accuracy or calibration error, that count as agreement (ASSUMED)."""


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Boards against the digital posterior."""
    rows = []
    real = dataset.off.sel({"tolerance": dataset.assumed_tolerance})
    rows.append(
        judged(
            dataset,
            "last-layer uncertainty on three boards agrees with a digital computer "
            "(ours: two moons, rms difference of the predictive standard deviation, at "
            f"an ASSUMED tolerance of {dataset.assumed_tolerance:.1%}; below 20 % "
            "counts)",
            machine.REVIEW,
            100 * real.isel(board=slice(0, machine.N_PUBLISHED_BOARDS)),
            partial(below, 20.0),
            unit="%",
        )
    )
    for rule in RULES:
        at = dataset.sel(rule=rule)
        differences = [
            (at[name].sel(way="real board") - at[name].sel(way="digital"))
            for name in ("auroc", "variance_auroc", "accuracy", "ece")
        ]
        ends = [float(abs(each).max()) for each in differences]
        middle = [float(abs(each).median()) for each in differences]
        rows.append(
            judged(
                dataset,
                "last-layer uncertainty on the board agrees with a digital computer, "
                f"network of {dataset.learned} trained by {rule} updates (ours: "
                "largest difference of "
                "AUROC, by class and by variance, accuracy and calibration error over "
                "boards; below "
                f"{100 * POINTS:g} points counts)",
                machine.REVIEW,
                (0.0, 100 * max(middle), 100 * max(ends)),
                partial(below, 100 * POINTS),
                unit="points",
            )
        )
    return rows
