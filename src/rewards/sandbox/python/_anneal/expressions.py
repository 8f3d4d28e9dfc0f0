"""Findings about expressions: code from strings, results that are dropped, clumsy idioms."""

import ast

from _anneal.syntax import FUNCTIONS, bodies, code_of, is_main_guard, nodes

DYNAMIC = {'eval', 'exec', 'compile', '__import__', 'globals', 'locals'}
EFFECTS = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)
MUTABLE = (ast.List, ast.Dict, ast.Set)


def dynamic_code(program):
    """Count uses of functions that run text as code or return namespaces."""
    return sum(it.id in DYNAMIC for it in program.nodes(ast.Name))


def without_effect(program):
    """Count expressions whose value is dropped."""
    return sum(
        isinstance(it, ast.Expr) and not isinstance(it.value, EFFECTS)
        for _, body in bodies(program.tree)
        for it in code_of(body)
    )


def prints(program):
    """Count calls of `print`; a whole program and a main guard may print."""
    if not program.entry:
        return 0
    code = [it for it in program.tree.body if not is_main_guard(it)]
    return sum(is_call(it, 'print') for part in code for it in nodes(part, ast.Call))


def mutable_defaults(program):
    """Count default values that calls share."""
    return sum(
        isinstance(it, MUTABLE)
        for f in program.nodes(FUNCTIONS)
        for it in [*f.args.defaults, *f.args.kw_defaults]
    )


def singleton_comparisons(program):
    """Count `==` and `!=` with None, True or False."""
    return sum(
        isinstance(op, (ast.Eq, ast.NotEq)) and is_singleton(it)
        for compare in program.nodes(ast.Compare)
        for op, it in zip(compare.ops, compare.comparators, strict=True)
    )


def redundant_booleans(program):
    """Count `True if … else False`."""
    return sum(is_bool(it.body) and is_bool(it.orelse) for it in program.nodes(ast.IfExp))


def counted_walks(program):
    """Count `for … in range(len(…))`."""
    return sum(
        is_call(it.iter, 'range') and len(it.iter.args) == 1 and is_call(it.iter.args[0], 'len')
        for it in program.nodes(ast.For)
    )


def is_call(node, name):
    """Whether a node calls a function by a plain name."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def is_bool(node):
    """Whether a node is True or False."""
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def is_singleton(node):
    """Whether a node is None, True or False."""
    return isinstance(node, ast.Constant) and any(node.value is s for s in (None, True, False))
