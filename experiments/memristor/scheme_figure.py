"""The figure of `scheme`: sizes of updates; probability, mean and spread of a step."""

import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

import eapu_jax as ej
from experiments.figures import style
from experiments.memristor.training import PUBLIC_R_WG

_STEP = {"ls": "none", "ms": 4}


def _histogram(axes: Axes, dataset: xr.Dataset) -> None:
    lr = dataset.attrs["learning_rate"]
    theta = _threshold(dataset)
    width = float(dataset.magnitude[1] - dataset.magnitude[0])
    labels = {
        "early": f"update asked, Adam {lr:g}",
        "late": f"update asked, Adam {lr / 10:g}",
    }
    for n, (phase, label) in enumerate(labels.items()):
        density = dataset.share.sel(phase=phase) / width
        look = style.look(n, marker=None)
        style.band(axes, dataset.magnitude, density, label=label, **look)
    x = dataset.magnitude.values
    z = 10**x / theta  # density of log10 |eps| for a normal error
    error = 2 * np.log(10) * z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    axes.fill_between(x, error, color="0.6", alpha=0.5, label="error of one write")
    axes.axvline(
        np.log10(theta), color="black", ls=":", label="threshold = write error"
    )
    zero = float(dataset.zero.mean())
    more = f" ({zero:.0%} more are exactly 0)" if zero >= 0.005 else ""
    axes.set(title=f"updates of a real training{more}", ylabel="share per decade")
    axes.set(xlabel="log10 of the size of an update (weight units)", xlim=(-7.5, 0))
    axes.set_ylim(0)
    style.key(axes, ncols=2)


def _threshold(dataset: xr.Dataset) -> float:
    return float(dataset.attrs["write_noise_uS"]) * PUBLIC_R_WG


def _probability(axes: Axes, dataset: xr.Dataset) -> None:
    asked = dataset.asked
    axes.plot(asked, np.minimum(asked, 1), color="black", lw=1, label="law")
    look = style.look(0, **_STEP)
    style.band(axes, asked, dataset.rate, label="simulated", **look)
    axes.set(
        title="chance of a write",
        xlabel="update asked / threshold",
        ylabel="probability of a write",
    )
    style.key(axes, ncols=2)


def _moments(axes: Axes, dataset: xr.Dataset) -> None:
    asked = dataset.asked
    sizes = jnp.asarray(asked.values)
    pulse = np.sqrt(ej.laws.step_variance(sizes, 1.0))
    total = np.sqrt(ej.laws.total_variance(sizes, 1.0, 1.0))
    shown = {
        "mean": ("mean", asked),
        "sd_pulse": ("SD of the pulse", pulse),
        "sd": ("SD with the write error", total),
    }
    for n, (name, (label, law)) in enumerate(shown.items()):
        look = style.look(n, **_STEP)
        line = style.band(axes, asked, dataset[name], label=label, **look)
        axes.plot(asked, law, color=line.get_color(), lw=1, ls=style.LINES[n])
    axes.plot([], [], color="0.3", lw=1, label="lines: the laws")
    axes.set(
        title="one step: mean and spread",
        xlabel="update asked / threshold",
        ylabel="change of weight / threshold",
    )
    style.key(axes, ncols=2, columnspacing=1, handlelength=2)


def says(dataset: xr.Dataset) -> str:
    """How small updates are beside an error, and how well the step keeps its law."""
    theta, share = _threshold(dataset), dataset.share.sel(phase="early")
    share = share.mean(("seed", "chip"))
    below = float(share.where(dataset.magnitude < np.log10(theta), 0).sum())
    total = share.cumsum("magnitude") / share.sum()
    middle = 10.0 ** float(dataset.magnitude[int((total >= 0.5).values.argmax())])
    chance = abs(dataset.rate - np.minimum(dataset.asked, 1)).max()
    mean = abs(dataset["mean"] - dataset.asked).max()
    ratio = theta / middle
    return (
        f"An update is {ratio:,.0f} times smaller than the error of a write (median "
        f"of the faster training; {100 * below:.0f} % lie below the threshold): "
        "written at once, they would drown. EaPU writes a whole threshold, as seldom "
        "as the update is small: simulated chances are off the law by at most "
        f"{float(chance):.3f}, mean steps by {float(mean):.3f} thresholds, so the mean "
        "is what was asked and only the spread grows"
    )


plot = style.panels(
    (style.WIDTH, 6.4), [[_histogram, _histogram], [_probability, _moments]], says
)
