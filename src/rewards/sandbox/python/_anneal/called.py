"""Which functions of a program its expressions may call. Values are not tracked, only names."""

import ast
import builtins
from collections import defaultdict

from _anneal.scopes import ANY_FUNCTION, in_same_scope, local_names
from _anneal.syntax import FUNCTIONS, nodes

BUILTINS = set(dir(builtins))
# Calls of what a call returns that are followed.
MOST_CALLS = 3


class Called:
    """Functions by the names that may stand for them."""

    def __init__(self, tree):
        """Read what binds names and attributes: definitions, assignments, loops, defaults."""
        # The function to whose scope a name belongs; None for the module.
        self.scope = {}
        # Parts of the program for which a name of a scope, or an attribute, may stand.
        self.bound = defaultdict(list)
        self.members = defaultdict(list)
        self.found = {}
        self.read_scopes(tree)
        for it in nodes(tree, (ast.AnnAssign, ast.NamedExpr)):
            self.bind(it.target, it.value)
        for it in nodes(tree, (ast.For, ast.comprehension)):
            self.bind(it.target, it.iter)
        for it in nodes(tree, ast.Assign):
            for target in it.targets:
                self.bind(target, it.value)
        for it in nodes(tree, ast.Call):
            self.bind_arguments(it)
        for cls in nodes(tree, ast.ClassDef):
            for it in nodes(cls, (ast.Assign, *FUNCTIONS)):
                self.bind_member(it)

    def read_scopes(self, tree):
        """Read which scope each name belongs to, and bind what definitions bind."""
        known = {}

        def home(name, scopes):
            return next(it for it in scopes if it is None or name in known[it])

        still = [(tree, (None,))]
        while still:
            node, scopes = still.pop()
            if isinstance(node, ast.Name):
                self.scope[node] = home(node.id, scopes)
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                self.bound[home(node.name, scopes), node.name].append(node)
            still.extend((it, scopes) for it in in_same_scope(node))
            if isinstance(node, ANY_FUNCTION):
                known[node] = local_names(node)
                self.bind_defaults(node)
                body = node.body if isinstance(node.body, list) else [node.body]
                still.extend((it, (node, *scopes)) for it in body)
            elif isinstance(node, ast.ClassDef):
                still.extend((it, scopes) for it in node.body)
            elif isinstance(node, ast.comprehension):
                still.append((node.target, scopes))

    def bind_defaults(self, function):
        """Note that parameters may stand for their default values."""
        a = function.args
        last = [*a.posonlyargs, *a.args][-len(a.defaults) :] if a.defaults else []
        both = [*zip(last, a.defaults, strict=True), *zip(a.kwonlyargs, a.kw_defaults, strict=True)]
        for parameter, value in both:
            self.bound[function, parameter.arg].append(value)

    def bind_arguments(self, call):
        """Note that parameters may stand for what a call by name passes."""
        named = self.bound.get(self.key(call.func), [])
        for function in [it for it in named if isinstance(it, ANY_FUNCTION)]:
            a = function.args
            for parameter, value in zip([*a.posonlyargs, *a.args], call.args, strict=False):
                self.bound[function, parameter.arg].append(value)
            for it in call.keywords:
                self.bound[function, it.arg].append(it.value)

    def bind_member(self, statement):
        """Note that an attribute may stand for what a class defines."""
        if isinstance(statement, FUNCTIONS):
            self.members[statement.name].append(statement)
        else:
            for it in statement.targets:
                if isinstance(it, ast.Name):
                    self.members[it.id].append(statement.value)

    def bind(self, target, value):
        """Note that a target may stand for a value."""
        if isinstance(target, ast.Name):
            self.bound[self.scope[target], target.id].append(value)
        elif isinstance(target, ast.Attribute):
            self.members[target.attr].append(value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for it in target.elts:
                self.bind(it, value)

    def by(self, func):
        """Return the functions that a call of an expression may run."""
        key = self.key(func)
        if key not in self.found:
            self.found[key] = list(self.follow(func))
        return self.found[key]

    def key(self, node):
        """Return what a name or an attribute is known by; other nodes by themselves."""
        if isinstance(node, ast.Name):
            return self.scope.get(node), node.id
        return ('.', node.attr) if isinstance(node, ast.Attribute) else node

    def follow(self, func):
        """Yield the functions that an expression may stand for."""
        # Parts, and how often what they stand for is called first.
        seen, still = set(), [(func, 0)]
        while still:
            part, calls = still.pop()
            if part is None or calls > MOST_CALLS or (part, calls) in seen:
                continue
            seen.add((part, calls))
            if isinstance(part, ANY_FUNCTION) and calls == 0:
                yield part
            elif isinstance(part, ast.Call):
                still.append((part.func, calls + 1))
                # A decorator, `partial` and the like return what they are given.
                if getattr(part.func, 'id', None) not in BUILTINS:
                    still.extend((it, calls) for it in given(part))
            else:
                still.extend(self.values(part, calls))

    def values(self, part, calls):
        """Return what the value of a part may be, with the calls that are left."""
        if isinstance(part, ANY_FUNCTION):
            return [(it, calls - 1) for it in returned(part)]
        if isinstance(part, ast.ClassDef):
            method, left = ('__call__', calls - 1) if calls else ('__init__', 0)
            return [(it, left) for it in part.body if getattr(it, 'name', None) == method]
        if isinstance(part, ast.Name):
            return [(it, calls) for it in self.bound[self.key(part)]]
        if isinstance(part, ast.Attribute):
            own = [part.value] if part.attr == '__call__' else []
            return [(it, calls) for it in self.members[part.attr] + own]
        if isinstance(part, ast.IfExp):
            return [(part.body, calls), (part.orelse, calls)]
        kept = (
            ast.BoolOp,
            ast.Dict,
            ast.List,
            ast.NamedExpr,
            ast.Starred,
            ast.Subscript,
            ast.Tuple,
        )
        return [(it, calls) for it in ast.iter_child_nodes(part)] if isinstance(part, kept) else []

    def reached(self, parts):
        """Return the functions that running some parts may run."""
        seen, still, functions = set(), list(parts), []
        while still:
            part = still.pop()
            if part is None or part in seen:
                continue
            seen.add(part)
            if isinstance(part, ANY_FUNCTION):
                functions.append(part)
            if isinstance(part, ast.Name):
                still.extend(self.bound[self.key(part)])
            elif isinstance(part, ast.Attribute):
                still.extend(self.members[part.attr])
            still.extend(ast.iter_child_nodes(part))
        return functions


def given(call):
    """Return the arguments of a call."""
    return [*call.args, *(it.value for it in call.keywords)]


def returned(function):
    """Return the values that a function may return."""
    if isinstance(function, ast.Lambda):
        return [function.body]
    return [it.value for it in nodes(function, ast.Return)]
