"""The figure of `energy`: when the published ratios can hold, and what costs."""

from typing import Any

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
    known = f"published: {1e3 * PUBLISHED_RATIO:g} ‰"
    for n, (r, label) in enumerate(
        ((PUBLISHED_RATIO, known), (ours, f"ours: {1e3 * ours:.1f} ‰"))
    ):
        words, look = f"cells written per step, {label}", style.look(n, marker=None)
        axes.plot(x, training_ratio(x, r), label=words, **look)
    style.published_line(axes, PUBLISHED["training"], "50.54 times less", ls=":")
    for n, name in enumerate(dataset.network.values):
        one, height = dataset.sel(network=name), 1e4 * 8.0**n
        low, value, high = one.write_share.values
        axes.plot([low, high], [height] * 2, lw=4, alpha=0.5, color="grey")
        axes.plot(value, height, "|", color="black", ms=8)
        words: Any = {"va": "bottom", "ha": "center", "fontsize": style.SMALL}
        axes.annotate(str(one.title.values), (value, 1.6 * height), **words)
    axes.plot([], [], lw=4, alpha=0.5, color="grey", label="where networks lie")
    axes.set(xscale="log", yscale="log", ylim=(0.8, 4e7), yticks=[1, 10, 100, 1000])
    axes.set(xlabel="energy: writing every cell / all products")
    axes.set(ylabel="energy: noisy backpropagation / EaPU", title="training")
    style.key(axes)


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
        look: Any = style.look(int(rule == "noisy"), linestyle="none", capsize=3)
        axes.errorbar(places[shown], value[shown], error, label=label, **look)
    names = [part.replace(" ", "\n") for part in parts]
    axes.set_xticks(range(len(parts)), names)
    axes.set(yscale="log", ylabel="energy per weight and step (pJ)")
    axes.set_title(f"a fully connected layer, batch {dataset.attrs['batch']}")
    style.key(axes, drop=40)


def _accuracy(axes: Axes, dataset: xr.Dataset) -> None:
    style.band(
        axes, dataset.factor, 100 * dataset.noisy_accuracy,
        label="noisy backpropagation", **style.look(1),
    )  # fmt: skip
    eapu = 100 * float(dataset.eapu_accuracy.median())
    axes.axhline(eapu, color=style.COLOURS[0], label="EaPU, at conductances of 1")
    near = dataset.attrs["near"]
    axes.axhline(
        eapu - near, color=style.COLOURS[0], ls=":", label=f"{near:g} point less"
    )
    axes.set(xlabel="conductances / EaPU's, at one write error")
    axes.set(
        ylabel="test accuracy (%)", ylim=(0, 100), title="what the same accuracy takes"
    )
    style.decades(axes, "x")
    style.key(axes)


def _inference(axes: Axes, dataset: xr.Dataset) -> None:
    share, factor = jnp.linspace(0.01, 1, 100), jnp.geomspace(1, 1000, 100)
    ratio = inference_ratio(share[None, :], factor[:, None])
    look = {"cmap": "cividis", "rasterized": True}
    image = axes.pcolormesh(share, factor, np.log10(ratio), **look)
    for name, line in (("inference", "-"), ("inference_madem", "--")):
        value = PUBLISHED[name]
        axes.contour(share, factor, ratio, [value], colors="white", linestyles=line)
        axes.annotate(
            f"published: {value:g}", (0.98, value * 2.2), ha="right", color="white"
        )
    if dataset.conductance_ratio.notnull().any():
        _ours(axes, dataset)
    style.decades(axes)
    axes.set(xlabel="share of the array in a product's energy")
    axes.set(ylabel="conductances / EaPU's", title="inference")
    axes.grid(False)
    style.colorbar(axes, image, "log10 of times less energy")


def _ours(axes: Axes, dataset: xr.Dataset) -> None:
    low, value, high = dataset.array_share.values
    least, needed, most = dataset.conductance_ratio.quantile([0.05, 0.5, 0.95]).values
    axes.errorbar(
        [value], [needed], [[needed - least], [most - needed]],
        [[value - low], [high - value]], fmt="o", color="white", capsize=2,
    )  # fmt: skip
    axes.annotate(
        "ours, array share\nof NeuRRAM", (value, needed), (8, -22), color="white",
        textcoords="offset points", fontsize=style.SMALL,
    )  # fmt: skip


def says(dataset: xr.Dataset) -> str:
    """Whether the published ratios can be met by what the constants allow."""
    shares = [dataset.training_ratio.sel(network=n) for n in dataset.network.values]
    most = max(float(share.sel(end="value")) for share in shares)
    reach = sum(float(s.sel(end="high")) >= PUBLISHED["training"] for s in shares)
    first = dataset.part_energy.sel(rule="noisy", part="writes", end="value")
    second = dataset.part_energy.sel(rule="eapu", part="writes", end="value")
    known = f"of the published {PUBLISHED['training']:g}"
    needed = dataset.conductance_ratio.median()
    words = (
        f"noisy backpropagation needs {float(needed):.0f} times the conductance for "
        "the accuracy of EaPU: at the array's share of a product that NeuRRAM has, "
        f"that saves {_saved(dataset):.2g} times in inference, published: "
        f"{PUBLISHED['inference']:g}"
        if np.isfinite(needed)
        else "noisy backpropagation never comes as near as EaPU"
    )
    return (
        f"EaPU spares {float(first / second):,.0f} times the energy of writing, but a "
        "step also multiplies and moves words: at the middle of all constants at most "
        f"{most:.2g} times remain {known}; {reach} of {len(shares)} networks reach "
        f"them at some end of the constants. Beside that, {words}. Bars: all constants "
        "at their lowest and highest (sources: eapu_jax/cost/constants.toml), products "
        "of one array, writes of 1 to 100 pulses (ASSUMED)"
    )


def _saved(dataset: xr.Dataset) -> float:
    """Times less energy of a product at the middle of what was found."""
    share = float(dataset.array_share.sel(end="value"))
    return float(inference_ratio(share, float(dataset.conductance_ratio.median())))


plot = style.panels(
    (style.WIDTH, 8.6), [[_training, _parts], [_accuracy, _inference]], says
)
