"""Programs as text: printed without what distracts a judge, and as a normal form."""

import ast
import re

from _anneal import renaming
from _anneal.syntax import DOCUMENTED, FUNCTIONS, bodies, nodes

# Whole numbers of more bits are cut; 128 bits are 39 digits.
MOST_BITS = 128
# What reads annotations while a program runs.
READERS = {
    '__annotations__',
    'get_annotations',
    'get_type_hints',
    'signature',
    'singledispatch',
    'singledispatchmethod',
}
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


def printed(source, comments, names, limit, entry, given):
    """Return the program printed anew; None if it is empty or does not parse.

    `comments` = 'strip' also leaves out what does nothing and can say anything: docstrings, other
    constants that are statements, annotations of functions and variables. Texts of more than
    `limit` characters are cut, and whole numbers of more than MOST_BITS. `names` = 'rename'
    renames (renaming.py); `given` are the words of the prompt and its tests.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    if comments == 'strip':
        drop_statements(tree)
        drop_annotations(tree)
    words = {word for it in shown_texts(tree, limit) for word in re.findall(r'[^\W\d]\w*', it)}
    cut_literals(tree, limit)
    if names == 'rename':
        renaming.rename(tree, entry, set(given), words)
    for node in nodes(tree, ast.Interpolation):
        node.str = ast.unparse(node.value)
    code = [it for it in tree.body if not isinstance(it, ast.Pass)]
    return ast.unparse(tree) if code else None


def drop_statements(tree):
    """Remove every statement that is only a constant; a body of nothing else becomes `pass`."""
    for node, body in list(bodies(tree)):
        code = [it for it in body if not is_constant(it)]
        body[:] = code if code or node is tree else [ast.Pass()]
    del tree.every


def is_constant(statement):
    """Whether a statement is only a constant other than `...`."""
    value = getattr(statement, 'value', None) if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and value.value is not ...


def drop_annotations(tree):
    """Remove annotations of functions and of their variables, unless the program reads them."""
    names = {it.id for it in nodes(tree, ast.Name)} | {it.attr for it in nodes(tree, ast.Attribute)}
    if names & READERS:
        return
    in_classes = {it for node in nodes(tree, ast.ClassDef) for it in node.body}
    for node in nodes(tree, (ast.arg, ast.AnnAssign, *FUNCTIONS)):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, FUNCTIONS):
            node.returns = None
        elif node not in in_classes:
            node.annotation = ast.Constant(None)
    del tree.every


def shown_texts(tree, limit):
    """Return the strings that are not cut."""
    texts = [it.value for it in nodes(tree, ast.Constant)]
    return [it for it in texts if isinstance(it, str) and len(it) <= limit]


def cut_literals(tree, limit):
    """Shorten strings, bytes and whole numbers."""
    for node in nodes(tree, ast.Constant):
        value = node.value
        if isinstance(value, str) and len(value) > limit:
            node.value = f'{value[:limit]}… ({len(value)} characters)'
        elif isinstance(value, bytes) and len(value) > limit:
            node.value = value[:limit] + b'... (%d bytes)' % len(value)
        elif type(value) is int and value.bit_length() > MOST_BITS:
            node.value = f'{hex(value)[:limit]}… ({value.bit_length()} bits)'


def rename(node, names):
    """Give a variable or parameter its new name, if it has one."""
    if isinstance(node, ast.Name):
        node.id = names.get(node.id, node.id)
    elif isinstance(node, ast.arg):
        node.arg = names.get(node.arg, node.arg)


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
