"""Figures of deep networks and of boards: legible, keyed, and with a conclusion.

Their modules are read, as texts, for what no figure of theirs may do; a few are drawn
from made-up numbers, and captions must follow these.
"""

import ast
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from experiments.deep import ablations_figure, resnet_cifar10_figure
from experiments.figures import style
from tests.figure_laws import alike, covered, crossed, too_small

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
MODULES = sorted(
    path
    for part in ("deep", "thermodynamic")
    for path in (EXPERIMENTS / part).glob("*_figure.py")
)
DRAWN = [path for path in MODULES if path.stem != "boards_figure"]
LONG = 70
"""Characters from which two captions that share them share a sentence."""

each = pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
each_drawn = pytest.mark.parametrize("path", DRAWN, ids=lambda p: p.stem)


def tree(path):
    return ast.parse(path.read_text("utf-8"))


def calls(path, name):
    """Calls of a function or method of this name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            if called == name:
                yield node


def keywords(path, name):
    """Values of a keyword in any call, where they are written down."""
    for node in ast.walk(tree(path)):
        named = isinstance(node, ast.keyword) and node.arg == name
        if named and isinstance(node.value, ast.Constant):
            yield node.value.value


def widths(path):
    """Inches of every figure of a module."""
    sizes = [call.args[0] for call in calls(path, "panels")]
    sizes += [
        k.value for call in calls(path, "Figure") for k in call.keywords
        if k.arg == "figsize"
    ]  # fmt: skip
    return [ast.literal_eval(size.elts[0]) for size in sizes]


@each_drawn
def test_no_figure_is_wider_than_a_telephone_shows(path):
    assert widths(path)
    assert max(widths(path)) <= style.WIDTH


@each
def test_no_letter_is_set_smaller_than_the_smallest(path):
    for name in ("fontsize", "labelsize"):
        sizes = [*keywords(path, name)]
        assert not [s for s in sizes if isinstance(s, str) or s < style.SMALL]


@each
def test_no_key_lies_among_the_curves(path):
    axes = [
        c for c in calls(path, "legend") if ast.unparse(c.func) != "ax.figure.legend"
    ]
    assert not axes, "style.key puts it below"


@each_drawn
def test_a_caption_takes_its_numbers_from_the_data(path):
    notes = [
        f for f in ast.walk(tree(path))
        if isinstance(f, ast.FunctionDef) and f.name in ("note", "_note", "_seen")
    ]  # fmt: skip
    assert notes, "what is seen, and what to conclude"
    told = [n for f in notes for n in ast.walk(f) if isinstance(n, ast.FormattedValue)]
    assert len(told) >= 2


def test_no_two_captions_say_the_same():
    said = {}
    for path in MODULES:
        for node in ast.walk(tree(path)):
            text = getattr(node, "value", None)
            if isinstance(text, str) and len(text) >= LONG:
                said.setdefault(text, set()).add(path.stem)
    assert not {text: where for text, where in said.items() if len(where) > 1}


def of_ablations(gain):
    """Made-up numbers: one variant gains so many bits, all others nothing."""
    names, strengths = [*ablations_figure.NAMES], [1.0, 4.0, 8.0]
    shape = (len(names), len(strengths), 1, 3)
    dims = ("variant", "strength", "chip", "seed")
    fall = np.array([0.3, 0.1, 0.0])[:, None, None]
    bits = 3.3 + fall + 0.01 * np.random.default_rng(0).random(shape)
    writes = np.broadcast_to(np.array([0.2, 1.0, 5.0])[:, None, None], shape)
    gained = xr.DataArray(np.zeros(len(names)), coords={"variant": names})
    gained.loc["falling"] = gain
    per_seed = gained.expand_dims(chip=1, seed=3).transpose("variant", "chip", "seed")
    return xr.Dataset(
        {
            "bits": (dims, bits),
            "writes": (dims, writes),
            "ideal": ("seed", np.full(3, 3.25)),
            "gain": (per_seed.dims, per_seed.values),
            "gain_error": ("variant", np.full(len(names), 0.01)),
        },
        coords={"variant": names, "strength": strengths},
        attrs={"steps": 256, "scale": "reduced"},
    )


def of_residual_networks(eapu):
    """Made-up numbers: accuracy of EaPU in its last epochs."""
    noises, epochs = [1.0, 2.0, 4.0], np.arange(1, 11)
    level = {"noisy": 0.2, "eapu": eapu}
    accuracy = np.stack([np.full((3, 1, 3, 10), x) for x in level.values()])
    ratio = np.stack([np.full((3, 1, 3), x) for x in (1.0, 0.002)])
    dims = ("rule", "write_noise", "chip", "seed")
    return xr.Dataset(
        {
            "accuracy": ((*dims, "epoch"), accuracy),
            "update_ratio": (dims, ratio),
            "ideal": (("seed", "epoch"), np.full((3, 10), 0.9)),
        },
        coords={"rule": [*level], "write_noise": noises, "epoch": epochs},
        attrs={"chance": 0.1, "layers": 8, "scale": "reduced"},
    )


DRAWINGS = {
    "ablations": lambda: ablations_figure.plot(of_ablations(0.05)),
    "resnet_cifar10": lambda: resnet_cifar10_figure.plot(of_residual_networks(0.8)),
}


@pytest.fixture(scope="module")
def drawings():
    figures = {name: draw() for name, draw in DRAWINGS.items()}
    for figure in figures.values():
        figure.draw_without_rendering()
    return figures


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_legible_on_a_telephone_and_nothing_covers_a_curve(drawings, name):
    figure = drawings[name]
    laws = (too_small, alike, covered, crossed)
    assert not [what for law in laws for what in law(figure)]


def test_the_ideal_line_is_not_the_edge_of_the_panel(drawings):
    for axes in drawings["ablations"].axes[:2]:
        low, high = axes.get_ylim()
        assert low + 0.02 * (high - low) < 3.25 < high


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_figure_prints_its_scale(drawings, name):
    assert "Scale: reduced" in drawings[name].get_supxlabel()


def test_a_caption_calls_a_gain_a_gain_and_a_loss_a_loss():
    gains, loses, neither = (
        ablations_figure.note(of_ablations(x)) for x in (0.05, -0.05, 0.005)
    )
    assert "chance: threshold falls fourfold (+0.050); worse: none" in gains
    assert "chance: none; worse: threshold falls fourfold (-0.050)" in loses
    assert "chance: none; worse: none" in neither


def test_a_caption_says_what_is_won_back():
    half, whole = (
        resnet_cifar10_figure.note(of_residual_networks(x)) for x in (0.55, 0.9)
    )
    assert "wins back 50%" in half
    assert "wins back 100%" in whole
    assert "500 times fewer writes" in whole


@pytest.mark.parametrize("span", [(0.31, 0.74), (2.7e-5, 3.6e-5), (0.3, 2.0)])
def test_numbers_between_decades_are_plain_and_differ(span):
    axes = Figure().add_subplot()
    axes.plot(span)
    style.decades(axes)
    axes.figure.draw_without_rendering()
    found = [t.get_text() for t in axes.get_yticklabels(which="both")]
    shown = [text for text in found if text]
    assert len(shown) > 1
    assert len(set(shown)) == len(shown)
    assert span[0] < 1e-4 or not any("e" in text for text in shown)
