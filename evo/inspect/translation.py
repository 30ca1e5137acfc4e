"""Elementwise Python functions as JavaScript functions, translated node by node from their source.

Elementwise means: assignments, arithmetic, comparisons, tuples, and calls of `evo.lanes` and of functions written
likewise. Anything else is refused with its line, never guessed at. Python's meaning is kept (`-2 ** 2`, `-7 % 3`,
`a < b < c`, what is true); where Python raises (a division by 0, say), JavaScript goes on with Infinity or NaN, as
torch does. `~` is "not" on truth values, as it is on tensors. What a variable holds is not known here: add numbers,
never tuples.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import types
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from evo import lanes

Function = Callable[..., Any]

RESERVED = (
    "Infinity Math NaN Number arguments await break case catch class const continue debugger default delete do else "
    "enum eval export extends false finally for function if implements import in instanceof interface let new null "
    "package private protected public return static super switch this throw true try typeof undefined var void while "
    "with yield"
)
"""Names that Python code may use and JavaScript may not."""

KNOWN: Mapping[Any, str] = {
    lanes.sin: "Math.sin",
    lanes.cos: "Math.cos",
    lanes.exp: "Math.exp",
    lanes.tanh: "Math.tanh",
    lanes.sqrt: "Math.sqrt",
    lanes.absolute: "Math.abs",
    lanes.where: "$where",
    lanes.clip: "$clip",
    abs: "Math.abs",
    min: "$min",
    max: "$max",
}
"""Functions that are not translated but have a counterpart: JavaScript's own, or one of python.js, with a `$`."""

UNARY: Mapping[type[ast.AST], str] = {
    ast.USub: "(-{})",
    ast.UAdd: "(+{})",
    ast.Not: "(!$truth({}))",
    ast.Invert: "$invert({})",
}
BINARY: Mapping[type[ast.AST], str] = {
    ast.Add: "({} + {})",
    ast.Sub: "({} - {})",
    ast.Mult: "({} * {})",
    ast.Div: "({} / {})",
    ast.Mod: "$modulo({}, {})",
    ast.FloorDiv: "$floor_divide({}, {})",
    ast.Pow: "$power({}, {})",
    ast.BitAnd: "$both({}, {})",
    ast.BitOr: "$either({}, {})",
    ast.BitXor: "$differ({}, {})",
}
COMPARISONS: Mapping[type[ast.AST], str] = {
    ast.Lt: "({} < {})",
    ast.LtE: "({} <= {})",
    ast.Gt: "({} > {})",
    ast.GtE: "({} >= {})",
    ast.Eq: "(+{} === +{})",
    ast.NotEq: "(+{} !== +{})",
}
INSTEAD: Mapping[type[ast.AST], str] = {
    ast.If: "write where(condition, yes, no)",
    ast.IfExp: "write where(condition, yes, no)",
    ast.For: "write its rounds one below the other",
    ast.While: "an elementwise function takes the same steps for every state",
    ast.List: "write a tuple",
    ast.Slice: "name the elements one by one",
    ast.Starred: "name the elements one by one",
}


class NotTranslatable(ValueError):  # noqa: N818 - it says what the function is
    """Python that has no translation; the text says which construct, and where it stands."""


class Module:
    """JavaScript functions that share a scope of their own, each translated once however often it is called."""

    def __init__(self) -> None:
        self.names: dict[Function, str] = {}
        self.functions: list[str] = []

    def function(self, function: Function) -> str:
        """Translate a function, with those that it calls, and return its name in this scope.

        Raises:
            NotTranslatable: one of them is not elementwise, or its source is not at hand.
        """
        if function not in self.names:
            tree = _tree(function)
            name = "lambda" if isinstance(tree, ast.Lambda) else identifier(tree.name)
            self.names[function] = f"{name}${len(self.names) + 1}"
            self.functions.append(_Translation(function, tree, self).text(self.names[function]))
        return self.names[function]

    def define(self, name: str, value: str) -> str:
        """Return a statement that defines `name` as `value`, an expression in which this scope's functions are known.

        Raises:
            ValueError: `name` is no name.
        """
        if not name.isidentifier():
            raise ValueError(f"name: expected a letter and then letters and digits, got {name!r}")
        body = "\n".join([_python(), *self.functions, f"return {value};"])
        return f"const {identifier(name)} = (() => {{\n{body}\n}})();\n"


@cache
def _python() -> str:
    return Path(__file__).with_name("python.js").read_text(encoding="utf-8").rstrip()


def identifier(name: str) -> str:
    """Return the JavaScript name for a Python name: another for every other one, and in ASCII."""
    plain = "".join(letter if letter.isascii() else f"$u{ord(letter):x}" for letter in name)
    return f"{plain}$" if plain in RESERVED.split() else plain


def text_literal(text: str) -> str:
    """Return a string literal that is inert in a script element, whatever it spells."""
    return json.dumps(text).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def literal(value: Any) -> str | None:
    """Return the literal of a number, truth value, text, or tuple of such; None for anything else."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return text_literal(value)
    if isinstance(value, tuple):
        items = [literal(item) for item in value]
        return None if None in items else f"[{', '.join(filter(None, items))}]"
    if isinstance(value, int):
        return _number(str(value)) if abs(value) <= 2**53 else None  # JavaScript knows no larger whole numbers
    return _number(float.__repr__(value)) if isinstance(value, float) else None


def _number(text: str) -> str:
    text = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(text, text)
    return f"({text})" if text.startswith("-") else text


def _tree(function: Function) -> ast.FunctionDef | ast.Lambda:
    """Return a function's syntax tree, with the line numbers of its file."""
    if not isinstance(function, types.FunctionType):
        raise NotTranslatable(f"expected a plain function or a static method, written in Python, got {function!r}")
    try:
        lines, first = inspect.getsourcelines(function)
        indented = lines[0][0].isspace()
        tree = ast.parse(("if True:\n" if indented else "") + "".join(lines))
    except (OSError, SyntaxError) as error:
        raise NotTranslatable(f"{function.__qualname__}: its source is not at hand: {error}") from None
    ast.increment_lineno(tree, first - 1 - indented)
    name = function.__code__.co_name
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda) or getattr(node, "name", None) == name]
    found = [node for node in found if isinstance(node, ast.Lambda if name == "<lambda>" else ast.FunctionDef)]
    if not found or (name == "<lambda>" and len(found) > 1):
        raise NotTranslatable(f"{function.__qualname__}, line {first}: which function it is cannot be told; use `def`")
    return found[0]  # type: ignore[return-value]


class _Translation:
    """One function: its names, its statements, its expressions."""

    def __init__(self, function: Any, tree: ast.FunctionDef | ast.Lambda, module: Module) -> None:
        self.function = function
        self.tree = tree
        self.module = module
        self.parameters = [argument.arg for argument in (*tree.args.posonlyargs, *tree.args.args)]
        stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        self.variables = sorted(set(stored) - set(self.parameters))

    def refusal(self, node: ast.AST, why: str = "") -> NotTranslatable:
        """Return the error that says why a node has no translation."""
        where = f"{Path(self.function.__code__.co_filename).name}, line {getattr(node, 'lineno', self.tree.lineno)}"
        code = ast.unparse(node).splitlines()[0][:60]
        why = why or INSTEAD.get(type(node), "it is no assignment, arithmetic, tuple, or call")
        return NotTranslatable(
            f"{self.function.__qualname__} ({where}): no JavaScript for `{code}` ({type(node).__name__}): {why}"
        )

    def text(self, name: str) -> str:
        """Return the JavaScript function, called `name`."""
        arguments = self.tree.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
            raise self.refusal(arguments, "a function takes parameters by place only")
        declared = f"  let {', '.join(map(identifier, self.variables))};\n" if self.variables else ""
        return f"function {name}({', '.join(self._parameters())}) {{\n{declared}{self._body()}}}"

    def _parameters(self) -> list[str]:
        defaults = self.function.__defaults__ or ()
        names = [identifier(parameter) for parameter in self.parameters]
        for place, value in enumerate(defaults, start=len(names) - len(defaults)):
            names[place] += f" = {self._literal(self.tree.args, value)}"
        return names

    def _body(self) -> str:
        if isinstance(self.tree, ast.Lambda):
            return f"  return {self.expression(self.tree.body)};\n"
        for decorator in self.tree.decorator_list:
            if not (isinstance(decorator, ast.Name) and decorator.id == "staticmethod"):
                raise self.refusal(decorator, "what a decorator makes of a function cannot be told")
        if not isinstance(self.tree.body[-1], ast.Return):
            raise self.refusal(self.tree.body[-1], "an elementwise function ends with `return`")
        return "".join(f"  {line}\n" for line in map(self.statement, self.tree.body) if line)

    def statement(self, node: ast.stmt) -> str:
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                return ""
            case ast.Assign(targets=targets, value=value):
                return " = ".join([*map(self.target, targets), self.expression(value)]) + ";"
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                return f"{self.target(target)} = {self.expression(value)};"
            case ast.AugAssign(target=target, op=op, value=value) if type(op) in BINARY:
                name = self.target(target)
                return f"{name} = {BINARY[type(op)].format(name, self.operand(value))};"
            case ast.Return(value=ast.expr() as value):
                return f"return {self.expression(value)};"
        raise self.refusal(node)

    def target(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return identifier(name)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return f"[{', '.join(map(self.target, items))}]"
        raise self.refusal(node)

    def expression(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=value):
                return self._literal(node, value)
            case ast.Name(id=name) if self._is_local(name):
                return identifier(name)
            case ast.Name() | ast.Attribute():
                return self._literal(node, self.named(node))
            case ast.Tuple(elts=items):
                return f"[{', '.join(map(self.expression, items))}]"
            case ast.UnaryOp(op=op, operand=operand):
                return UNARY[type(op)].format(self.operand(operand))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in BINARY:
                return BINARY[type(op)].format(self.operand(left), self.operand(right))
            case ast.Compare():
                return self._comparison(node)
            case ast.BoolOp(op=op, values=values):
                return self._choice("$and" if isinstance(op, ast.And) else "$or", values)
            case ast.Subscript(value=value, slice=index):
                number = self._index(index)
                return f"{self.expression(value)}" + (f"[{number}]" if number >= 0 else f".at({number})")
            case ast.Call():
                return self._call(node)
        raise self.refusal(node)

    def operand(self, node: ast.expr) -> str:
        """Return an expression that is reckoned with: no tuple and no text."""
        text = self.expression(node)
        if text[0] in '["' and not isinstance(node, ast.Subscript):
            raise self.refusal(node, "only numbers and truth values are reckoned with")
        return text

    def named(self, node: ast.expr) -> Any:
        """Return what a name outside the function stands for: a closure's, a module's, or Python's own."""
        if isinstance(node, ast.Attribute):
            local = isinstance(node.value, ast.Name) and self._is_local(node.value.id)
            owner = None if local else self.named(node.value)
            if isinstance(owner, types.ModuleType) and hasattr(owner, node.attr):
                return getattr(owner, node.attr)
            raise self.refusal(node, "only what a module holds is found by a dot")
        if not isinstance(node, ast.Name) or self._is_local(node.id):
            raise self.refusal(node, "what it stands for is known only when the function runs")
        cells = (cell.cell_contents for cell in self.function.__closure__ or ())
        closure = dict(zip(self.function.__code__.co_freevars, cells, strict=True))
        for names in (closure, self.function.__globals__, vars(builtins)):
            if node.id in names:
                return names[node.id]
        raise self.refusal(node, "there is nothing of that name")

    def _is_local(self, name: str) -> bool:
        return name in self.parameters or name in self.variables

    def _literal(self, node: ast.AST, value: Any) -> str:
        text = literal(value)
        if text is None:
            raise self.refusal(node, f"a {type(value).__name__} is no number, truth value, text, or tuple of such")
        return text

    def _comparison(self, node: ast.Compare) -> str:
        if any(type(op) not in COMPARISONS for op in node.ops):
            raise self.refusal(node, "numbers are compared with < <= > >= == !=")
        operands = pairwise(map(self.operand, (node.left, *node.comparators)))
        pairs = [COMPARISONS[type(op)].format(*two) for op, two in zip(node.ops, operands, strict=True)]
        return pairs[0] if len(pairs) == 1 else f"({' && '.join(pairs)})"

    def _choice(self, name: str, values: list[ast.expr]) -> str:
        text = self.operand(values[0])
        for value in values[1:]:
            text = f"{name}({text}, {self.operand(value)})"
        return text

    def _index(self, node: ast.expr) -> int:
        negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        place = node.operand if isinstance(node, ast.UnaryOp) and negative else node
        index = place.value if isinstance(place, ast.Constant) else None
        if isinstance(place, (ast.Name, ast.Attribute)):
            index = self.named(place)
        if not isinstance(index, int) or isinstance(index, bool):
            raise self.refusal(node, INSTEAD.get(type(node), "an index is a whole number, the same for every state"))
        return -index if negative else index

    def _call(self, node: ast.Call) -> str:
        called = self.named(node.func)
        if node.keywords:
            raise self.refusal(node, "give its arguments by place, without their names")
        name = next((name for function, name in KNOWN.items() if function is called), None)
        if name in ("$min", "$max") and len(node.args) < 2:
            raise self.refusal(node, "min and max take two values or more")
        if name is None and not isinstance(called, types.FunctionType):
            raise self.refusal(node, "only evo.lanes, min, max, abs, and functions written with them, can be called")
        return f"{name or self.module.function(called)}({', '.join(map(self.expression, node.args))})"
