"""Findings about statements: too deep, too long, unreachable, or without purpose."""

import ast

from _anneal.syntax import BLOCKS, FUNCTIONS, bodies, code_of, is_main_guard, nodes, parameters

ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)


def trivial_body(program):
    """1 for an entry that does nothing or, given parameters, returns a constant."""
    code = code_of(program.entry.body) if program.entry else [None]
    if len(code) > 1:
        return 0
    if not code or isinstance(code[0], ast.Pass):
        return 1
    if isinstance(code[0], ast.Expr):
        return int(isinstance(code[0].value, ast.Constant))
    return int(
        isinstance(code[0], ast.Return)
        and isinstance(code[0].value, (ast.Constant, type(None)))
        and bool(parameters(program.entry))
    )


def missing_returns(program):
    """1 for an entry that returns, yields and raises nothing."""
    if not program.entry:
        return 0
    return int(not nodes(program.entry, (ast.Return, ast.Yield, ast.YieldFrom, ast.Raise)))


def unreachable(program):
    """Count bodies with statements after a return, raise, break or continue."""
    return sum(any(isinstance(it, ENDS) for it in body[:-1]) for _, body in bodies(program.tree))


def stray_statements(program):
    """Count top-level statements that define nothing, except a main guard.

    A whole program consists of them.
    """
    if not program.entry:
        return 0
    code = [it for it in code_of(program.tree.body) if not is_main_guard(it)]
    return sum(not isinstance(it, DEFINITIONS) for it in code)


def bare_excepts(program):
    """Count handlers that also catch exceptions meant to end the program."""
    return sum(
        it.type is None or (isinstance(it.type, ast.Name) and it.type.id == 'BaseException')
        for it in program.nodes(ast.ExceptHandler)
    )


def deep_levels(program):
    """Return how many levels the deepest nesting has beyond the limit."""

    def depth(node, level):
        level += isinstance(node, BLOCKS)
        return max([level, *(depth(it, level) for it in ast.iter_child_nodes(node))])

    return max(0, depth(program.tree, 0) - program.limits['levels'])


def excess_lines(program):
    """Count lines of functions beyond the limit, in steps."""
    limit, step = program.limits['lines'], program.limits['lines_per_finding']

    def excess(function):
        lines = function.end_lineno - code_of(function.body)[0].lineno
        return max(0, lines - limit) // step + (lines > limit)

    return sum(excess(f) for f in program.nodes(FUNCTIONS) if code_of(f.body))


def empty_blocks(program):
    """Count blocks of nothing but `pass`."""
    return sum(
        all(isinstance(it, ast.Pass) for it in body)
        for node, body in bodies(program.tree)
        if isinstance(node, (*BLOCKS, ast.ExceptHandler))
    )
