"""Tests that assert, run where the program has never been."""

import ast
import builtins
import marshal
import os

from _anneal.syntax import FUNCTIONS, code_of, loaded, nodes

MOST_CHARACTERS = 200
# A file descriptor of the sandbox: a call is written to it, and its answer is the input then.
CALLS = 1000
# By the plain types, what gives a subclass's value.
PLAIN = {int: int.__int__, float: float.__float__, str: str.__str__}


class Ended(BaseException):
    """The program ended in a way that a test cannot expect, such as a time limit."""


def judge_test(text, entry):
    """Run statements that assert, and pass every call of `entry` to the program.

    Calls and answers are marshalled, as plain data of exact types: nothing of the program is here.
    Returns a dict with one key, `returned` or `failed`. A test in which the program ended fails.
    """
    ends = []

    def answer(*args, **keywords):
        try:
            return ask(marshal.dumps(plain((args, keywords)), 2))
        except Ended as ended:
            ends.append(str(ended))
            raise

    try:
        exec(compile(text, 'test.py', 'exec'), {entry: answer, '__name__': '__main__'})
        failed = None
    except AssertionError as error:
        failed = f'failed: {text.strip()} {error}'[:MOST_CHARACTERS]
    except BaseException as error:
        failed = f'{type(error).__name__}: {error}'
    if ends:
        failed = ends[0]
    return {'failed': failed} if failed is not None else {'returned': 'true'}


def plain(value):
    """Return a test's value in plain types: a `Counter` as a dict, a named tuple as a tuple."""
    for kind in (dict, list, tuple, set, frozenset):
        if isinstance(value, kind):
            parts = value.items() if kind is dict else value
            return kind([plain(it) for it in parts])
    for kind in PLAIN:
        if isinstance(value, kind) and type(value) not in (kind, bool):
            return PLAIN[kind](value)
    return value


def ask(call):
    """Return what the program returns for a call, or raise what it raises."""
    os.write(CALLS, call)
    kind = os.read(0, 1)
    content = os.read(0, int.from_bytes(os.read(0, 4), 'little'))
    if kind == b'r':
        try:
            return marshal.loads(content)
        except (TypeError, ValueError) as error:
            raise Ended(f'returned a value that is no plain data: {error}') from None
    if kind == b'f':
        raise Ended(content.decode())
    name, _, message = content.decode().partition('\n')
    raised = getattr(builtins, name, None)
    if not isinstance(raised, type) or not issubclass(raised, Exception):
        raise Ended(message)
    raise exception(raised, message.partition(': ')[2])


def exception(raised, message):
    """Make an exception with a message; of a base class if its own takes other arguments."""
    try:
        return raised(message)
    except TypeError:
        return exception(raised.__base__, message)


def split_checks(test, entry, prompt):
    """Split HumanEval's `check(candidate)` into texts that each assert one thing of `entry`.

    Each begins with the imports and functions of test and prompt that the check uses. A check
    that is more than a list of assertions stays whole.
    """
    tree = ast.parse(test)
    check = next(it for it in tree.body if isinstance(it, FUNCTIONS) and it.name == 'check')
    candidate = check.args.args[0].arg
    given = [it for it in ast.parse(prompt).body if is_import(it) or is_other(it, entry)]
    own = [it for it in tree.body if it is not check and not isinstance(it, ast.Assign)]
    names = loaded(check)
    head = [it for it in given + own if not isinstance(it, FUNCTIONS) or it.name in names]
    before = ''.join(ast.unparse(it) + '\n' for it in head)
    body = code_of(check.body)
    if not all(isinstance(it, ast.Assert) for it in body):
        return [f'{before}{ast.unparse(check)}\ncheck({entry})']
    for node in nodes(check, ast.Name):
        if node.id == candidate:
            node.id = entry
    return [before + ast.unparse(it) for it in body if entry in loaded(it)]


def is_import(node):
    """Whether a statement imports."""
    return isinstance(node, (ast.Import, ast.ImportFrom))


def is_other(node, entry):
    """Whether a statement defines a function other than the entry."""
    return isinstance(node, FUNCTIONS) and node.name != entry
