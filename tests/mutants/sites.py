"""Where a module can be mutated, and its text with one fault sown.

A site replaces the text of one expression or statement by another; everything else
of the file stays as it is, comments and line numbers too. Not touched: docstrings and
other text, annotations, decorators, what is raised, imports, `__all__`.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

SWAPPED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
RENAMED = {"min": "max", "minimum": "maximum", "ceil": "floor"}
RENAMED |= {new: old for old, new in RENAMED.items()}
# Left out of a call, these fall back to a default without an error of their own.
DROPPED = {"axis", "keepdims", "above", "at_least", "at_most", "under", "finite"}
DROPPED |= {"ddof", "initial", "where", "length", "mode", "size", "shape"}


class Site(NamedTuple):
    """One fault that can be sown into a module."""

    file: str
    line: int
    code: str  # the text of the line
    function: str  # dotted name of the function around it; "" at the top
    old: str
    new: str
    start: int  # offsets into the text, in bytes
    end: int
    nth: int = 1  # of those that read alike

    @property
    def name(self) -> str:
        """Names the fault as long as its line stays; lines above may come and go."""
        nth = "" if self.nth == 1 else f" ({self.nth})"
        where = f"{self.file}:{self.function}"
        return f"{where}: {self.code} | {self.old} -> {self.new}{nth}"


def sites(file: str, source: str) -> list[Site]:
    """Every fault that can be sown into the text of a module, in order."""
    tree = ast.parse(source)
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found, lines = [], source.splitlines()
    for function, node, new in _faults(tree, ""):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        old = " ".join(source.encode()[start:end].decode().split())
        code = lines[node.lineno - 1].strip()
        found.append(Site(file, node.lineno, code, function, old, new, start, end))
    found.sort(key=lambda site: (site.start, site.end, site.new))
    seen: Counter[str] = Counter()
    for place, site in enumerate(found):
        seen[site.name] += 1
        found[place] = site._replace(nth=seen[site.name])
    return found


def sown(source: str, site: Site) -> str:
    """The text of the module with the fault in it."""
    raw = source.encode()
    return (raw[: site.start] + site.new.encode() + raw[site.end :]).decode()


def _faults(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST, str]]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        function = f"{function}.{node.name}".lstrip(".")
    for new in _replacements(node):
        yield function, node, new
    for child in _children(node):
        yield from _faults(child, function)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What is looked at below a node: code, not text about it."""
    skipped = {"annotation", "returns", "decorator_list", "keywords", "type_params"}
    if not isinstance(node, ast.ClassDef):
        skipped.remove("keywords")
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            code = isinstance(child, ast.AST) and not _silent(child)
            if code and name not in skipped:
                yield child


def _silent(node: ast.AST) -> bool:
    """Whether a statement computes nothing: raise, import, text, `__all__`, types."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        value, target = node.value, node.targets[0]
        shape = isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Tuple)
        typed = shape and isinstance(value.slice.elts[-1], ast.Constant)
        typed = typed and isinstance(value.slice.elts[-1].value, str)
        return typed or (isinstance(target, ast.Name) and target.id == "__all__")
    kinds = ast.Raise | ast.Import | ast.ImportFrom | ast.JoinedStr | ast.Assert
    return isinstance(node, kinds)


def _replacements(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.BinOp(left, op, right) if type(op) in SWAPPED:
            if not _text(left) and not _text(right):
                yield _text_of(ast.BinOp(left, SWAPPED[type(op)](), right))
        case ast.BoolOp(op, values):
            yield _text_of(ast.BoolOp(SWAPPED[type(op)](), values))
        case ast.Compare(left, [op], [right]):
            for new in COMPARED[type(op)]:
                yield _text_of(ast.Compare(left, [new()], [right]))
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield _text_of(operand)
        case ast.Constant(value) if isinstance(value, bool):
            yield repr(not value)
        case ast.Constant(value) if isinstance(value, int):
            yield {0: "1", 1: "0"}.get(value, str(value + 1))
        case ast.Constant(value) if isinstance(value, float):
            yield repr(1.1 * value or 1.0)
        case ast.Call(function, arguments, keywords):
            yield from _calls(function, arguments, keywords)
        case ast.Return(ast.BinOp() as value):
            yield "return " + _text_of(ast.UnaryOp(ast.USub(), value))
        case ast.Expr(ast.Call()):
            yield "pass"  # a check, or a deed, left out


def _calls(function, arguments, keywords) -> Iterator[str]:
    match function:
        case ast.Name(name) if name in RENAMED:
            yield _text_of(ast.Call(ast.Name(RENAMED[name]), arguments, keywords))
        case ast.Attribute(owner, name) if name in RENAMED:
            renamed = ast.Attribute(owner, RENAMED[name])
            yield _text_of(ast.Call(renamed, arguments, keywords))
    for keyword in keywords:
        if keyword.arg in DROPPED:
            left = [other for other in keywords if other is not keyword]
            yield _text_of(ast.Call(function, arguments, left))


def _text(node: ast.AST) -> bool:
    """Whether an operand is text, or a list, that `-` knows nothing of."""
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return text or isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.Dict)


def _text_of(node: ast.AST) -> str:
    return f"({ast.unparse(ast.fix_missing_locations(node))})"
