"""Bad input of the rules with several arrays: refused when the transform is made."""

import jax.numpy as jnp
import jax.random as jr
import pytest

import eapu_jax as ej
from tests.several_arrays import QUIET, RULES

KEY = jr.key(0)
NAN, INF = float("nan"), float("inf")
UPWARDS = ej.Crossbar(
    device=ej.PhaseChange(), encoding=ej.DifferentialPair(policy="up")
)
W = jnp.zeros((4, 4))


def two(rule):
    return lambda **k: rule(
        k.pop("fast", QUIET), k.pop("slow", QUIET), key=k.pop("key", KEY), **k
    )


def buffered(rule):
    return lambda **k: two(rule)(**{"threshold": 0.1} | k)


MAKE = {
    "tiki_taka": two(ej.tiki_taka),
    "tiki_taka_v2": buffered(ej.tiki_taka_v2),
    "chopped_tiki_taka": buffered(ej.chopped_tiki_taka),
    "agad": buffered(ej.agad),
    "residual_learning": two(ej.residual_learning),
    "residual_learning_v2": buffered(ej.residual_learning_v2),
    "low_rank_tiki_taka": two(
        lambda *a, **k: ej.low_rank_tiki_taka(*a, **{"rank": 2} | k)
    ),
    "track_symmetric_point": two(ej.track_symmetric_point),
    "multi_tile": lambda **k: ej.multi_tile(
        k.pop("crossbars", [QUIET] * 3), key=k.pop("key", KEY), **k
    ),
}
BUFFERED = ["tiki_taka_v2", "chopped_tiki_taka", "agad", "residual_learning_v2"]
PARTS = ["tiki_taka", "chopped_tiki_taka", "track_symmetric_point"]
POSITIVE = [
    "residual_learning", "residual_learning_v2", "multi_tile", "low_rank_tiki_taka"
]  # fmt: skip
CASES = [
    *[
        (name, {"rate": bad}, f"rate must be > 0, got {bad:g}")
        for name in MAKE
        for bad in (0.0, -0.5)
    ],
    *[(name, {"rate": NAN}, "rate must be a number, not NaN") for name in MAKE],
    *[(name, {"rate": INF}, "rate must be finite") for name in MAKE],
    *[(name, {"rate": "1"}, "rate must be a real number, got '1'") for name in MAKE],
    *[(name, {"every": 0}, "every must be >= 1, got 0") for name in MAKE],
    *[(name, {"every": 1.5}, "every must be a whole number, got 1.5") for name in MAKE],
    *[(name, {"step_time": -1.0}, "step_time must be >= 0, got -1") for name in MAKE],
    *[(name, {"key": 0}, "key must be a typed key") for name in MAKE],
    *[(name, {"gamma": -0.1}, "gamma must be >= 0, got -0.1") for name in PARTS],
    *[(name, {"gamma": 0.0}, "gamma must be > 0, got 0") for name in POSITIVE],
    *[(name, {"gamma": NAN}, "gamma must be a number") for name in PARTS + POSITIVE],
    *[(name, {"threshold": 0.0}, "threshold must be > 0, got 0") for name in BUFFERED],
    *[(name, {"threshold": None}, "threshold must be a number") for name in BUFFERED],
    *[(name, {"threshold": NAN}, "threshold must be a number") for name in BUFFERED],
    *[(name, {"step": 0.0}, "step must be > 0, got 0") for name in BUFFERED],
    *[(name, {"momentum": 1.5}, "momentum must be <= 1, got 1.5") for name in BUFFERED],
    *[(name, {"momentum": -1.0}, "momentum must be >= 0, got -1") for name in BUFFERED],
    *[(name, {"most": 0}, "most must be >= 1, got 0") for name in BUFFERED],
    *[
        (name, {"flip": bad}, "flip must be")
        for name in ("chopped_tiki_taka", "track_symmetric_point")
        for bad in (-0.1, 1.1, NAN)
    ],
    ("track_symmetric_point", {"smoothing": 0.0}, "smoothing must be > 0, got 0"),
    ("track_symmetric_point", {"smoothing": 1.5}, "smoothing must be <= 1, got 1.5"),
    ("agad", {"reads": 1}, "reads must be >= 2, got 1"),
    ("agad", {"gate": -1.0}, "gate must be >= 0, got -1"),
    ("low_rank_tiki_taka", {"rank": 0}, "rank must be >= 1, got 0"),
    ("multi_tile", {"crossbars": []}, "crossbars must be a sequence of at least 1"),
    ("multi_tile", {"crossbars": QUIET}, "crossbars must be a sequence"),
    ("multi_tile", {"rate": [0.1]}, "rate must be one number, or .* 2 pairs .* got 1"),
    ("multi_tile", {"every": [1, 2, 3]}, "every must be one number, .* got 3"),
    ("multi_tile", {"every": [1, 0]}, "every must be >= 1, got 0"),
    ("multi_tile", {"rate": [0.1, -1.0]}, "rate must be > 0, got -1"),
    ("multi_tile", {"crossbars": [QUIET, UPWARDS]}, r"crossbars\[1\] must be .* \(-1"),
    ("multi_tile", {"crossbars": [QUIET, None]}, r"crossbars\[1\]: crossbar must hold"),
    ("multi_tile", {"crossbars": [QUIET], "every": 0}, "every must be >= 1, got 0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "bad", "words"), CASES)
def test_what_is_out_of_bounds_is_refused_by_name(name, bad, words):
    with pytest.raises(ValueError, match=words):
        MAKE[name](**bad)


@pytest.mark.parametrize("name", [n for n in MAKE if n != "multi_tile"])
def test_crossbars_are_crossbars_and_the_fast_one_falls_again(name):
    for tile in ("slow", "fast"):
        with pytest.raises(ValueError, match="crossbar must hold Crossbars only"):
            MAKE[name](**{tile: None})
    words = r"fast must be .* directions \(-1, 1\), got \(1,\) of PhaseChange"
    with pytest.raises(ValueError, match=words):
        MAKE[name](fast=UPWARDS)
    with pytest.raises(ValueError, match=words):
        MAKE[name](fast={"a": QUIET, "b": UPWARDS})
    MAKE[name](slow=UPWARDS)


@pytest.mark.parametrize("name", BUFFERED)
def test_a_threshold_fits_its_weights(name):
    tx = MAKE[name](threshold=jnp.ones(3))
    with pytest.raises(
        ValueError, match=r"threshold of '' must fit .*\(4, 4\).*\(3,\)"
    ):
        tx.update(W, tx.init(W), W)
    tx = MAKE[name](threshold={"a": 1.0})
    with pytest.raises(ValueError, match="threshold must be a prefix"):
        tx.update(W, tx.init(W), W)


@pytest.mark.parametrize("name", RULES)
def test_a_crossbar_at_no_path_of_the_weights_is_refused(name):
    with pytest.raises(ValueError, match=r"crossbar must name paths .* got 'z'"):
        _made_of(name, {"a": QUIET, "z": QUIET}).init({"a": W})
    with pytest.raises(ValueError, match="crossbar must have one for 'b'"):
        _made_of(name, {"a": QUIET}).init({"b": W, "a": W})


def _made_of(name, tree):
    if name == "multi_tile":
        return ej.multi_tile([tree, tree], key=KEY)
    return RULES[name](tree, KEY)


@pytest.mark.parametrize("name", RULES)
def test_weights_are_floating_point(name):
    with pytest.raises(ValueError, match="floating point"):
        RULES[name](QUIET, KEY).init(jnp.zeros((4, 4), int))


def test_a_rank_is_at_most_the_smaller_side():
    tx = MAKE["low_rank_tiki_taka"](rank=5)
    with pytest.raises(ValueError, match=r"rank .* got 5 .*\(4, 4\)"):
        tx.init(W)
    with pytest.raises(ValueError, match=r"smaller side of '', \(4, 4\), got 5"):
        ej.adapt(KEY, W, 5)
    with pytest.raises(ValueError, match="rank must be >= 1, got 0"):
        ej.adapt(KEY, W, 0)
