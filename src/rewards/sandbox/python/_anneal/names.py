"""Findings about names: undeclared, unused, too short, against the conventions."""

import ast
import builtins

from _anneal.syntax import FUNCTIONS, LOOPS, imported, loaded, nodes, parameters, stored

BUILTINS = set(dir(builtins))


def undeclared_names(program):
    """Count names that are read and bound nowhere."""
    tree = program.tree
    known = BUILTINS | stored(tree) | set(imported(tree)) | {'__name__', '__file__'}
    known |= {it.name for it in nodes(tree, (*FUNCTIONS, ast.ClassDef, ast.ExceptHandler))}
    known |= {it.arg for it in nodes(tree, ast.arg)}
    return len(loaded(tree) - known)


def unused_parameters(program):
    """Count parameters that their function never reads."""
    return sum(
        p.arg not in loaded(f) and not p.arg.startswith('_') and p.arg not in ('self', 'cls')
        for f in program.nodes(FUNCTIONS)
        for p in parameters(f)
    )


def unused_variables(program):
    """Count variables of functions that the program never reads."""
    return sum(
        not name.startswith('_')
        for f in program.nodes(FUNCTIONS)
        for name in stored(f) - loaded(program.tree)
    )


def unused_imports(program):
    """Count imported names that are never read."""
    return len(set(imported(program.tree)) - loaded(program.tree))


def single_letter_names(program):
    """Count names of one letter, except those of loops."""
    loops = program.nodes(LOOPS[:2]) + program.nodes(ast.comprehension)
    counters = {name for it in loops for name in stored(it.target)}
    names = {p.arg for f in program.nodes(FUNCTIONS) for p in parameters(f)}
    names |= stored(program.tree)
    return sum(len(name) == 1 and name not in counters and name != '_' for name in names)


def unconventional_names(program):
    """Count names with capitals, except the entry's, which the prompt chose."""
    functions = program.nodes(FUNCTIONS)
    names = {f.name for f in functions if f is not program.entry}
    names |= {p.arg for f in functions for p in parameters(f)}
    names |= {name for f in functions for name in stored(f)}
    return sum(name != name.lower() for name in names)


def shadowed_builtins(program):
    """Count builtins whose name the program uses for something else."""
    names = stored(program.tree) | {it.arg for it in program.nodes(ast.arg)}
    names |= {f.name for f in program.nodes(FUNCTIONS) if f is not program.entry}
    return len({it for it in names & BUILTINS if not it.startswith('_')})
