"""The figure of `scheme`: sizes of updates; probability, mean and spread of a step."""

import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

import eapu_jax as ej
from experiments.figures import style
from experiments.memristor.training import PUBLIC_R_WG

_DOTS = {"marker": "o", "ls": "none", "ms": 3}


def _histogram(axes: Axes, dataset: xr.Dataset) -> None:
    lr = dataset.attrs["learning_rate"]
    theta = dataset.attrs["write_noise_uS"] * PUBLIC_R_WG
    width = float(dataset.magnitude[1] - dataset.magnitude[0])
    labels = {
        "early": f"update asked, Adam {lr:g}",
        "late": f"update asked, Adam {lr / 10:g}",
    }
    for phase, label in labels.items():
        density = dataset.share.sel(phase=phase) / width
        style.band(axes, dataset.magnitude, density, label=label)
    x = dataset.magnitude.values
    z = 10**x / theta  # density of log10 |eps| for a normal error
    error = 2 * np.log(10) * z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    axes.fill_between(x, error, color="0.6", alpha=0.5, label="error of one write")
    axes.axvline(
        np.log10(theta), color="black", ls="--", lw=1, label="threshold = write error"
    )
    zero = float(dataset.zero.mean())
    more = f" ({zero:.0%} more are exactly 0)" if zero >= 0.005 else ""
    axes.set(title=f"updates of a real training{more}", ylabel="share per decade")
    axes.set(xlabel="log10 of magnitude, weight units", xlim=(-7.5, 0))
    axes.set_ylim(0, 1.45 * axes.get_ylim()[1])  # room for the legend
    axes.legend(loc="upper left")


def _probability(axes: Axes, dataset: xr.Dataset) -> None:
    asked = dataset.asked
    axes.plot(asked, np.minimum(asked, 1), color="black", lw=1, label="law")
    style.band(axes, asked, dataset.rate, label="simulated", **_DOTS)
    axes.set(
        title="chance of a write",
        xlabel="update asked / threshold",
        ylabel="probability",
    )
    axes.legend()


def _moments(axes: Axes, dataset: xr.Dataset) -> None:
    asked = dataset.asked
    sizes = jnp.asarray(asked.values)
    pulse = np.sqrt(ej.laws.step_variance(sizes, 1.0))
    total = np.sqrt(ej.laws.total_variance(sizes, 1.0, 1.0))
    shown = {
        "mean": ("mean step", asked),
        "sd_pulse": ("SD of the pulse", pulse),
        "sd": ("SD with the write error", total),
    }
    for name, (label, law) in shown.items():
        line = style.band(axes, asked, dataset[name], label=label, **_DOTS)
        axes.plot(asked, law, color=line.get_color(), lw=1)
    axes.plot([], [], color="black", lw=1, label="lines: laws; dots: simulated")
    axes.set(
        title="one step: mean and spread",
        xlabel="update asked / threshold",
        ylabel="change of the weight / threshold",
    )
    axes.legend()


plot = style.panels((10, 3.6), [[_histogram, _probability, _moments]])
