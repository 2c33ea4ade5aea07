"""What a number depends on: its config, its code, its versions.

A finished part is used again only if its config, the code it ran and the
version of jax are the same. "The code" is every module of this project that
`run` reaches through imports, without comments, docstrings and formatting,
without what only `plot` and `claims` use, and without the machinery that keeps
numbers but makes none: redrawing a figure costs no recomputation, and a change
of the physics never passes unnoticed. A module that is imported by a computed
name is not seen; none is.
"""

import ast
import dataclasses
import datetime
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import subprocess
from functools import cache
from pathlib import Path

import xarray as xr

__all__ = ["code_hash", "config_hash", "config_json", "stamped", "text_hash"]

_OURS = ("prng", "eapu_jax", "thermo", "experiments")
_MACHINERY = ("experiments", *(f"experiments.{m}" for m in ("work", "store", "style")))
_SHOWN = ("jax", "jaxlib", "numpy", "optax", "diffrax", "flax", "xarray")
_ROOTS = {"run", "Config"}  # where an experiment's numbers begin
_IMPORTS = (ast.Import, ast.ImportFrom)


def config_json(config) -> str:
    """A config dataclass as JSON with sorted keys.

    Example:
        >>> @dataclasses.dataclass
        ... class Config:
        ...     seed: int = 0
        ...     noise: tuple[float, ...] = (1.0, 2.0)
        >>> config_json(Config())
        '{"noise": [1.0, 2.0], "seed": 0}'
    """
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        return "{}"
    return json.dumps(dataclasses.asdict(config), sort_keys=True, default=str)


def config_hash(config) -> str:
    """Twelve hex digits that name a config, and its class."""
    return text_hash(f"{type(config).__module__} {config_json(config)}")


def text_hash(text: str) -> str:
    """Twelve hex digits that name a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@cache
def code_hash(module: str) -> str:
    """Twelve hex digits that name the code behind a module's `run`.

    Args:
        module: dotted name; of an experiment, or of any module.
    """
    digest = hashlib.sha256(importlib.metadata.version("jax").encode())
    for name, source in sorted(_reached(module).items()):
        digest.update(f"\0{name}\0{source}".encode())
    return digest.hexdigest()[:12]


def stamped(dataset: xr.Dataset, *, name: str, config, scale: str) -> xr.Dataset:
    """The dataset with attributes that say how to make it again.

    Adds `experiment`, `config` (JSON), `config_hash`, `code_hash`, `commit`,
    `versions`, `created` (UTC) and `scale`, unless the dataset already has it.
    """
    module = type(config).__module__
    attrs = {
        "experiment": name,
        "config": config_json(config),
        "config_hash": config_hash(config),
        "code_hash": code_hash(module),
        "commit": _commit(),
        "versions": _versions(),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "scale": dataset.attrs.get("scale", scale),
    }
    return dataset.assign_attrs(attrs)


def _versions() -> str:
    known = {d: _version(d) for d in _SHOWN}
    shown = [f"{d} {v}" for d, v in known.items() if v]
    return ", ".join([f"python {platform.python_version()}", *shown])


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def _commit() -> str:
    """The checkout's commit, "+" if it has changes, "unknown" outside of git."""
    here = Path(__file__).resolve().parent
    git = ["git", "-C", str(here)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        changes = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


def _reached(module: str) -> dict[str, str]:
    """Normal form of every module of ours that `module` imports, itself included."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = None if name in found or name in _MACHINERY else _source(name)
        if path is None:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        body = _behind_run(tree) if name == module else tree.body
        found[name] = "\n".join(map(_normal, body))
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        imports = [i for node in body for i in _imports(node, package)]
        waiting += [i for i in imports if i.split(".")[0] in _OURS]
        waiting.append(name.rpartition(".")[0])  # a package runs before its modules
    return found


def _source(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module) if module else None
    except ImportError:  # a function or class, named like a module
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _imports(node: ast.AST, package: str) -> list[str]:
    """Names of modules, and of what might be modules, that a statement imports."""
    names = []
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            names += [alias.name for alias in part.names]
        elif isinstance(part, ast.ImportFrom):
            base = "." * part.level + (part.module or "")
            base = importlib.util.resolve_name(base, package) if part.level else base
            names += [base, *(f"{base}.{alias.name}" for alias in part.names)]
    return names


def _behind_run(tree: ast.Module) -> list[ast.stmt]:
    """The top-level statements that `run` and `Config` lead to; else all."""
    binds = [(node, _bound(node)) for node in tree.body]
    if not set().union(*(names for _, names in binds)) >= _ROOTS:
        return tree.body
    reached, size = set(_ROOTS), 0
    while len(reached) > size:
        size = len(reached)
        for node, names in binds:
            if names & reached and not isinstance(node, _IMPORTS):
                reached |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    kept = (
        _only(node, reached) for node, names in binds if names & reached or not names
    )
    return list(kept)


def _only(node: ast.stmt, reached: set[str]) -> ast.stmt:
    """An import without the names not reached; any other statement as it is."""
    if isinstance(node, ast.Import):
        return ast.Import([a for a in node.names if _name(a) in reached])
    if isinstance(node, ast.ImportFrom):
        names = [a for a in node.names if _name(a) in reached]
        return ast.ImportFrom(node.module, names, node.level)
    return node


def _name(alias: ast.alias) -> str:
    return (alias.asname or alias.name).split(".")[0]


def _bound(node: ast.stmt) -> set[str]:
    """Names that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, _IMPORTS):
        return set(map(_name, node.names))
    stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in stored if isinstance(n.ctx, ast.Store)}


def _normal(node: ast.stmt) -> str:
    """A statement without comments, layout and docstrings."""
    for part in ast.walk(node):
        body = getattr(part, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            body[0] = ast.Pass()
    return "" if _is_text(node) else ast.unparse(node)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
