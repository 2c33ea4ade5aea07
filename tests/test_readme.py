"""The README's example runs, and prints what the README says it prints."""

import contextlib
import io
import re
from pathlib import Path

import jax
import numpy as np

README = Path(__file__).parents[1] / "README.md"


def fenced(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.S)


def run(example):
    """What a reader gets who pastes it: jax as it comes, not strict as in tests."""
    found = {}
    with jax.numpy_dtype_promotion("standard"):
        exec(compile(example, "README.md", "exec"), found)
    return found


def numbers(text):
    return [float(n) for n in re.findall(r"[\d.]+", text)]


def test_the_example_prints_what_it_says():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        run(fenced("python")[0])
    # another processor rounds otherwise, and 3000 noisy steps amplify it
    np.testing.assert_allclose(
        numbers(printed.getvalue()), numbers(fenced("text")[0]), 0.3
    )


def test_the_example_is_short():
    lines = [line for line in fenced("python")[0].splitlines() if line]
    assert len(lines) <= 20


def test_the_sweep_returns_what_it_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run(fenced("python")[1])["found"]
    median = found.x_quantile.sel(x_q=0.5, mean=1.0, noise=0.1)
    assert abs(float(median) - 1) < 5 * 0.1 * np.sqrt(np.pi / 2 / 1000)
