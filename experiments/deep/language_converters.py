"""A transformer whose products go through converters: alignment, mapping, or neither.

Every product, and every gradient on its way back, goes through the arrays and their
converters, at the published resolution (16 bits in, 9 out). Aligned converters scale
each vector to its largest entry, and have rails that suit the scale of their matrix;
fixed ones have one full scale and one rail for all, in either direction. A width-aware
mapping gives each matrix the scale of its own first weights; the fixed one has one
`R_wg`. All cells have the same window. Trained by EaPU, the threshold of each matrix
the error of a write on it.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import jax
import numpy as np
import xarray as xr
from flax.traverse_util import unflatten_dict

import eapu_jax as ej
from chipsweep import Keys
from eapu_jax.placement import on_array
from experiments.claims import Claim, above, judged
from experiments.contract import Sweep, base_of
from experiments.deep.language_converters_figure import plot as plot
from experiments.deep.text import DIMS as DIMS
from experiments.deep.text import Speaking, TextAndNet, learn_text, shapes
from experiments.deep.text_setting import (
    LARGE,
    MAY_BE_NAN,
    SMOKE,
    TextSetting,
    beyond_chance,
)
from experiments.learning.forward import PRODUCTS
from experiments.learning.rules import Bench, Make
from experiments.memristor.setting import taken
from experiments.validate import Count, bounds, one_of

REPRODUCES = "arXiv 2609.36584: converter alignment and width-aware mapping, with EaPU"
ALIGNMENTS = ("fixed", "aligned")
MAPPINGS = ("fixed", "width_aware")
OMEGA = 4.0
"""SDs of the first weights that fill half the window, 1 / `r_wg`. ASSUMED."""
RAIL = 6.0
"""Rail of an output, in what unit inputs make of unit weights. STATED is c_out = 6; its
unit is UNKNOWN, this one ASSUMED."""
FULL_SCALE = 4.0
"""Of all inputs without alignment: four SDs of a vector behind a layer norm. ASSUMED;
what the published training without alignment had is UNKNOWN."""
ConverterBits = Annotated[int, bounds(2, 24)]


class Converted(Speaking):
    """What one training through converters depends on.

    Attributes:
        alignment: of the converters, "fixed" or "aligned" to vectors and matrices.
        mapping: of weights to cells, "fixed" (`r_wg`) or "width_aware".
        dac_bits: of the inputs (structural).
        adc_bits: of the outputs (structural).
    """

    alignment: Annotated[str, one_of(*ALIGNMENTS)] = "aligned"
    mapping: Annotated[str, one_of(*MAPPINGS)] = "width_aware"
    products: Annotated[str, one_of(*PRODUCTS)] = "array"
    dac_bits: ConverterBits = 16
    adc_bits: ConverterBits = 9


class Config(TextSetting, TextAndNet):
    """Short trainings by EaPU with alignment and mapping on and off, threshold = SD.

    Attributes:
        write_noise: SD(eps_cell) and threshold, uS.
        dac_bits: of the inputs.
        adc_bits: of the outputs.
    """

    n_train: Count = 512
    n_test: Count = 128
    dac_bits: ConverterBits = 16
    adc_bits: ConverterBits = 9

    def trainings(self) -> Mapping[str, Converted]:
        """What one training depends on, before alignment and mapping are chosen."""
        return {"converted": base_of(Converted, self)}


PRESETS = {
    "smoke": Config(**SMOKE, width=8, epochs=1),
    "shakespeare": Config(text="tinyshakespeare"),
    "large": Config(
        **LARGE, width=384, heads=6, n_train=3200, epochs=20, learning_rate=1e-3,
    ),
}  # fmt: skip
"""Beside the default: smaller and larger. "large" is for a GPU."""


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one transformer through the converters of its arrays.

    Returns:
        As `experiments.deep.text.simulate`.
    """
    del chip
    more: dict[str, Any] = {}
    if point.rule != "ideal":
        more = {"arrays": arrays(point), "own": {"eapu": _own(point)}}
    curves, found = learn_text(point, keys, **more)
    return found | ({"layer_ratio": curves.update_ratio} if trace else {})


def scale(point: Any, leaf: Any) -> Any:
    """Weight per conductance of one matrix, 1/uS."""
    if point.mapping == "fixed":
        return point.r_wg
    return ej.WidthAwareRange(window=1 / point.r_wg, omega=OMEGA).fit(leaf)


def arrays(point: Any) -> dict[str, Any]:
    """The crossbar of every matrix, converters included."""
    params = shapes(point)
    made = {path: _crossbar(point, w) for path, w in on_array(params).items()}
    return unflatten_dict({tuple(path.split("/")): one for path, one in made.items()})


def _crossbar(point: Any, leaf: Any) -> ej.Crossbar:
    s, aligned, window = (
        scale(point, leaf),
        point.alignment == "aligned",
        1 / point.r_wg,
    )
    adc = ej.Adc(bits=point.adc_bits, rail=RAIL / (s if aligned else point.r_wg))

    def dac(full_scale: float) -> ej.Dac:
        return ej.Dac(bits=point.dac_bits, full_scale=None if aligned else full_scale)

    return ej.Crossbar(
        device=ej.AdditiveError(
            write_noise=point.write_noise, g_min=-window, g_max=window
        ),
        r_wg=s,
        periphery=ej.Periphery(
            dac=dac(FULL_SCALE),
            adc=adc,
            backward_dac=dac(largest_gradient(point)),
            backward_adc=adc,
        ),
    )


def largest_gradient(point: Any) -> float:
    """Of a mean loss in nats, with respect to one logit of one character."""
    return 1 / (point.batch_size * point.context)


def _own(point: Any) -> Make:
    """Each matrix has the error of a write on it for a threshold."""
    params = shapes(point)

    def make(on: Bench) -> Any:
        def of_layer(leaf: Any) -> Any:
            if len(leaf.shape) != 2:
                return on.step
            return on.step * scale(point, leaf) / point.r_wg

        return ej.eapu(jax.tree.map(of_layer, params), key=on.key, place=on.place)

    return make


def defaults(config: Config) -> Converted:
    """What one training depends on."""
    return config.trainings()["converted"]


def sweeps(config: Config) -> dict[str, Sweep]:
    """Alignment and mapping on and off, and the ideal training without arrays."""
    axes = {"alignment": ALIGNMENTS, "mapping": MAPPINGS}
    more: Any = {"dims": DIMS, "may_be_nan": MAY_BE_NAN}
    written = config.sweep(simulate, defaults(config), axes=axes, **more)
    ideal = config.ideal(written)
    return {
        "converted": written,
        "ideal": replace(ideal, base=replace(ideal.base, products="exact")),
    }


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Bits by alignment and mapping, and the ideal ones."""
    dataset = taken(found["converted"], "bits", "update_ratio")
    dataset["ideal"] = taken(found["ideal"], "bits").bits.isel(chip=0, drop=True)
    dataset.bits.attrs["units"] = "bits per character"
    dataset = dataset.assign_coords(epoch=np.arange(1, config.epochs + 1))
    return dataset.assign_attrs(
        config.facts(), steps=config.steps, blocks=config.blocks, width=config.width
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Alignment gains, and the mapping gains on top of it."""
    bits = np.log(2) * dataset.bits.isel(epoch=-1)
    neither = bits.sel(alignment="fixed", mapping="fixed")
    aligned = bits.sel(alignment="aligned", mapping="fixed")
    all_ = bits.sel(alignment="aligned", mapping="width_aware")
    chance = np.log(2) * dataset.attrs["chance"]
    rows = (
        ("aligned converters lower the loss", neither, aligned, 3.79),
        ("a width-aware mapping lowers it further", aligned, all_, 0.20),
    )
    source = "arXiv 2609.36584, the smallest model (2 blocks of 128), OpenWebText"
    more: Any = {"unit": "nats"}
    return [
        judged(
            dataset,
            f"{claim} (ours: to less than chance, the frequencies of characters)",
            source,
            before - after,
            partial(above, 0.0),
            also=[beyond_chance(chance - after)],
            published=then,
            **more,
        )
        for claim, before, after, then in rows
    ]
