"""Questions about a syntax tree, shared by the modules."""

import ast
import sys

LOOPS = (ast.For, ast.AsyncFor, ast.While)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = (*LOOPS, ast.If, ast.With, ast.Try)
DOCUMENTED = (*FUNCTIONS, ast.ClassDef, ast.Module)


class Program:
    """A parsed program, the function that its prompt asked for, and the limits to judge it by."""

    def __init__(self, source, tree, entry, limits):
        """Take a function, or None for a whole program."""
        self.source = source
        self.tree = tree
        self.entry = entry
        self.limits = limits

    def nodes(self, types):
        """Return all nodes of some types."""
        return nodes(self.tree, types)


def walk(tree):
    """Return the tree's nodes in the order of `ast.walk`, kept on the tree."""
    if not hasattr(tree, 'every'):
        tree.every = list(ast.walk(tree))
    return tree.every


def nodes(tree, types):
    """Return the tree's nodes of some types."""
    return [it for it in walk(tree) if isinstance(it, types)]


def parameters(function):
    """Return all parameters of a function, `*args` and `**keywords` last."""
    a = function.args
    return [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, [a.vararg, a.kwarg])]


def loaded(tree):
    """Return the names that are read or deleted."""
    return {it.id for it in nodes(tree, ast.Name) if isinstance(it.ctx, (ast.Load, ast.Del))}


def stored(tree):
    """Return the names that are assigned."""
    return {it.id for it in nodes(tree, ast.Name) if isinstance(it.ctx, ast.Store)}


def imported(tree):
    """Return the names that imports bind."""
    names = [a for it in nodes(tree, (ast.Import, ast.ImportFrom)) for a in it.names]
    return [(it.asname or it.name).split('.')[0] for it in names]


def imported_modules(tree):
    """Return the modules that imports name and the standard library has."""
    names = {a.name for it in nodes(tree, ast.Import) for a in it.names}
    names |= {it.module for it in nodes(tree, ast.ImportFrom) if it.module and it.level == 0}
    return sorted(it for it in names if it.split('.')[0] in sys.stdlib_module_names)


def is_docstring(statement):
    """Whether a statement is only a string."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def is_main_guard(statement):
    """Whether a statement is `if __name__ == '__main__':`, which an import skips."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    test = statement.test
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [ast.unparse(it) for it in [test.left, *test.comparators]]
    return sorted(sides) == ["'__main__'", '__name__']


def code_of(body):
    """Return the statements of a body without its docstring."""
    return body[1:] if body and is_docstring(body[0]) else body


def bodies(tree):
    """Yield each list of statements with the node that it belongs to."""
    for node in walk(tree):
        for field in ('body', 'orelse', 'finalbody'):
            body = getattr(node, field, None)
            if isinstance(body, list) and body:
                yield node, body
