"""Python lines of the pages about one's own device and board run as they stand."""

import re

import jax
import pytest

import eapu_jax as ej
from tests.shown_commands import ROOT


@pytest.mark.parametrize(
    "page", [pytest.param("own_board", marks=pytest.mark.slow), "own_device"]
)
def test_what_a_page_shows_runs(page, tmp_path, monkeypatch):
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert blocks
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    device = ej.Crossbar(device=ej.SoftBounds())
    ej.save_device(tmp_path / "results" / "synthetic_pulses_long.toml", device)
    found = {}
    with jax.numpy_dtype_promotion("standard"):
        for block in blocks:
            exec(compile(block, page, "exec"), found)
    if page == "own_board":
        assert found["better"].floor < found["better"].floor_before
