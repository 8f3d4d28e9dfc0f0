// The module `_anneal`, which runs in states of the interpreter that no program has touched. What a
// careful reviewer sees in a Python program, by Python's own parser (`analyse`), with the weights
// that the same objections have in other languages; and tests that assert (`judge_test`).

/** Source of the module. */
export const analysisModule = String.raw`
import ast, builtins, marshal, re

LOOPS = (ast.For, ast.AsyncFor, ast.While)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
BLOCKS = LOOPS + (ast.If, ast.With, ast.Try)
DYNAMIC = {'eval', 'exec', 'compile', '__import__', 'globals', 'locals'}
BUILTINS = set(dir(builtins))
LENGTH = 10
LINEAR = {'all', 'any', 'count', 'dict', 'enumerate', 'extend', 'filter', 'index', 'insert', 'join',
          'list', 'map', 'max', 'min', 'remove', 'replace', 'reversed', 'set', 'split', 'sum',
          'tuple', 'zip', 'Counter', 'copy', 'deepcopy', 'reverse'}
SORTING = {'sort': 33, 'sorted': 33}
OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.Subscript, ast.Attribute,
              ast.Assign, ast.AugAssign, ast.List, ast.Dict, ast.Set, ast.IfExp, ast.JoinedStr)


def analyse(source, entry):
    """Judge a program's text: its quality, documentation, cost, and normal form."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return {'failed': f'does not parse: {error}'}
    except (MemoryError, RecursionError):
        return {'failed': 'does not parse: nested too deeply'}
    found = [it for it in tree.body if isinstance(it, FUNCTIONS) and it.name == entry]
    if entry and not found and not binds(tree, entry):
        return {'failed': f"no function '{entry}' is defined at the top level"}
    subject = found[-1] if found else None
    quality, objections = judge_quality(tree, subject)
    return {
        'quality': quality,
        'objections': objections,
        'documentation': judge_documentation(subject, source) if subject else module_words(tree),
        'cost': Costing(tree).of_function(subject) if subject else Costing(tree).of_all(tree.body),
    }


def binds(tree, name):
    targets = [t for it in tree.body if isinstance(it, ast.Assign) for t in it.targets]
    return any(isinstance(t, ast.Name) and t.id == name for t in targets)


def normal_form(source):
    """The syntax tree as text, local names numbered; None where it does not parse."""
    try:
        tree = ast.parse(source)
        numbers = {}
        for name in local_names(tree):
            numbers.setdefault(name, '#' + str(len(numbers)))
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = numbers.get(node.id, node.id)
            elif isinstance(node, ast.arg):
                node.arg = numbers.get(node.arg, node.arg)
            elif isinstance(node, FUNCTIONS + (ast.ClassDef, ast.Module)) and ast.get_docstring(node) is not None:
                node.body = node.body[1:]
        return ast.dump(tree)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def printed(source, comments, names, limit, entry):
    """The program printed anew, without comments; None where it is empty or does not parse."""
    try:
        tree = ast.parse(source)
        own = dict.fromkeys(name for name in local_names(tree) if name != entry) if names == 'rename' else {}
        numbers = {name: 'v' + str(at) for at, name in enumerate(own)}
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS + (ast.ClassDef, ast.Module)) and comments == 'strip':
                if ast.get_docstring(node) is not None:
                    node.body = node.body[1:] or [ast.Pass()]
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = numbers.get(node.id, node.id)
            elif isinstance(node, ast.arg):
                node.arg = numbers.get(node.arg, node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > limit:
                node.value = node.value[:limit] + '… (' + str(len(node.value)) + ' characters)'
        code = [it for it in tree.body if not isinstance(it, ast.Pass)]
        return ast.unparse(tree) if code else None
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def local_names(tree):
    """Parameters and variables of functions, in the order in which they are met."""
    keywords = {it.arg for it in ast.walk(tree) if isinstance(it, ast.keyword)}
    for function in nodes(tree, FUNCTIONS + (ast.Lambda,)):
        for node in ast.walk(function):
            if isinstance(node, ast.arg) and node.arg not in keywords:
                yield node.arg
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


def walk(tree):
    if not hasattr(tree, 'every'):
        tree.every = list(ast.walk(tree))
    return tree.every


def nodes(tree, types):
    return [it for it in walk(tree) if isinstance(it, types)]


def parameters(function):
    a = function.args
    return [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, [a.vararg, a.kwarg])]


def loaded(tree):
    return {it.id for it in nodes(tree, ast.Name) if isinstance(it.ctx, (ast.Load, ast.Del))}


def stored(tree):
    return {it.id for it in nodes(tree, ast.Name) if isinstance(it.ctx, ast.Store)}


def imported(tree):
    names = [a for it in nodes(tree, (ast.Import, ast.ImportFrom)) for a in it.names]
    return [(it.asname or it.name).split('.')[0] for it in names]


def is_docstring(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)


def code_of(body):
    return body[1:] if body and is_docstring(body[0]) else body


def bodies(tree):
    for node in walk(tree):
        for field in ('body', 'orelse', 'finalbody'):
            body = getattr(node, field, None)
            if isinstance(body, list) and body:
                yield node, body


def trivial_body(tree, entry):
    code = code_of(entry.body) if entry else [None]
    if len(code) > 1:
        return 0
    if not code or isinstance(code[0], ast.Pass):
        return 1
    if isinstance(code[0], ast.Expr):
        return int(isinstance(code[0].value, ast.Constant))
    return int(isinstance(code[0], ast.Return) and isinstance(code[0].value, (ast.Constant, type(None))) and bool(parameters(entry)))


def undeclared_names(tree, entry):
    known = BUILTINS | stored(tree) | set(imported(tree)) | {'__name__', '__file__'}
    known |= {it.name for it in nodes(tree, FUNCTIONS + (ast.ClassDef, ast.ExceptHandler))}
    known |= {it.arg for it in nodes(tree, ast.arg)}
    return len(loaded(tree) - known)


def unused_parameters(tree, entry):
    return sum(p.arg not in loaded(f) and not p.arg.startswith('_') and p.arg not in ('self', 'cls')
               for f in nodes(tree, FUNCTIONS) for p in parameters(f))


def unused_variables(tree, entry):
    return sum(not name.startswith('_')
               for f in nodes(tree, FUNCTIONS) for name in stored(f) - loaded(tree))


def unused_imports(tree, entry):
    return len(set(imported(tree)) - loaded(tree))


def missing_returns(tree, entry):
    if not entry:
        return 0
    return int(not nodes(entry, (ast.Return, ast.Yield, ast.YieldFrom, ast.Raise)))


def dynamic_code(tree, entry):
    return sum(it.id in DYNAMIC for it in nodes(tree, ast.Name))


def unreachable(tree, entry):
    return sum(any(isinstance(it, ENDS) for it in body[:-1]) for _, body in bodies(tree))


def without_effect(tree, entry):
    effects = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)
    return sum(isinstance(it, ast.Expr) and not isinstance(it.value, effects)
               for _, body in bodies(tree) for it in code_of(body))


def stray_statements(tree, entry):
    fine = FUNCTIONS + (ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    return sum(not isinstance(it, fine) for it in code_of(tree.body)) if entry else 0


def prints(tree, entry):
    return sum(isinstance(it.func, ast.Name) and it.func.id == 'print' for it in nodes(tree, ast.Call)) if entry else 0


def bare_excepts(tree, entry):
    return sum(it.type is None or (isinstance(it.type, ast.Name) and it.type.id == 'BaseException')
               for it in nodes(tree, ast.ExceptHandler))


def deep_levels(tree, entry):
    def depth(node, level):
        level += isinstance(node, BLOCKS)
        return max([level, *(depth(it, level) for it in ast.iter_child_nodes(node))])
    return max(0, depth(tree, 0) - 3)


def mutable_defaults(tree, entry):
    mutable = (ast.List, ast.Dict, ast.Set)
    return sum(isinstance(it, mutable) for f in nodes(tree, FUNCTIONS)
               for it in [*f.args.defaults, *f.args.kw_defaults])


def singleton_comparisons(tree, entry):
    return sum(isinstance(op, (ast.Eq, ast.NotEq)) and isinstance(it, ast.Constant) and any(it.value is s for s in (None, True, False))
               for c in nodes(tree, ast.Compare) for op, it in zip(c.ops, c.comparators))


def single_letter_names(tree, entry):
    loops = nodes(tree, LOOPS[:2]) + nodes(tree, ast.comprehension)
    counters = {name for it in loops for name in stored(it.target)}
    names = {p.arg for f in nodes(tree, FUNCTIONS) for p in parameters(f)} | stored(tree)
    return sum(len(name) == 1 and name not in counters and name != '_' for name in names)


def unconventional_names(tree, entry):
    names = {f.name for f in nodes(tree, FUNCTIONS) if f is not entry}
    names |= {p.arg for f in nodes(tree, FUNCTIONS) for p in parameters(f)}
    names |= {name for f in nodes(tree, FUNCTIONS) for name in stored(f)}
    return sum(name != name.lower() for name in names)


def shadowed_builtins(tree, entry):
    names = stored(tree) | {it.arg for it in nodes(tree, ast.arg)} | {f.name for f in nodes(tree, FUNCTIONS) if f is not entry}
    return len({it for it in names & BUILTINS if not it.startswith('_')})


def empty_blocks(tree, entry):
    return sum(all(isinstance(it, ast.Pass) for it in body)
               for node, body in bodies(tree) if isinstance(node, BLOCKS + (ast.ExceptHandler,)))


def excess_lines(tree, entry):
    return sum(max(0, f.end_lineno - code_of(f.body)[0].lineno - 30) // 10 + (f.end_lineno - code_of(f.body)[0].lineno > 30)
               for f in nodes(tree, FUNCTIONS) if code_of(f.body))


def redundant_booleans(tree, entry):
    def is_bool(it):
        return isinstance(it, ast.Constant) and isinstance(it.value, bool)
    return sum(is_bool(it.body) and is_bool(it.orelse) for it in nodes(tree, ast.IfExp))


def counted_walks(tree, entry):
    def is_call(it, name):
        return isinstance(it, ast.Call) and isinstance(it.func, ast.Name) and it.func.id == name
    return sum(is_call(it.iter, 'range') and len(it.iter.args) == 1 and is_call(it.iter.args[0], 'len')
               for it in nodes(tree, ast.For))


OBJECTIONS = [
    ('trivial body', trivial_body, 0.5, 0.5),
    ('undeclared name', undeclared_names, 0.3, 0.6),
    ('unused parameter', unused_parameters, 0.25, 0.5),
    ('missing return', missing_returns, 0.3, 0.3),
    ('dynamic code', dynamic_code, 0.25, 0.5),
    ('unreachable code', unreachable, 0.2, 0.4),
    ('bare except', bare_excepts, 0.2, 0.4),
    ('statement without effect', without_effect, 0.15, 0.3),
    ('unused variable', unused_variables, 0.15, 0.3),
    ('unused import', unused_imports, 0.15, 0.3),
    ('stray statement', stray_statements, 0.15, 0.3),
    ('logging left behind', prints, 0.15, 0.3),
    ('deep nesting', deep_levels, 0.15, 0.45),
    ('mutable default', mutable_defaults, 0.15, 0.3),
    ('comparison with a singleton', singleton_comparisons, 0.1, 0.2),
    ('single-letter name', single_letter_names, 0.1, 0.3),
    ('name not in snake case', unconventional_names, 0.1, 0.2),
    ('shadowed builtin', shadowed_builtins, 0.1, 0.2),
    ('empty block', empty_blocks, 0.1, 0.2),
    ('long function', excess_lines, 0.1, 0.4),
    ('redundant boolean', redundant_booleans, 0.1, 0.2),
    ('counted walk', counted_walks, 0.05, 0.1),
]


def judge_quality(tree, entry):
    value, found = 1.0, []
    for name, count, each, most in OBJECTIONS:
        penalty = min(most, each * count(tree, entry))
        value -= penalty
        if penalty:
            found.append(name)
    return max(0.0, value), found


def words(text):
    return {it for it in re.findall(r'[^\W\d_]+', text.lower()) if len(it) > 1}


def module_words(tree):
    return float(len(words(ast.get_docstring(tree) or '')) >= 3)


SECTION = re.compile(r'^(Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Notes?)\s*:?\s*$|^(Returns?|Yields)\s*:\s*(?P<rest>\S.*)$')
GOOGLE = re.compile(r'^[ \t]*\*{0,2}(\w+)[ \t]*(?:\([^)]*\))?[ \t]*:[ \t]*(.*)$')
SPHINX = re.compile(r'^:param\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)$')


def judge_documentation(function, source):
    """A docstring's description, parameters and result, in the styles of Google and Sphinx."""
    text = ast.get_docstring(function)
    if text is None:
        above = source.splitlines()[function.lineno - 2].strip() if function.lineno > 1 else ''
        return 0.25 if above.startswith('#') and len(words(above)) >= 3 else 0.0
    description, params, returns = read_docstring(text)
    names = [it.arg for it in parameters(function)]
    return 0.3 * (len(words(description)) >= 3) + 0.4 * judge_params(names, params) + 0.3 * judge_returns(function, returns)


def read_docstring(text):
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


def judge_params(names, documented):
    """Half for a name, half for a word on it; one less for each that is not there."""
    points, left = 0.0, list(names)
    for name, text in documented:
        if name in left:
            left.remove(name)
            points += 0.5 + 0.5 * bool(words(text))
        else:
            points -= 1
    return max(0.0, points / len(names)) if names else float(points >= 0)


def judge_returns(function, text):
    gives = any(it.value is not None for it in nodes(function, ast.Return)) or nodes(function, (ast.Yield, ast.YieldFrom))
    if not gives:
        return float(text is None)
    return float(bool(text and words(text)))


class Costing:
    """Operations of one call, every loop taken to run LENGTH times, one recursion to be a loop."""

    def __init__(self, tree):
        self.functions = {it.name: it for it in nodes(tree, FUNCTIONS)}
        self.tables = {name for it in nodes(tree, ast.Assign) if is_hash_table(it.value) for name in stored(it)}
        self.known = {}
        self.open = {}

    def of_function(self, function):
        if function not in self.known:
            self.open[function] = 0
            once = self.of_all(function.body)
            self.known[function] = once * LENGTH ** min(2, self.open.pop(function))
        return self.known[function]

    def of_all(self, parts):
        return sum(self.of(it) for it in parts)

    def of(self, node):
        if isinstance(node, FUNCTIONS):
            return 0
        children = ast.iter_child_nodes(node)
        if isinstance(node, ast.While):
            return LENGTH * self.of_all(children)
        if isinstance(node, LOOPS):
            return self.of(node.iter) + LENGTH * self.of_all(node.body) + self.of_all(node.orelse)
        if isinstance(node, COMPREHENSIONS):
            return self.of_comprehension(node)
        own = isinstance(node, OPERATIONS)
        if isinstance(node, ast.Compare):
            own += LENGTH * sum(isinstance(op, (ast.In, ast.NotIn)) and not self.is_hashed(it)
                                for op, it in zip(node.ops, node.comparators))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            own += LENGTH
        if isinstance(node, ast.Call):
            own += self.of_call(node)
        return own + self.of_all(children)

    def of_comprehension(self, node):
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        cost, turns = 0, 1
        for it in node.generators:
            cost += turns * self.of(it.iter)
            turns *= LENGTH
            cost += turns * self.of_all(it.ifs)
        return cost + turns * (1 + self.of_all(parts))

    def of_call(self, call):
        name = getattr(call.func, 'id', None) or getattr(call.func, 'attr', None)
        target = self.functions.get(name) if isinstance(call.func, ast.Name) else None
        if target is not None and target in self.open:
            self.open[target] += 1
            return 0
        if target is not None:
            return self.of_function(target)
        return SORTING.get(name, LENGTH if name in LINEAR and call.args else 0)

    def is_hashed(self, node):
        return is_hash_table(node) or getattr(node, 'id', None) in self.tables


def is_hash_table(node):
    if isinstance(node, ast.Call):
        return getattr(node.func, 'id', None) in ('set', 'frozenset', 'dict', 'Counter', 'defaultdict')
    return isinstance(node, (ast.Set, ast.Dict, ast.SetComp, ast.DictComp))


class Needed(BaseException):
    """The answer to a call that has not been made yet."""


class Ended(BaseException):
    """A program that came to no end of its own."""


def judge_test(text, entry, answers):
    """Run statements that assert, every call of entry answered by what a program answered to it.

    Calls and answers are marshalled, as plain data of exact types: nothing of the program is here.
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
        return {'failed': f'failed: {text.strip()} {error}'[:200]}
    except BaseException as error:
        return {'failed': f'{type(error).__name__}: {error}'}
    return {'returned': 'true'}


def split_checks(test, entry, prompt):
    """HumanEval's check(candidate) as statements that each assert one thing of entry."""
    tree = ast.parse(test)
    check = next(it for it in tree.body if isinstance(it, FUNCTIONS) and it.name == 'check')
    candidate = check.args.args[0].arg
    others = [it for it in ast.parse(prompt).body if isinstance(it, (ast.Import, ast.ImportFrom))
              or isinstance(it, FUNCTIONS) and it.name != entry]
    needed = [it for it in [*others, *tree.body] if it is not check and not isinstance(it, ast.Assign)]
    names = loaded(check)
    head = [it for it in needed if not isinstance(it, FUNCTIONS) or it.name in names]
    before = ''.join(ast.unparse(it) + '\n' for it in head)
    body = code_of(check.body)
    if not all(isinstance(it, ast.Assert) for it in body):
        return [f'{before}{ast.unparse(check)}\ncheck({entry})']
    for node in nodes(check, ast.Name):
        if node.id == candidate:
            node.id = entry
    return [before + ast.unparse(it) for it in body if entry in loaded(it)]
`;
