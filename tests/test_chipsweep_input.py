"""Bad input is refused by name before the first call; good input comes in any form."""

import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from chipsweep import (
    Latin,
    Listed,
    Moments,
    Random,
    Range,
    Sobol,
    Structural,
    specify,
    sweep,
)
from chipsweep.axes import read_axes


def x_of(point, chip, key):
    return {"x": point.v + jr.normal(key)}


def never(point, chip, rng):
    raise AssertionError("called")


AXES = {"v": [0.0, 1.0]}


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (("v", "y"), "output 'v'.*an axis"),
        (("reason", "y"), "output 'reason'.*sweep's own"),
        (("chip",), "output 'chip'.*sweep's own"),
        (("seed",), "output 'seed'.*sweep's own"),
        (("computed",), "output 'computed'.*sweep's own"),
        (("y", "y_mean"), "output 'y_mean'.*reduction of 'y'"),
        (("y", "y_std"), "output 'y_std'.*reduction of 'y'"),
    ],
)
@pytest.mark.parametrize("plain", [False, True])
def test_a_name_that_is_taken_is_refused_before_the_first_call(
    outputs, message, plain, tmp_path
):
    def made(point, chip, key):
        return dict.fromkeys(outputs, 2 * point.v)

    asked = {"outputs": dict.fromkeys(outputs, float)} if plain else {}
    function = never if plain else made
    reduce = {"y": Moments()} if "y" in outputs else {}
    with pytest.raises(ValueError, match=message):
        sweep(function, AXES, reduce=reduce, store=tmp_path / "s", **asked)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "dims", [("v",), ("chip",), ("reason",), ("x",), ("v", "chip")]
)
def test_a_dimension_that_is_taken_is_refused(dims):
    def curve(point, chip, key):
        return {"curve": point.v + jnp.zeros((2,) * len(dims)), "x": point.v}

    with pytest.raises(ValueError, match=r"dims of 'curve'.*taken"):
        sweep(curve, AXES, dims={"curve": dims})


@pytest.mark.parametrize("name", ["chips", "seeds"])
@pytest.mark.parametrize(
    "given",
    [0, -1, 2.5, True, "3", None, [], [1, 1], [-1], [0.5], [2**31], 10**14, [2**40, 0]],
)
def test_chips_and_seeds_are_counted_within_the_range_of_the_generator(name, given):
    with pytest.raises(ValueError, match=name):
        specify(x_of, AXES, **{name: given})


@pytest.mark.parametrize("key", [-1, 2**31, 2**32 + 1, 0.5, True, "0", None])
def test_a_root_key_beyond_the_generator_is_refused(key):
    with pytest.raises(ValueError, match="key must be"):
        specify(x_of, AXES, key=key)


def test_seeds_keys_and_chips_that_differ_draw_differently():
    x = sweep(x_of, {"v": [0.0]}, seeds=[0, 1, 2**31 - 2], chips=[0, 2**31 - 2]).x
    assert len(np.unique(x)) == 6
    roots = [sweep(x_of, {"v": [0.0]}, key=k).x.item() for k in (0, 1, 2**31 - 1)]
    assert len(set(roots)) == 3


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"chips": np.int64(3)}, (3, 1)),
        ({"chips": np.arange(3)}, (3, 1)),
        ({"chips": range(3)}, (3, 1)),
        ({"seeds": np.int32(2)}, (1, 2)),
        ({"seeds": jnp.arange(2)}, (1, 2)),
        ({"key": np.int64(3)}, (1, 1)),
        ({"chunk": np.int64(1)}, (1, 1)),
    ],
)
def test_numbers_of_numpy_are_numbers(asked, size):
    found = sweep(x_of, {"v": np.array([0.0])}, **asked)
    assert (found.sizes["chip"], found.sizes["seed"]) == size


@pytest.mark.parametrize(
    "values", [np.arange(3), jnp.arange(3), [np.int64(0), 1, 2], (np.float32(0.5), 1)]
)
def test_arrays_of_numpy_and_jax_are_values(values):
    found = sweep(lambda p, c, k: {"x": p.v}, {"v": values}).x.values.ravel()
    np.testing.assert_array_equal(found, np.asarray(values, float))


@pytest.mark.parametrize("ends", [(1e-14, 1e-12), (1e-30, 1e30), (3e-38, 1e-37)])
def test_a_log_range_of_any_magnitude_stays_within_its_ends(ends):
    low, high = ends
    kappa = Range(low=low, high=high, log=True)
    found = sweep(
        lambda p, c, k: {"k": p.kappa}, {"kappa": kappa}, design=Random(16)
    ).kappa.values
    assert ((found >= low) & (found <= high)).all()
    assert len(set(found)) == 16
    decades = np.log(found / low) / np.log(high / low)
    assert decades.min() < 0.3 < 0.7 < decades.max()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 1.0], "distinct values"),
        ([0.1, 0.1 + 1e-12], "distinct float32 values"),
        ([1e-50, 2e-50], "distinct float32 values"),
        ([1e300], "finite in float32"),
        ([2**31], "finite in int32"),
        ([np.inf], "finite"),
        ([np.nan], "finite"),
        ([], "no values"),
        ("abc", "sequence"),
        (1.0, "sequence"),
        (["1", 1], "distinct labels"),
        ([lambda: 0, lambda: 1], "distinct labels"),
        ([np.tanh, "tanh"], "distinct labels"),
    ],
)
def test_values_that_merge_or_are_none_are_refused(values, message):
    with pytest.raises(ValueError, match=f"axis 'v'.*{message}"):
        read_axes({"v": values})


def test_reading_an_axis_takes_time_in_proportion_to_its_values():
    def took(n):
        values = np.linspace(0, 1, n)
        clock = time.process_time()
        read_axes({"v": values})
        return time.process_time() - clock

    took(1000)
    assert took(64_000) < 40 * max(took(4_000), 1e-3)  # the square would be 256


@pytest.mark.parametrize("chunk", [3, 100])
def test_a_chunk_larger_than_the_sweep_is_refused(chunk):
    with pytest.raises(ValueError, match="chunk must be at most the 2 runs"):
        sweep(x_of, AXES, chunk=chunk)


def test_a_grid_beyond_reason_is_refused():
    axes = {name: range(1000) for name in "abcd"}
    with pytest.raises(ValueError, match="points"):
        specify(x_of, axes)


def test_what_draws_points_is_loaded_when_points_are_drawn():
    said = "import sys, chipsweep; print('scipy.stats' in sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", said], text=True)
    assert loaded.split() == ["False"]


@pytest.mark.parametrize("design", [Latin(4), Random(4), Sobol(4)])
def test_a_drawn_design_needs_an_axis(design):
    with pytest.raises(ValueError, match=f"{type(design).__name__} design needs"):
        specify(never, {}, design=design)


def test_a_listed_point_names_its_axes():
    with pytest.raises(ValueError, match=r"must name \['v'\], got \['w'\]"):
        specify(x_of, AXES, design=Listed(({"w": 1.0},)))


def rectify(point, chip, rng):
    """`max` gives the whole number 0 or a float."""
    return {"y": max(0, point.v - 1), "state": "ok" if point.v < 2 else "saturated"}


def test_plain_python_keeps_the_type_it_declares():
    declared = {"y": float, "state": str}
    found = sweep(rectify, {"v": [0.5, 1.5, 2.5, 3.75]}, outputs=declared)
    assert found.y.values.ravel().tolist() == [0, 0.5, 1.5, 2.75]
    assert found.state.values.ravel().tolist() == ["ok", "ok"] + ["saturated"] * 2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1", "declared float"),
        (1j, "declared float"),
        (np.zeros(2), r"declared \(\), got \(2,\)"),
        (2**53 + 1, "beyond what a float holds"),
        (None, "declared float"),
    ],
)
def test_plain_python_that_returns_something_else_is_a_missing_value(value, message):
    def odd(point, chip, rng):
        return {"y": value if point.v else 1.0}

    found = sweep(odd, AXES, outputs={"y": float})
    assert found.reason.values.ravel().tolist() == [0, 2]
    assert message.replace("\\", "") in found.attrs["failures"].replace("\\", "")


@pytest.mark.parametrize("outputs", [{"y": int}, {"y": (complex, ())}, {"y": "float"}])
def test_what_plain_python_may_declare_is_said(outputs):
    with pytest.raises(ValueError, match=r"outputs\['y'\] must be float or str"):
        sweep(never, AXES, outputs=outputs)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p, c, k: p.v, "must return a dict"),
        (lambda p, c, k: {}, "must return a dict"),
        (lambda p, c, k: {"a b": p.v}, "identifier"),
        (lambda p, c, k: {"y": "text", "x": p.v}, "array of numbers"),
        (lambda p, c, k: {"y": k, "x": p.v}, "not a random key"),
    ],
)
def test_a_function_returns_named_numbers(function, message):
    with pytest.raises(ValueError, match=message):
        sweep(function, AXES)


def test_whole_numbers_and_booleans_have_gaps_too():
    def counted(point, chip, key):
        return {
            "n": jnp.int32(7) + chip,
            "ok": chip > 0,
            "x": jnp.log(point.v - jnp.float32(chip)),
        }

    found = sweep(counted, {"v": [1.0]}, chips=2)
    assert found.reason.values.ravel().tolist() == [0, 1]
    np.testing.assert_array_equal(found.n.values.ravel(), [7, np.nan])
    np.testing.assert_array_equal(found.ok.values.ravel(), [0, np.nan])


def test_a_function_may_ask_for_both_keys():
    def both(point, chip, keys):
        return {"start": jr.normal(keys.seed), "own": jr.normal(keys.chip) + point.v}

    found = sweep(both, {"v": [0.0]}, chips=3, seeds=2)
    assert (found.start == found.start.isel(chip=0)).all()
    assert len(np.unique(found.start)) == 2
    assert len(np.unique(found.own)) == 6
    own = sweep(x_of, {"v": [0.0]}, chips=3, seeds=2).x
    np.testing.assert_array_equal(found.own, own)


def test_structural_whole_numbers_reach_the_function_as_python_numbers():
    def sized(point, chip, key):
        assert isinstance(point.width, int)
        return {"x": jnp.zeros(point.width).sum()}

    sweep(sized, {"width": Structural(np.array([2, 5]))})


def test_the_sweep_of_a_jitted_function_is_that_of_the_function():
    jitted = jax.jit(lambda v, key: v + jr.normal(key))
    found = sweep(lambda p, c, k: {"x": jitted(p.v, k)}, AXES, chips=2).x
    np.testing.assert_array_equal(found, sweep(x_of, AXES, chips=2).x)


def test_an_address_without_its_package_is_refused_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)  # as where it is not installed
    with pytest.raises(
        ValueError, match=r"store 's3://bucket/s' needs a package: .*s3fs"
    ):
        sweep(x_of, AXES, store="s3://bucket/s")
