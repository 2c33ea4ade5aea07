"""Flags on the site: each has its help, and each is one that a command takes."""

import dataclasses
import importlib.util
import re

import pytest

from experiments import EXPERIMENTS
from experiments.catalogue import find
from tests.shown_commands import ROOT, page_of_help

FILE = ROOT / "docs" / "sphinx" / "flags.py"
spec = importlib.util.spec_from_file_location("flags", FILE)
assert spec is not None
assert spec.loader is not None
shown = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shown)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_flag_has_its_help(name):
    config = find(name).Config
    found = shown.flags(config)
    assert [f.name for f in found] == [
        f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(config)
    ]
    assert all(len(flag.help) > 3 for flag in found)


@pytest.mark.parametrize("name", ["write_noise", "spu_inversion"])
def test_the_help_is_that_of_the_command(name):
    said = " ".join(page_of_help(["run", name]).split())
    for flag in shown.flags(find(name).Config):
        assert f"{flag.name} " in said
        assert flag.help in said, flag


def test_a_field_that_nobody_explains_is_refused():
    @dataclasses.dataclass
    class Bare:
        width: int = 3

    with pytest.raises(KeyError, match="width"):
        shown.flags(Bare)


ELSEWHERE = {"--array", "--gpus", "--requeue", "--survivors"}
"""Of schedulers, and of `tests.mutants`."""
PAGES = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
COMMANDS = ("board", "choose", "device", "digital", "invert", "joules", "peek")
COMMANDS += ("reproduce", "report", "sweep threshold", "replay threshold")


def named(text):
    """Flags in running text and in commands; `--flag=x` and `--flag` are one."""
    return set(re.findall(r"(?<![\w-])--[a-z][\w.-]*", text))


def test_every_flag_that_a_page_names_is_one_of_a_command():
    known = {f.name for name in EXPERIMENTS for f in shown.flags(find(name).Config)}
    known = known.union(*(named(page_of_help(words.split())) for words in COMMANDS))
    known |= {"--help", "--preset", "--device"} | ELSEWHERE
    found = {page.name: named(page.read_text("utf-8")) - known for page in PAGES}
    assert not {page: flags for page, flags in found.items() if flags}


def test_flags_are_found_where_they_stand():
    assert named("`--mlp_epochs 4`, (--store=x) a---b --base.width") == {
        "--mlp_epochs", "--store", "--base.width",
    }  # fmt: skip
