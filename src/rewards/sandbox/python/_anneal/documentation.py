"""What a docstring documents, in the styles of Google and Sphinx. The rubric weighs it."""

import ast
import re

from _anneal.syntax import nodes, parameters

SECTION = re.compile(
    r'^(Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Notes?)\s*:?\s*$'
    r'|^(Returns?|Yields)\s*:\s*(?P<rest>\S.*)$'
)
GOOGLE = re.compile(r'^[ \t]*\*{0,2}(\w+)[ \t]*(?:\([^)]*\))?[ \t]*:[ \t]*(.*)$')
SPHINX = re.compile(r'^:param\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)$')


def read_documentation(program):
    """Return what documents the entry: a docstring, or else the comment above it.

    For a whole program it is only how many words its docstring has.
    """
    function = program.entry
    if function is None:
        return {'opening': len(words(ast.get_docstring(program.tree) or ''))}
    text = ast.get_docstring(function)
    if text is None:
        return {'comment': len(words(comment_above(program.source, function)))}
    description, documented, returns = read_docstring(text)
    return {
        'description': len(words(description)),
        'params': count_params([it.arg for it in parameters(function)], documented),
        'returns': documents_result(function, returns),
    }


def comment_above(source, function):
    """Return the comment on the line before a function."""
    line = source.splitlines()[function.lineno - 2].strip() if function.lineno > 1 else ''
    return line if line.startswith('#') else ''


def words(text):
    """Return the distinct words of two letters or more."""
    return {it for it in re.findall(r'[^\W\d_]+', text.lower()) if len(it) > 1}


def read_docstring(text):
    """Split a docstring into description, pairs of parameter and text, and text on the result."""
    section, description, params, returns = '', [], [], None
    for line in text.splitlines():
        head = SECTION.match(line)
        if head:
            section = (head[1] or head[2]).lower()
            if section.startswith('return') or section == 'yields':
                returns = head['rest'] or ''
        elif SPHINX.match(line):
            section = 'field'
            params.append(SPHINX.match(line).groups())
        elif re.match(r'^:returns?:', line):
            section, returns = 'field', line.split(':', 2)[2]
        elif section in ('args', 'arguments', 'parameters') and GOOGLE.match(line):
            params.append(GOOGLE.match(line).groups())
        elif section.startswith('return') or section == 'yields':
            returns += line
        elif not section:
            description.append(line)
    return ' '.join(description), params, returns


def count_params(names, documented):
    """Count parameters that are named, those that are described too, and entries for none."""
    left = list(names)
    counts = {'expected': len(names), 'named': 0, 'described': 0, 'unknown': 0}
    for name, text in documented:
        if name in left:
            left.remove(name)
            counts['named'] += 1
            counts['described'] += bool(words(text))
        else:
            counts['unknown'] += 1
    return counts


def documents_result(function, text):
    """Whether a result is described if there is one, and not mentioned if there is none."""
    gives = any(it.value is not None for it in nodes(function, ast.Return))
    if not gives and not nodes(function, (ast.Yield, ast.YieldFrom)):
        return text is None
    return bool(text and words(text))
