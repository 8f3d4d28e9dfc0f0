"""The static cost of a program: operations counted over its tree."""

import ast
import math

from _anneal.called import Called, given
from _anneal.syntax import FUNCTIONS, LOOPS, nodes, stored

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# fmt: off
LINEAR = {
    'all', 'any', 'copy', 'count', 'Counter', 'deepcopy', 'dict', 'enumerate', 'extend', 'filter',
    'index', 'insert', 'join', 'list', 'map', 'max', 'min', 'remove', 'replace', 'reverse',
    'reversed', 'set', 'split', 'sum', 'tuple', 'zip',
}
SORTING = {'sort', 'sorted'}
# Functions that call another for each element.
PER_ELEMENT = {'accumulate', 'filter', 'map', 'max', 'min', 'reduce', 'starmap', *SORTING}
OPERATIONS = (
    ast.Assign, ast.Attribute, ast.AugAssign, ast.BinOp, ast.BoolOp, ast.Call, ast.Compare,
    ast.Dict, ast.IfExp, ast.JoinedStr, ast.List, ast.Set, ast.Subscript, ast.UnaryOp,
)
# fmt: on
HASH_TABLES = {'set', 'frozenset', 'dict', 'Counter', 'defaultdict'}
# A function that calls itself more often counts as a loop in a loop.
MOST_RECURSIONS = 2


class Costing:
    """Operations, if every loop runs `length` times and a recursion is a loop."""

    def __init__(self, tree, length):
        self.length = length
        self.sorting = int(length * math.log2(length))
        self.tree = tree
        self.called = Called(tree)
        assigned = [it for it in nodes(tree, ast.Assign) if is_hash_table(it.value)]
        self.tables = {name for it in assigned for name in stored(it)}
        self.known = {}
        # Functions whose cost is being computed, with the calls they make of themselves.
        self.open = {}

    def of_program(self, entry):
        """Return the cost of a call, or of a run without an entry.

        Functions that it may call in ways that nothing counts are called once.
        """
        defined = (*FUNCTIONS, ast.ClassDef)
        code = [it for it in self.tree.body if not isinstance(it, defined)]
        cost = self.of_function(entry) if entry else self.of_all(self.tree.body)
        for function in self.called.reached([entry] if entry else code):
            if function not in self.known and not isinstance(function, ast.Lambda):
                cost += self.of_function(function)
        return cost

    def of_function(self, function):
        if function not in self.known:
            self.open[function] = 0
            body = function.body
            once = self.of_all(body) if isinstance(body, list) else self.of(body)
            turns = self.length ** min(MOST_RECURSIONS, self.open.pop(function))
            self.known[function] = once * turns
        return self.known[function]

    def of_costliest(self, functions):
        """Return the cost of a call that may be of any of some functions."""
        for it in functions:
            if it in self.open:
                self.open[it] += 1
        return max((self.of_function(it) for it in functions if it not in self.open), default=0)

    def of_all(self, parts):
        return sum(self.of(it) for it in parts)

    def of(self, node):
        if isinstance(node, FUNCTIONS):
            return 0
        children = ast.iter_child_nodes(node)
        if isinstance(node, ast.While):
            return self.length * self.of_all(children)
        if isinstance(node, LOOPS):
            turns = self.length * self.of_all(node.body)
            return self.of(node.iter) + turns + self.of_all(node.orelse)
        if isinstance(node, COMPREHENSIONS):
            return self.of_comprehension(node)
        own = isinstance(node, OPERATIONS)
        if isinstance(node, ast.Compare):
            own += self.length * self.searches(node)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            own += self.length
        if isinstance(node, ast.Call):
            own += self.of_call(node)
        return own + self.of_all(children)

    def of_comprehension(self, node):
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        cost, turns = 0, 1
        for it in node.generators:
            cost += turns * self.of(it.iter)
            turns *= self.length
            cost += turns * self.of_all(it.ifs)
        return cost + turns * (1 + self.of_all(parts))

    def of_call(self, call):
        name = getattr(call.func, 'id', None) or getattr(call.func, 'attr', None)
        turns = self.length if name in PER_ELEMENT else 1
        names = [it for it in given(call) if isinstance(it, (ast.Name, ast.Attribute))]
        passed = turns * sum(self.of_costliest(self.called.by(it)) for it in names)
        targets = self.called.by(call.func)
        if targets:
            return passed + self.of_costliest(targets)
        if name in SORTING:
            return passed + self.sorting
        return passed + (self.length if name in LINEAR and call.args else 0)

    def searches(self, compare):
        """Count uses of `in` and `not in` that look through all elements."""
        return sum(
            isinstance(op, (ast.In, ast.NotIn)) and not self.is_hashed(it)
            for op, it in zip(compare.ops, compare.comparators, strict=True)
        )

    def is_hashed(self, node):
        return is_hash_table(node) or getattr(node, 'id', None) in self.tables


def is_hash_table(node):
    """Whether an expression makes a set or a dict."""
    if isinstance(node, ast.Call):
        return getattr(node.func, 'id', None) in HASH_TABLES
    return isinstance(node, (ast.Set, ast.Dict, ast.SetComp, ast.DictComp))
