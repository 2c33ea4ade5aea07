"""What README and site show runs, prints what they say, and is found."""

import contextlib
import io
import re
from pathlib import Path

import jax
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


def fenced(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.S)


def printed(example):
    """What a reader gets who pastes it: jax as it comes, not strict as in tests."""
    out = io.StringIO()
    with jax.numpy_dtype_promotion("standard"), contextlib.redirect_stdout(out):
        exec(compile(example, "example", "exec"), found := {})
    return out.getvalue(), found


def numbers(text):
    return [float(n) for n in re.findall(r"[\d.]+", text)]


@pytest.mark.parametrize("half", [0, 1])
def test_an_example_prints_what_it_says(half):
    example = fenced("README.md", "python")[half]
    assert len([line for line in example.splitlines() if line]) <= 20
    # another processor rounds otherwise, and 3000 noisy steps amplify it
    np.testing.assert_allclose(
        numbers(printed(example)[0]), numbers(fenced("README.md", "text")[half]), 0.3
    )


def test_a_newcomer_s_chain_writes_few_cells():
    text, found = printed(fenced("docs/start/jax.md", "python")[0])
    # 64 cells, each asked for 0.001 against 0.025: 2.6 expected, 1.6 standard error
    assert numbers(text)[0] / 1000 * 64 < 2.6 + 5 * 1.6
    assert found["w"].shape == (64, 1)


def test_the_sweep_returns_what_it_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = printed(fenced("docs/sweeps.md", "python")[0])[1]["found"]
    median = found.x_quantile.sel(x_q=0.5, mean=1.0, noise=0.1)
    assert abs(float(median) - 1) < 5 * 0.1 * np.sqrt(np.pi / 2 / 1000)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
