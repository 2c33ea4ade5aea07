"""Times, lifetimes and the record of a run, against sums made by hand."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import eapu_jax as ej
from eapu_jax import cost
from eapu_jax.encodings import DifferentialPair
from eapu_jax.periphery import Periphery

KNOWN = cost.read_constants()
WORK = cost.Work(
    pulses=700, reads=110, macs=13_000, dac=170, adc=190, random_bits=23.0,
    digital_bits=29.0, down=300, writes=500, vectors=60, words=2.0,
)  # fmt: skip
ON = cost.machine(adc="adc_8_bit", dac="dac_row", verify="read_cell")
ENDS = ("low", "value", "high")


def exactly(x):
    return cost.Constant(value=x, low=x, high=x, source="made up", label="ASSUMED")


@pytest.mark.parametrize("end", ENDS)
def test_a_run_takes_what_its_parts_take_one_after_another(end):
    at = cost.timing(cells_at_once=5, layers_at_once=2, input_bits=6, output_bits=7)
    parts = cost.latency(WORK, ON, at)
    t = {name: getattr(getattr(at, name), end) for name in ("pulse", "read")}
    t_in, t_out = getattr(at.integrate, end), getattr(at.convert, end)
    loop = getattr(ON.pulses_per_write, end)
    by_hand = {
        "pulses": 700 * loop * t["pulse"] / 5,
        "verifies": 500 * loop * (t["read"] + t_out) / 5,
        "reads": 110 * (t["read"] + 7 * t_out) / 5,
        "inputs": 30 * 6 * t_in,
        "conversions": 30 * 7 * t_out,
    }
    assert set(parts) == set(by_hand)
    for name, seconds in by_hand.items():
        np.testing.assert_allclose(getattr(parts[name], end), seconds, rtol=1e-12)


def test_an_open_loop_verifies_nothing():
    assert cost.latency(WORK, cost.machine(), cost.timing())["verifies"] == (0, 0, 0)
    assert cost.verifies(WORK, cost.machine()) == (0, 0, 0)
    assert cost.verifies(WORK, ON).value == 500 * KNOWN["pulses_per_write"].value


def test_times_are_those_of_their_sources():
    assert KNOWN["pulse_time"].low == 10e-9
    assert KNOWN["pulse_time"].high == pytest.approx(8.52e-6)
    assert KNOWN["integration_step"].value == pytest.approx(0.27e-6)
    assert KNOWN["adc_step"].value == pytest.approx(0.3e-6)
    np.testing.assert_allclose(KNOWN["adc_step"].low, 1 / 1.2e9 / 8, rtol=0.01)
    for name, watts, tflops in (("h100_fp8", 700, 1978.9), ("b300", 1400, 3500)):
        joules = 2 * watts / (tflops * 1e12)
        np.testing.assert_allclose(KNOWN[f"gpu_{name}_mac"].value, joules, rtol=0.01)


def test_the_record_holds_every_count_and_adds_up_to_energy_and_latency():
    at = cost.timing(cells_at_once=3)
    rows = {row.name: row for row in cost.record(WORK, ON, at)}
    counts = {name: row.number.value for name, row in rows.items() if row.number}
    loop = KNOWN["pulses_per_write"].value
    assert counts == {
        "cell writes": 500, "pulses up": 400, "pulses down": 300,
        "verifying reads": 500 * loop, "reads of cells": 110,
        "multiplications": 13_000, "input conversions": 170, "output conversions": 190,
        "random bits": 23, "bits to and from memory": 29, "digital words per weight": 2,
    }  # fmt: skip
    whole = rows["in all"]
    np.testing.assert_allclose(whole.joules, cost.total(cost.energy(WORK, ON)))
    np.testing.assert_allclose(whole.seconds, cost.total(cost.latency(WORK, ON, at)))
    assert "ASSUMED" in rows["verifying reads"].labels
    assert set(whole.labels) == set(itertools.chain(*(r.labels for r in rows.values())))


def test_what_a_work_does_not_tell_is_missing_in_its_record():
    rows = {r.name: r for r in cost.record(cost.Work(9, macs=5), cost.machine())}
    assert rows["pulses"].number.value == rows["cell writes"].number.value == 9
    assert "pulses up" not in rows
    assert rows["multiplications"].seconds is rows["in all"].seconds is None
    assert rows["multiplications"].joules.value == 5 * KNOWN["mac"].value
    assert rows["pulses"].seconds is not None
    assert rows["verifying reads"].number.value == 0
    assert rows["verifying reads"].joules is rows["verifying reads"].seconds is None
    assert rows["output conversions"].joules is None  # the product has its periphery
    assert rows["random bits"].labels == ()  # none was drawn
    assert "STATED-2nd" not in rows["in all"].labels


def test_a_record_is_written_out_a_line_a_row():
    rows = cost.record(WORK, ON)
    head, *lines = cost.written_out(rows).splitlines()
    assert head.split() == ["number", "energy,", "J", "time,", "s", "constants", "are"]
    for row, line in zip(rows, lines, strict=True):
        assert line.startswith(row.name)
        assert line.endswith(", ".join(row.labels))
    assert "300 " in lines[2]


def test_an_inference_is_a_product_a_vector_and_a_layer():
    pairs = ej.Crossbar(
        encoding=DifferentialPair(), periphery=Periphery(tile=(128, 128))
    )
    shapes = {"a": (300, 20), "b": (20, 10)}
    work = cost.inference_work(pairs, shapes, vectors={"a": 8, "b": 2})
    assert work.macs == 2 * (8 * 300 * 20 + 2 * 20 * 10)
    assert work.dac == 8 * 300 + 2 * 20
    assert work.adc == 8 * 20 * 3 + 2 * 10  # three tiles, one above another
    assert work.vectors == 8 + 2
    assert (work.pulses, work.written, work.up, work.digital_bits) == (0, 0, 0, 0.0)


def test_who_survives_is_who_was_written_no_more_than_it_bears():
    writes = jnp.array([0, 1, 5, 6, 7, 2**31], jnp.uint32)
    assert float(cost.survivors(writes, 6.0)) == pytest.approx(4 / 6)
    assert float(cost.survivors(writes, 1e10)) == 1.0


def test_a_lifetime_is_where_survivors_begin_to_be_missing():
    """The oracle: wear every cell training by training, and count who is left."""
    writes = {
        "a": jax.random.randint(jax.random.key(0), (20, 30), 1, 400),
        "b": jnp.arange(1, 201),
    }
    every = jnp.concatenate([writes["a"].ravel(), writes["b"]]).astype(float)
    bears = 1e5
    found = cost.lifetime(
        writes, steps=50, pulses_per_write=exactly(4.0), endurance=exactly(bears)
    )
    assert [one.cells for one in found] == [1, 8, 400]
    for one in found:
        n = one.trainings.value
        worn = [
            every.size
            - round(every.size * float(cost.survivors(every * (4 * n * part), bears)))
            for part in (0.999, 1.001)
        ]
        assert worn[0] < one.cells <= worn[1]
        assert one.steps.value == 50 * n


def test_the_least_endurance_goes_with_the_longest_loop():
    bears = cost.Constant(value=1e7, low=1e4, high=1e9, source="made up", label="OWN")
    loop = cost.Constant(value=10, low=1, high=100, source="made up", label="OWN")
    given = {"steps": 10, "pulses_per_write": loop, "endurance": bears, "worn": (0.0,)}
    [one] = cost.lifetime(jnp.array([5, 2]), **given)
    assert one.trainings == (1e4 / 500, 1e7 / 50, 1e9 / 5)
    [never] = cost.lifetime(jnp.zeros(3, int), **given)
    assert never.trainings == never.steps == (math.inf,) * 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": 0}, "steps must be >= 1, got 0"),
        ({"worn": (1.5,)}, "worn must be <= 1, got 1.5"),
        ({"endurance": 1e7}, "endurance must be a Constant"),
        ({"pulses_per_write": exactly(0.0)}, "pulses_per_write.low must be > 0"),
        ({"writes": jnp.array([-1])}, "fewest writes of a cell must be >= 0"),
        ({"writes": jnp.ones(2)}, "writes must be an array of whole numbers"),
        ({"writes": {}}, "at least one cell"),
    ],
)
def test_a_lifetime_of_nothing_is_refused(changed, message):
    good = {"writes": jnp.arange(3), "steps": 1, "pulses_per_write": exactly(1.0)}
    with pytest.raises(ValueError, match=message):
        cost.lifetime(**{**good, "endurance": exactly(1e3), **changed})
