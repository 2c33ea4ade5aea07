"""The figure of `energy`: when the published ratios can hold, and what costs."""

import jax.numpy as jnp
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from eapu_jax.cost import inference_ratio, training_ratio
from experiments.figures import style

PUBLISHED = {
    "training": 50.54,
    "training_madem": 13.23,
    "gpu": 1e6,
    "inference": 35.51,
    "inference_madem": 11.26,
}
"""Times less energy than EaPU's rivals take (abstract of the paper)."""
PUBLISHED_RATIO = 0.86e-3
"""Update ratio of ResNet-152 (press coverage of the paper)."""
RULES = {"noisy": "noisy backpropagation", "eapu": "EaPU"}


def _training(axes: Axes, dataset: xr.Dataset) -> None:
    x = jnp.geomspace(1e-5, 1e6, 300)
    ours = float(dataset.update_ratio.median())
    for r, label in (
        (PUBLISHED_RATIO, "published 0.86 ‰"),
        (ours, f"ours {1e3 * ours:.1f} ‰"),
    ):
        axes.plot(x, training_ratio(x, r), label=f"update ratio: {label}")
    style.published_line(axes, PUBLISHED["training"], "50.54 times")
    for n, name in enumerate(dataset.network.values):
        one, height = dataset.sel(network=name), 3000 * 1.9**n
        low, value, high = one.write_share.values
        axes.plot([low, high], [height] * 2, lw=5, alpha=0.5, color="grey")
        axes.plot(value, height, "|", color="black", ms=9)
        axes.annotate(
            str(one.title.values), (1.5 * high, height), va="center", fontsize=7
        )
    axes.set(xscale="log", yscale="log", ylim=(0.8, 4e4))
    axes.set(xlabel="writing every cell / all products of a step, energy")
    axes.set(ylabel="noisy backpropagation / EaPU, energy", title="training")
    axes.legend(loc="center left", fontsize=7)


def _parts(axes: Axes, dataset: xr.Dataset) -> None:
    parts = [
        p for p in dataset.part.values if float(dataset.part_energy.sel(part=p).max())
    ]
    for shift, (rule, label) in zip((-0.15, 0.15), RULES.items(), strict=True):
        found = 1e12 * dataset.part_energy.sel(rule=rule, part=parts)
        low, value, high = (found.sel(end=e).values for e in ("low", "value", "high"))
        places = np.arange(len(parts)) + shift
        shown = value > 0
        error = np.stack([value - low, high - value])[:, shown]
        axes.errorbar(
            places[shown], value[shown], error, fmt="o", capsize=3, label=label
        )
    axes.set_xticks(range(len(parts)), parts)
    axes.set(yscale="log", ylabel="energy per weight and step (pJ)")
    axes.set_title(f"a fully connected layer, batch {dataset.attrs['batch']}")
    axes.legend(loc="upper right")


def _accuracy(axes: Axes, dataset: xr.Dataset) -> None:
    style.band(
        axes, dataset.factor, 100 * dataset.noisy_accuracy,
        label="noisy backpropagation", marker="o", color=style.COLOURS[1],
    )  # fmt: skip
    eapu = 100 * float(dataset.eapu_accuracy.median())
    axes.axhline(eapu, color=style.COLOURS[0], label="EaPU, at 1")
    near = dataset.attrs["near"]
    axes.axhline(
        eapu - near, color=style.COLOURS[0], ls=":", label=f"less by {near:g} %"
    )
    axes.set(xscale="log", xlabel="conductances, against EaPU's (at one write error)")
    axes.set(ylabel="test accuracy (%)", ylim=(0, 100), title="same accuracy")
    axes.legend(loc="lower right")


def _inference(axes: Axes, dataset: xr.Dataset) -> None:
    share, factor = jnp.linspace(0.01, 1, 100), jnp.geomspace(1, 1000, 100)
    ratio = inference_ratio(share[None, :], factor[:, None])
    look = {"cmap": "cividis", "rasterized": True}
    image = axes.pcolormesh(share, factor, np.log10(ratio), **look)
    for name, line in (("inference", "-"), ("inference_madem", "--")):
        value = PUBLISHED[name]
        axes.contour(share, factor, ratio, [value], colors="white", linestyles=line)
        axes.annotate(
            f"published: {value:g}", (0.98, value * 1.4), ha="right", color="white"
        )
    if dataset.conductance_ratio.notnull().any():
        _ours(axes, dataset)
    axes.set(yscale="log", xlabel="share of the array in a product's energy")
    axes.set(ylabel="conductances, against EaPU's", title="inference")
    axes.grid(False)
    style.colorbar(axes, image, "times less energy, log10")


def _ours(axes: Axes, dataset: xr.Dataset) -> None:
    low, value, high = dataset.array_share.values
    least, needed, most = dataset.conductance_ratio.quantile([0.05, 0.5, 0.95]).values
    axes.errorbar(
        [value], [needed], [[needed - least], [most - needed]],
        [[value - low], [high - value]], fmt="o", color="white", capsize=2,
    )  # fmt: skip
    axes.annotate(
        "ours, array share\nof NeuRRAM", (value, needed), (8, 6), color="white",
        textcoords="offset points", fontsize=7,
    )  # fmt: skip


plot = style.panels(
    (11, 7.4),
    [[_training, _parts], [_accuracy, _inference]],
    note="constants with sources: eapu_jax/cost/constants.toml; bands: all constants "
    "at their lowest and highest; products of one array, writes of 1 to 100 pulses "
    "(ASSUMED)",
)
