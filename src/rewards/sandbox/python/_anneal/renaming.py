"""New names for what a program's author named: one for one, wherever the name stands."""

import ast
import builtins
import importlib
import re
import sys

from _anneal.syntax import FUNCTIONS, imported_modules, nodes, parameters

# Fields of nodes that hold a name or a list of names.
FIELDS = ('id', 'arg', 'attr', 'name', 'asname', 'rest', 'names', 'kwd_attrs')
# Names that Python or its readers expect, besides those of builtins.
CUSTOMARY = {'_', 'self', 'cls', '__builtins__', '__class__', '__file__', '__main__', '__name__'}
# Special methods and attributes that no class of the library needs to have.
# fmt: off
SPECIAL = {
    '__all__', '__slots__', '__post_init__', '__match_args__', '__missing__', '__set_name__',
    '__getattr__', '__class_getitem__', '__init_subclass__', '__annotations__', '__doc__',
}
# Parameters of builtin functions that have no signature.
PARAMETERS = {
    'base', 'default', 'encoding', 'end', 'errors', 'file', 'fillvalue', 'flush', 'initial', 'key',
    'maxlen', 'n', 'r', 'repeat', 'reverse', 'sep', 'start', 'strict', 'metaclass',
}
# What looks variables up by text.
BY_TEXT = {
    'compile', 'eval', 'exec', 'globals', 'locals', 'vars', '__dict__', '__name__', '__qualname__',
}
# fmt: on
MANGLED = re.compile(r'_([^_]\w*?)(__\w+)')


def rename(tree, entry, given, words):
    """Rename in place. Of what stays, an author can choose only from lists.

    The entry, builtins, and what an import takes from the library keep their names. Attributes,
    classes, keywords, and the entry's parameters may be needed by name elsewhere: they stay if
    the name is one of `given`, the words of prompt and tests, or of `words`, those of the
    program's own strings; all but the parameters also if the library has it.
    """
    spelled = list(dict.fromkeys(name for node in ordered(tree) for name in names_of(node)))
    public = public_names(tree)
    by_keyword = keyword_parameters(tree, entry)
    stays = {entry, *CUSTOMARY, *dir(builtins), *imports(tree)}
    stays |= (public | by_keyword) & (given | words)
    stays |= public & library(public, imported_modules(tree))
    if BY_TEXT.intersection(spelled):
        stays |= words
    new = numbered([it for it in spelled if it not in stays], stays)
    for name in spelled:
        parts = MANGLED.fullmatch(name)
        if parts and {parts[1], parts[2]} <= set(spelled):
            new[name] = f'_{new.get(parts[1], parts[1])}{new.get(parts[2], parts[2])}'
    for node in ordered(tree):
        replace(node, new)


def numbered(names, taken):
    """Return new names; those that a class makes its own by underscores stay such names."""
    new, at = {}, 0
    for name in names:
        while f'v{at}' in taken:
            at += 1
        head = '__' if name.startswith('__') else ''
        tail = '__' if head and name.endswith('__') else ''
        new[name] = f'{head}v{at}{tail}'
        at += 1
    return new


def ordered(tree):
    """Yield the tree's nodes in the order of the text."""
    still = [tree]
    while still:
        node = still.pop()
        yield node
        still.extend(reversed(list(ast.iter_child_nodes(node))))


def names_of(node):
    """Yield the names in a node, those of a dotted name one by one."""
    for field in (*FIELDS, 'module'):
        value = getattr(node, field, None)
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and name != '*':
                yield from name.split('.')


def replace(node, new):
    """Give a node new names, if there are any."""

    def by(name):
        return '.'.join(new.get(it, it) for it in name.split('.'))

    for field in (*FIELDS, 'module'):
        value = getattr(node, field, None)
        if isinstance(value, str):
            setattr(node, field, by(value))
        elif isinstance(value, list):
            setattr(node, field, [by(it) if isinstance(it, str) else it for it in value])


def keyword_parameters(tree, entry):
    """Return the parameters that a test, or a call with `**values`, may name."""
    functions = nodes(tree, FUNCTIONS)
    anyone = any(it.arg is None for it in nodes(tree, ast.keyword))
    return {p.arg for f in functions if anyone or f.name == entry for p in parameters(f)}


def public_names(tree):
    """Return names that code may use other than as a variable in its scope."""
    public = {it.arg for it in nodes(tree, ast.keyword) if it.arg is not None}
    public |= {it.attr for it in nodes(tree, ast.Attribute)}
    public |= {name for it in nodes(tree, ast.MatchClass) for name in it.kwd_attrs}
    for cls in nodes(tree, ast.ClassDef):
        public |= {cls.name, *in_class(cls)}
    return public


def in_class(cls):
    """Yield the names in a class's body, without those within its functions."""
    still = list(cls.body)
    while still:
        node = still.pop()
        yield from names_of(node)
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            still.extend(ast.iter_child_nodes(node))


def imports(tree):
    """Return the names that are the library's: of modules, and of what is imported from them."""
    names = set()
    for module in imported_modules(tree):
        known = loaded_module(module) is not None
        names.update(module.split('.') if known else [module.split('.')[0]])
    for node in nodes(tree, ast.ImportFrom):
        module = loaded_module(node.module) if node.level == 0 else None
        if module is not None:
            own = set(dir(module))
            names |= own & {it.name for it in node.names}
            names |= own if any(it.name == '*' for it in node.names) else set()
    return names


def library(names, modules):
    """Return those names that the library has, as attributes or parameters."""
    for module in modules:
        loaded_module(module)
    found = names & (SPECIAL | PARAMETERS)
    seen = set()
    for module in list(sys.modules.values()):
        if is_library(getattr(module, '__name__', '')):
            found |= names & seen_in(module, seen)
    return found


def seen_in(holder, seen):
    """Return the names in a module or class and its bases, and of parameters."""
    if id(holder) in seen:
        return set()
    seen.add(id(holder))
    names = set()
    for name, value in list(getattr(holder, '__dict__', {}).items()):
        names.add(name)
        if isinstance(value, type):
            for base in value.__mro__:
                names |= seen_in(base, seen)
        elif hasattr(value, '__code__'):
            code = value.__code__
            names.update(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
        elif callable(value):
            names.update(re.findall(r'\w+', getattr(value, '__text_signature__', None) or ''))
    return names


def is_library(module):
    """Whether a module is of the standard library."""
    return module.split('.')[0] in sys.stdlib_module_names


def loaded_module(name):
    """Return a module of the library; None if there is none."""
    try:
        return importlib.import_module(name) if name and is_library(name) else None
    except Exception:
        return None
