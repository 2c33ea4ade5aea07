"""What the wheel holds, and who may lie beside it."""

from importlib import metadata

import pytest

import chipsweep
import eapu_jax
import thermo
from tests import packages
from thermo import alone


def test_all_three_are_of_one_version():
    assert eapu_jax.__version__ == thermo.__version__ == chipsweep.__version__


def test_the_other_thermo_is_named(monkeypatch):
    alone.refuse_the_other()
    monkeypatch.setattr(metadata, "version", lambda name: "0.4.2")
    with pytest.raises(ImportError, match=r"thermo 0\.4\.2 of chemical engineering"):
        alone.refuse_the_other()


def test_six_environments_hold_the_wheel_alone(tmp_path):
    words = packages.command("3.12", "lowest-direct", tmp_path / "a.whl")
    assert words[:3] == ["uv", "run", "--isolated"]
    assert words[-2] == "-I"  # nothing of the checkout is found
    assert len(packages.PYTHONS) * len(packages.RESOLUTIONS) == 6
