"""Which scope a name belongs to."""

import ast

from _anneal.syntax import FUNCTIONS, parameters

ANY_FUNCTION = (*FUNCTIONS, ast.Lambda)


def local_names(function):
    """Return the names that belong to a function's own scope."""
    names = {it.arg for it in parameters(function)}
    outer = set()
    still = list(function.body) if isinstance(function.body, list) else [function.body]
    while still:
        node = still.pop()
        names.update(bound_by(node))
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            outer.update(node.names)
        still.extend(in_same_scope(node))
    return names - outer


def bound_by(node):
    """Return the names that a node binds by itself."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.alias):
        return [(node.asname or node.name).split('.')[0]]
    names = [getattr(node, field, None) for field in ('name', 'rest')]
    return [it for it in names if isinstance(it, str)]


def in_same_scope(node):
    """Return the parts of a node that are evaluated where it stands."""
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        a = node.args
        return [*getattr(node, 'decorator_list', []), *a.defaults, *filter(None, a.kw_defaults)]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, ast.comprehension):
        return [node.iter, *node.ifs]
    return ast.iter_child_nodes(node)
