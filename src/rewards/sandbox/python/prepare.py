"""Set up a Python interpreter, before its state is saved for programs to start from."""

import random
import sys
import types

# The modules that programs import most. Importing one again only costs a look-up.
PRELOADED = (
    'abc array ast bisect builtins collections copy cmath contextlib dataclasses datetime '
    'decimal enum fractions functools heapq io itertools json math numbers operator random '
    're statistics string sys textwrap time types typing unicodedata'
)
# Modules of Pyodide, out of a program's reach from here on.
REMOVED = {'_pyodide', '_pyodide_core', 'asyncio', 'js', 'pyodide', 'pyodide_js'}


def prepare(sources):
    """Load modules, including the package `_anneal`, and leave nothing else behind.

    `sources` are pairs of a module's name in `_anneal` and its source, each after those that it
    imports.
    """
    for name in PRELOADED.split():
        __import__(name)
    random.seed(0)
    package = add_module('_anneal')
    for name, source in sources:
        module = add_module(f'_anneal.{name}')
        setattr(package, name, module)
        exec(compile(source, f'_anneal/{name}.py', 'exec'), module.__dict__)
    sys.meta_path[:] = [it for it in sys.meta_path if 'pyodide' not in type(it).__module__]
    for name in list(sys.modules):
        if name.split('.')[0] in REMOVED:
            del sys.modules[name]
    for name in list(globals()):
        if not name.startswith('__'):
            del globals()[name]


def add_module(name):
    """Make an empty module that imports find."""
    module = sys.modules[name] = types.ModuleType(name)
    return module
