"""Renders chat templates with Jinja, set up as transformers' apply_chat_template sets it up.

`render_all` takes and gives JSON; template-process.ts calls it. A template is a stranger's program:
it runs in Jinja's sandbox, in an interpreter that ends it when it takes too long.
"""

import datetime
import functools
import json
import random

import jinja2
import jinja2.ext
import jinja2.sandbox

# Templates ask for today's date. It is fixed, since runs may continue past midnight.
TODAY = datetime.datetime(2024, 7, 26)
MOST_CHARACTERS = 1 << 22
MOST_BITS = 1 << 16


class GenerationTag(jinja2.ext.Extension):
    """`{% generation %}` marks what the assistant wrote; it changes no text."""

    tags = frozenset(['generation'])

    def parse(self, parser):
        """Read to `{% endgeneration %}`."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(('name:endgeneration',), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method('_text'), [], [], body).set_lineno(line)

    def _text(self, caller):
        return caller()


class Dict:
    """The `dict` of templates, without the class behind it."""

    def __call__(self, *args, **kwargs):
        """Make a dict."""
        return dict(*args, **kwargs)

    def fromkeys(self, *args):
        """Make a dict of keys with the same value."""
        return dict.fromkeys(*args)


class Namespace(jinja2.utils.Namespace):
    """A namespace that refuses names with an underscore in front."""

    def __init__(*args, **kwargs):
        attributes = dict(*args[1:], **kwargs)
        for name in attributes:
            check_name(name)
        jinja2.utils.Namespace.__init__(args[0], attributes)

    def __setitem__(self, name, value):
        check_name(name)
        super().__setitem__(name, value)


def check_name(name):
    if isinstance(name, str) and name.startswith('_'):
        raise jinja2.exceptions.SecurityError(f'a namespace cannot have an attribute {name!r}')


class Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Computes with whole numbers of a sensible size: no interrupt reaches long computations."""

    intercepted_binops = frozenset(['**', '*', '//', '%'])

    def call_binop(self, context, operator, left, right):
        """Compute with two values."""
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * right if operator == '**' else left.bit_length()
            if max(bits, right.bit_length()) > MOST_BITS:
                raise OverflowError('a number is too large')
        return super().call_binop(context, operator, left, right)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


@functools.lru_cache(maxsize=8)
def compiled(template):
    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, jinja2.ext.loopcontrols]
    )
    environment.filters['tojson'] = to_json
    environment.globals |= {
        'raise_exception': raise_exception,
        'strftime_now': TODAY.strftime,
        'dict': Dict(),
        'namespace': Namespace,
    }
    return environment.from_string(template)


def render(template, variables):
    # Jinja's `random` and `lipsum` draw the same in every run.
    random.seed(0)
    parts, length = [], 0
    for part in template.generate(variables):
        parts.append(part)
        length += len(part)
        if length > MOST_CHARACTERS:
            raise OverflowError(f'the text has more than {MOST_CHARACTERS} characters')
    return ''.join(parts)


def render_all(request):
    """Return the texts of a template with each of a list of variables, or the first failure."""
    try:
        given = json.loads(request)
        template = compiled(given['template'])
        return json.dumps({'texts': [render(template, each) for each in given['variables']]})
    except jinja2.TemplateSyntaxError as error:
        return failure('syntax', f'{error.message} (line {error.lineno})')
    except jinja2.TemplateError as error:
        return failure('refused', error.message or type(error).__name__)
    except KeyboardInterrupt:
        return failure('limit', 'it takes too long')
    except MemoryError:
        return failure('memory', 'it needs too much memory')
    except (OverflowError, RecursionError) as error:
        return failure('limit', str(error))
    except Exception as error:
        return failure('refused', f'{type(error).__name__}: {error}')


def failure(kind, reason):
    return json.dumps({'failure': kind, 'reason': str(reason)[:500]})
