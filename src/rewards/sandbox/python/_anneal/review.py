"""What a careful reviewer sees in a program; the rubric decides what it is worth."""

import ast
import re

from _anneal import expressions, names, structure
from _anneal.cost import Costing
from _anneal.documentation import read_documentation
from _anneal.entry import HiddenError, find_entry, missing
from _anneal.syntax import Program

# Graver findings first. The rubric has the penalty of each, by these names.
FINDINGS = {
    'trivial body': structure.trivial_body,
    'undeclared name': names.undeclared_names,
    'unused parameter': names.unused_parameters,
    'missing return': structure.missing_returns,
    'dynamic code': expressions.dynamic_code,
    'unreachable code': structure.unreachable,
    'bare except': structure.bare_excepts,
    'statement without effect': expressions.without_effect,
    'unused variable': names.unused_variables,
    'unused import': names.unused_imports,
    'stray statement': structure.stray_statements,
    'logging left behind': expressions.prints,
    'deep nesting': structure.deep_levels,
    'mutable default': expressions.mutable_defaults,
    'comparison with a singleton': expressions.singleton_comparisons,
    'single-letter name': names.single_letter_names,
    'name not in snake case': names.unconventional_names,
    'shadowed builtin': names.shadowed_builtins,
    'empty block': structure.empty_blocks,
    'long function': structure.excess_lines,
    'redundant boolean': expressions.redundant_booleans,
    'counted walk': expressions.counted_walks,
}


def analyse(source, entry, limits):
    """Return the findings in a program's text, its documentation and its cost.

    `entry` is the function asked for, empty for a whole program. `limits` are the rubric's:
    `list_length`, `levels`, `lines`, `lines_per_finding`. A program that does not parse or does
    not name the entry has only the reason, as `failed`; one whose text does not tell what runs,
    as `hidden`.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return {'failed': f'does not parse: {error}'}
    except (MemoryError, RecursionError):
        return {'failed': 'does not parse: nested too deeply'}
    if entry and not re.search(rf'\b{re.escape(entry)}\b', source):
        return {'failed': missing(entry)}
    try:
        program = Program(source, tree, find_entry(tree, entry) if entry else None, limits)
    except HiddenError as hidden:
        return {'hidden': str(hidden)}
    counts = [(name, int(count(program))) for name, count in FINDINGS.items()]
    return {
        'findings': [it for it in counts if it[1]],
        'documentation': read_documentation(program),
        'cost': Costing(tree, limits['list_length']).of_program(program.entry),
    }
