"""A result is used again exactly as long as what it depends on is the same."""

import ast
import json
from dataclasses import dataclass, replace

import pytest
import xarray as xr

from experiments import EXPERIMENTS, provenance
from tests import toy_experiment as toy

EXPERIMENT = '''
"""An experiment."""
from dataclasses import dataclass
from physics import law, look

@dataclass
class Config:
    """Config."""
    n: int = SIZE

SIZE = 3
PRESETS = {"smoke": Config(n=1)}

def run(config, work=None):
    """Run."""
    return _steps(config.n)

def _steps(n):
    return law.step(n)  # one step

def plot(dataset):
    return _panel(look.draw(dataset))

def _panel(figure):
    return figure
'''
LAW = '"""The law."""\n\ndef step(n):\n    """Step."""\n    return n + 1\n'


@pytest.fixture
def fingerprint(tmp_path, monkeypatch):
    """The code hash of an experiment after a textual change of a file."""
    monkeypatch.setattr(provenance, "_OURS", ("physics", "figure_9"))
    count = iter(range(99))

    def of(file="", old="", new=""):
        root = tmp_path / str(next(count))
        (root / "physics").mkdir(parents=True)
        files = {
            "figure_9.py": EXPERIMENT,
            "physics/__init__.py": "",
            "physics/law.py": LAW,
            "physics/look.py": "def draw(x):\n    return x\n",
        }
        for name, text in files.items():
            assert name != file or old in text
            (root / name).write_text(text.replace(old, new) if name == file else text)

        def source(module):
            stem = root.joinpath(*module.split("."))
            candidates = (stem.with_suffix(".py"), stem / "__init__.py")
            return next((p for p in candidates if module and p.exists()), None)

        monkeypatch.setattr(provenance, "_source", source)
        return provenance.code_hash.__wrapped__("figure_9")

    return of


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("figure_9.py", "law.step(n)", "law.step(n + 1)"),
        ("figure_9.py", "SIZE = 3", "SIZE = 4"),
        ("figure_9.py", "SIZE = 3", "SIZE = 3\nlaw.configure(x64=True)"),
        ("physics/law.py", "n + 1", "n + 2"),
        ("physics/__init__.py", "", "import jax"),
    ],
)
def test_a_change_behind_run_changes_the_hash(fingerprint, file, old, new):
    assert fingerprint(file, old, new) != fingerprint()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("figure_9.py", "  # one step", "  # a single step"),
        ("figure_9.py", '"""Run."""', '"""Run it."""'),
        ("figure_9.py", "_panel(look", "(look"),
        ("figure_9.py", "return figure", "return None"),
        ("figure_9.py", "n=1", "n=2"),
        ("physics/law.py", '"""The law."""', '"""The old law."""'),
        ("physics/look.py", "return x", "return 2 * x"),
    ],
)
def test_words_and_drawings_do_not_change_the_hash(fingerprint, file, old, new):
    assert fingerprint(file, old, new) == fingerprint()


def test_the_whole_library_is_behind_an_experiment_that_imports_it():
    reached = provenance._reached("eapu_jax")
    assert {"eapu_jax", "eapu_jax.transforms.eapu", "prng"} <= set(reached)
    assert not any(name.startswith(("thermo", "experiments")) for name in reached)


def test_no_number_of_an_experiment_is_read_off_a_clock():
    reached = {}
    for module in EXPERIMENTS.values():
        reached |= provenance._reached(module)
    told = ("experiments.sweep", "experiments.progress", "experiments.provenance")
    clocks = {
        name
        for name, source in reached.items()
        for i in provenance._imports(ast.parse(source), name.rpartition(".")[0])
        if i.partition(".")[0] in ("time", "datetime", "timeit")
        and not name.startswith(told)
    }
    assert len(reached) > 50
    assert not clocks


def test_equal_configs_have_equal_hashes_and_others_do_not():
    @dataclass(frozen=True)
    class Config:
        n_chips: int = 4

    first = provenance.config_hash(toy.Config())
    assert first == provenance.config_hash(toy.Config(n_chips=4))
    assert first != provenance.config_hash(toy.Config(n_chips=5))
    assert first != provenance.config_hash(Config())


def test_a_stamp_says_how_to_make_the_result_again():
    config = replace(toy.Config(), n_chips=2)
    made = xr.Dataset(attrs={"data": "toy data"})
    attrs = provenance.stamped(made, name="toy", config=config, scale="reduced").attrs
    assert toy.Config(**json.loads(attrs["config"])).n_chips == 2
    assert attrs["data"] == "toy data"
    for key in ("commit", "versions", "created", "config_hash", "code_hash"):
        assert attrs[key]
    assert "jax " in attrs["versions"]
