"""Programs as text: printed without what distracts a judge, and as a normal form."""

import ast

from _anneal.syntax import DOCUMENTED, FUNCTIONS, nodes

UNREADABLE = (SyntaxError, ValueError, MemoryError, RecursionError)


def normal_form(source):
    """Return the syntax tree as text, local names numbered; None if it does not parse.

    Programs that differ only in layout, comments and local names have the same.
    """
    try:
        tree = ast.parse(source)
        numbers = {}
        for name in local_names(tree):
            numbers.setdefault(name, '#' + str(len(numbers)))
        for node in ast.walk(tree):
            rename(node, numbers)
            if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
                node.body = node.body[1:]
        return ast.dump(tree)
    except UNREADABLE:
        return None


def printed(source, comments, names, limit, entry):
    """Return the program printed anew; None if it is empty or does not parse.

    `comments` = 'strip' leaves out docstrings too, `names` = 'rename' numbers local names other
    than the entry's, and strings of more than `limit` characters are cut.
    """
    try:
        tree = ast.parse(source)
        own = local_names(tree) if names == 'rename' else ()
        own = dict.fromkeys(name for name in own if name != entry)
        numbers = {name: 'v' + str(at) for at, name in enumerate(own)}
        if comments == 'strip':
            drop_docstrings(tree)
        for node in ast.walk(tree):
            rename(node, numbers)
            if is_string(node) and len(node.value) > limit:
                node.value = node.value[:limit] + f'… ({len(node.value)} characters)'
        code = [it for it in tree.body if not isinstance(it, ast.Pass)]
        return ast.unparse(tree) if code else None
    except UNREADABLE:
        return None


def drop_docstrings(tree):
    """Remove every docstring; a body of nothing else becomes `pass`."""
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]


def rename(node, names):
    """Give a variable or parameter its new name, if it has one."""
    if isinstance(node, ast.Name):
        node.id = names.get(node.id, node.id)
    elif isinstance(node, ast.arg):
        node.arg = names.get(node.arg, node.arg)


def is_string(node):
    """Whether a node is a string constant."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def local_names(tree):
    """Yield parameters and variables of functions, in the order in which they are met.

    A parameter that some call passes by its name is none: renaming it would break the call.
    """
    keywords = {it.arg for it in ast.walk(tree) if isinstance(it, ast.keyword)}
    for function in nodes(tree, (*FUNCTIONS, ast.Lambda)):
        for node in ast.walk(function):
            if isinstance(node, ast.arg) and node.arg not in keywords:
                yield node.arg
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
