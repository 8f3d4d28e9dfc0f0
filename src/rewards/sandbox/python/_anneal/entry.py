"""Finds the function that a prompt asks for: what its name is bound to when the program has run."""

import ast
import re

from _anneal.scopes import bound_by, in_same_scope
from _anneal.syntax import FUNCTIONS, nodes

# Names and attributes through which a program can bind names, or run what is no text of it.
# fmt: off
NAMES = {'__builtins__', '__import__', 'exec', 'globals', 'locals', 'vars'}
ATTRIBUTES = {
    '__code__', '__globals__', '_getframe', 'currentframe', 'f_back', 'f_globals', 'gi_frame',
    'import_module', 'modules',
}
MODULES = {'__main__', 'builtins', 'gc', 'importlib', 'inspect', 'program'}
# fmt: on
SPECIAL = {it for it in NAMES | ATTRIBUTES if '_' in it}
# Functions that take an attribute's name, harmless for `self` and some names.
WRITERS = {'delattr', 'getattr', 'setattr'}
WORD = re.compile(r'[^\W\d]{3}')
MOST_FOLLOWED = 20


class HiddenError(Exception):
    """What runs cannot be told from the text."""


def find_entry(tree, name):
    """Return the function that `name` is bound to at the top level; None for another value.

    The last definition or assignment counts, and names are followed. Raises `HiddenError` if the
    name is bound in any other way: in blocks, by loops, imports, `global` or the like.
    """
    if not any(binds_plainly(it, name) for it in tree.body):
        raise HiddenError(missing(name))
    check_bindings(tree, name)
    for _ in range(MOST_FOLLOWED):
        bound = bindings(tree, name)
        plain = [it for it in tree.body if binds_plainly(it, name)]
        own = {id(node) for it in plain for node in binders(it)}
        for node in bound:
            if plain and id(node) not in own:
                raise HiddenError(f"'{name}' is bound again on line {node.lineno}")
        if not plain:
            return None
        last = plain[-1]
        if isinstance(last, FUNCTIONS):
            return last
        if not isinstance(last.value, ast.Name):
            return None
        name = last.value.id
        if len(bindings(tree, name)) > 1:
            raise HiddenError(f"'{name}' is bound more than once")
    return None


def missing(name):
    """Return what is said of a program whose top level does not plainly define `name`."""
    return f"no function '{name}' is defined at the top level"


def check_bindings(tree, name):
    """Raise `HiddenError` if the program may bind names, or run text, unseen."""
    for node in nodes(tree, (ast.Name, ast.Attribute, ast.alias, ast.Constant, ast.Call)):
        used = means(node, name)
        if used:
            raise HiddenError(f"'{used}' on line {node.lineno} may bind any name")


def means(node, name):
    """Return by what a node may bind any name; None if it does not."""
    if isinstance(node, ast.Name):
        return node.id if node.id in NAMES else None
    if isinstance(node, ast.Attribute):
        is_own = getattr(node.value, 'id', None) == 'self'
        writes = node.attr == name and not isinstance(node.ctx, ast.Load)
        return node.attr if node.attr in ATTRIBUTES or (writes and not is_own) else None
    if isinstance(node, ast.alias):
        return node.name if {*node.name.split('.')} & (MODULES | NAMES | ATTRIBUTES) else None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) and node.value in SPECIAL else None
    return by_call(getattr(node.func, 'id', None), node.args)


def by_call(called, args):
    """Return the function if its arguments may make it bind any name."""
    if called == 'eval':
        texts = [it.value for part in args for it in nodes(part, ast.Constant)]
        return called if any(WORD.search(str(it)) for it in texts) else None
    if called not in WRITERS or (args and getattr(args[0], 'id', None) == 'self'):
        return None
    is_plain = len(args) > 1 and isinstance(args[1], ast.Constant)
    return None if called == 'getattr' and is_plain else called


def binds_plainly(statement, name):
    """Whether a statement defines a function of that name, or assigns to it."""
    if isinstance(statement, FUNCTIONS):
        return statement.name == name
    if isinstance(statement, ast.AnnAssign):
        return statement.value is not None and getattr(statement.target, 'id', None) == name
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(getattr(it, 'id', None) == name for it in targets)


def binders(statement):
    """Return the nodes of a plain statement that bind."""
    if isinstance(statement, FUNCTIONS):
        return [statement]
    return statement.targets if isinstance(statement, ast.Assign) else [statement.target]


def bindings(tree, name):
    """Return the nodes that bind `name` in the module's scope, in the order of the text."""
    found = [it for it in nodes(tree, ast.Global) if name in it.names]
    still = [tree]
    while still:
        node = still.pop()
        if name in bound_by(node):
            found.append(node)
        still.extend(in_same_scope(node))
    return sorted(found, key=lambda it: (it.lineno, it.col_offset))
