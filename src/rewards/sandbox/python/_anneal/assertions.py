"""Tests that assert, run where the program has never been."""

import ast
import builtins
import marshal

from _anneal.syntax import FUNCTIONS, code_of, loaded, nodes

MOST_CHARACTERS = 200


class Needed(BaseException):
    """The test needs the answer to a call that the program has not been given yet."""


class Ended(BaseException):
    """The program ended in a way that a test cannot expect, such as a time limit."""


def judge_test(text, entry, answers):
    """Run statements that assert, and answer every call of `entry` from `answers`.

    Calls and answers are marshalled, as plain data of exact types: nothing of the program is here.
    Returns a dict with one key: `returned`, `failed`, or `needed` with the call to answer.
    """

    def answer(*args, **keywords):
        call = marshal.dumps(args, 2).hex() + ':' + marshal.dumps(keywords, 2).hex()
        if call not in answers:
            raise Needed(call)
        if 'returned' in answers[call]:
            return marshal.loads(bytes.fromhex(answers[call]['returned']))
        name, _, message = answers[call]['failed'].partition(': ')
        raised = getattr(builtins, name, None)
        if isinstance(raised, type) and issubclass(raised, Exception):
            raise raised(message)
        raise Ended(answers[call]['failed'])

    try:
        exec(compile(text, 'test.py', 'exec'), {entry: answer, '__name__': '__main__'})
    except Needed as needed:
        return {'needed': str(needed)}
    except Ended as ended:
        return {'failed': str(ended)}
    except AssertionError as error:
        return {'failed': f'failed: {text.strip()} {error}'[:MOST_CHARACTERS]}
    except BaseException as error:
        return {'failed': f'{type(error).__name__}: {error}'}
    return {'returned': 'true'}


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
