"""A component of another package becomes constants, and that package stays away."""

import subprocess
import sys
from typing import NamedTuple

import pytest

from eapu_jax import cost
from eapu_jax.cost.hwcomponents import costs


class Cost(NamedTuple):
    energy: float
    latency: float
    throughput: float = float("inf")


class Converter:
    """As the converter of NeuRRAM is there: 0.3 pJ a bit, and no time said."""

    def __init__(self, bits):
        self.bits = bits

    def convert(self):
        return Cost(0.3e-12 * self.bits, 0.0)

    def charge(self, *, rows):
        return Cost(1e-15 * rows, 2e-9)


def test_a_component_takes_its_place_in_a_machine():
    found = costs(Converter(8), "convert")
    assert found.joules.low == found.joules.high == found.joules.value == 2.4e-12
    assert found.joules.source.endswith("Converter.convert()")
    assert found.joules.label == "STATED-2nd"
    known = cost.read_constants() | {"adc": found.joules}
    parts = cost.energy(cost.Work(adc=1000), cost.machine(known, adc="adc"))
    assert parts["conversions"].value == pytest.approx(2.4e-9)


def test_a_time_that_is_not_modelled_is_none_and_no_zero():
    assert costs(Converter(8), "convert").seconds is None
    found = costs(Converter(8), "charge", label="DERIVED", rows=256)
    assert found.joules.value == pytest.approx(2.56e-13)
    assert found.seconds is not None
    assert found.seconds.value == 2e-9
    assert found.seconds.label == "DERIVED"


def test_what_is_no_component_is_refused():
    with pytest.raises(ValueError, match="must have the action 'sample'"):
        costs(Converter(8), "sample")
    with pytest.raises(
        ValueError, match=r"energy of Converter.convert\(\) must be >= 0"
    ):
        costs(Converter(-1), "convert")


def test_the_package_itself_is_not_imported():
    look = (
        "import sys, eapu_jax.cost.hwcomponents; print('hwcomponents' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
