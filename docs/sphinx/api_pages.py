"""The page of a namespace: every public name once, where it is most at home."""

import ast
import importlib
import inspect
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from docstrings import restructured
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

HERE = Path(__file__).parents[1] / "api"


def public(module: ModuleType) -> dict[str, Any]:
    """Public names of a namespace: of `__all__`, else all that is not hidden."""
    names = getattr(module, "__all__", None) or [n for n in vars(module) if n[0] != "_"]
    found = {n: vars(module)[n] for n in names if n != "__version__"}
    own = module.__name__
    return {
        name: value
        for name, value in found.items()
        if not inspect.ismodule(value)
        and (hasattr(module, "__all__") or _of(value, own))
    }


def _of(value: Any, name: str) -> bool:
    """Whether a value was made in this namespace."""
    return str(getattr(value, "__module__", "")).startswith(name)


def _told(name: str, value: Any) -> list[str]:
    if not callable(value):
        return [f".. py:data:: {name}", "", f"   {restructured(_data(name))}", ""]
    kind = "class" if inspect.isclass(value) else "function"
    lines = [f".. auto{kind}:: {name}"]
    return [*lines, "   :members:", ""] if kind == "class" else [*lines, ""]


def _data(name: str) -> str:
    """The text below the line that makes a constant, in whichever file it stands."""
    namespace, _, name = name.rpartition(".")
    file = Path(str(_module(namespace).__file__))
    for path in sorted(file.parent.glob("*.py")) if file.stem == "__init__" else [file]:
        body = ast.parse(path.read_text("utf-8")).body
        for line, text in pairwise(body):
            if name in _made(line) and isinstance(text, ast.Expr):
                return inspect.cleandoc(ast.literal_eval(text.value))
    return ""


def _made(line: ast.stmt) -> list[str]:
    targets = line.targets if isinstance(line, ast.Assign) else []
    targets += [line.target] if isinstance(line, ast.AnnAssign) else []
    return [t.id for t in targets if isinstance(t, ast.Name)]


class Namespace(SphinxDirective):
    """`.. namespace::` in a page docs/api/NAME.md."""

    def run(self) -> list[nodes.Node]:
        """The docstring of the namespace, then its names."""
        name = Path(self.env.docname).name
        module = importlib.import_module(name)
        self.env.note_dependency(str(module.__file__))
        below = [p.stem for p in HERE.glob(f"{name}.*.md") if p.stem != name]
        elsewhere = {n: b for b in sorted(below) for n in public(_module(b))}
        told = [restructured(inspect.getdoc(module) or ""), ""]
        for there in sorted(below):
            told += [f"See also :doc:`/api/{there}`.", ""]
        for n, value in public(module).items():
            if n not in elsewhere:
                told += _told(f"{name}.{n}", value)
        return self.parse_text_to_nodes("\n".join(told))


def _module(name: str) -> ModuleType:
    return importlib.import_module(name)


def _skip(app, what, name, obj, skip, options) -> bool | None:
    """The fields of a named tuple say nothing of their own."""
    return True if str(obj.__doc__).startswith("Alias for field") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_directive("namespace", Namespace)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True}
