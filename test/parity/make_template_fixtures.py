"""Reference texts of chat templates, made with transformers' own template environment.

Renders the templates of real models (model-templates.ts) and small ones for every feature of Jinja,
and writes what transformers gives: the text, or only its hash for a real model's template; null if
the template refuses the messages.
Usage, with Node 24 on the PATH: python make_template_fixtures.py
"""

import hashlib
import json
import subprocess

from make_tokenizer_fixtures import CODE, FIXTURES, Clock, dump
from transformers.utils import chat_template_utils

USER = {'role': 'user', 'content': CODE[0]}
SYSTEM = {'role': 'system', 'content': '  Write JavaScript.\r\n\tNo prose, \u6f22\u5b57. \n'}
ANSWER = {'role': 'assistant', 'content': '<think>\nHm.\n</think>\n\n```js\nlet x;\n```\n'}
TOKENS = {'bos_token': '<s>', 'eos_token': '</s>', 'pad_token': '<pad>', 'unk_token': '<unk>'}
CONVERSATIONS = {
    'user': [USER],
    'system': [SYSTEM, USER],
    'answered': [USER, ANSWER],
    'turns': [SYSTEM, USER, ANSWER, {'role': 'user', 'content': '\u00a0 more \u3000\x1c'}],
}
THINKING = {'enable_thinking': False, 'thinking': False, 'date_string': '1 May 2025'}

FEATURES = [
    # Loop controls keep what the iteration wrote before them.
    '{% for i in range(5) %}<{{ i }}{% if i == 1 %}{% continue %}{% endif %}>{% if i == 3 %}{% break %}{% endif %}{% endfor %}',
    '{% for m in messages %}{{ m.role }}{% if loop.last %}{% break %}{% endif %},{% else %}none{% endfor %}',
    '{% for a in [1, 2] %}{% for b in "xyz" %}{% if b == "y" %}{% continue %}{% endif %}{{ a ~ b }}{% endfor %}|{% endfor %}',
    '{% for i in [] %}{% continue %}{% else %}empty{% endfor %}{% for i in [1] %}{% continue %}{% else %}empty{% endfor %}',
    '{% for a, b in {"x": 1, "y": [2]}.items() %}{{ loop.index }}/{{ loop.length }} {{ loop.cycle("odd", "even") }} {{ a }}={{ b }};{% endfor %}',
    '{% for i in [1, 1, 2] %}{{ loop.changed(i) }}{{ loop.previtem is defined }}{{ loop.revindex0 }}{% endfor %}',
    '{% for x in [1, [2, [3]]] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{% endif %}{% endfor %}',
    '{% for i in range(6) if i is odd %}{{ i }}{{ ", " if not loop.last }}{% endfor %}',
    # Scopes.
    '{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}',
    '{% set ns = namespace(x=1, seen=[]) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}{{ ns.seen }}',
    '{% if true %}{% set y = 5 %}{% endif %}{{ y }}{% for i in [1] %}{% if loop.first %}{% set z = 1 %}{% endif %}{{ z }}{% endfor %}{{ z is defined }}',
    '{% set block %}a {{ 1 }}{% endset %}{{ block | upper }}{% set a, b = 1, (2, 3) %}{{ a }}{{ b }}',
    '{% macro m(a, b="d", *args) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}',
    '{% macro m(a, b="d") -%} [{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{{ caller() if caller }}] {%- endmacro %}{{ m(1, 2, 3, k=4) }}{% call m("c") %}body{% endcall %}',
    '{% macro outer() %}{% set hidden = 1 %}{{ hidden }}{% endmacro %}{{ outer() }}{{ hidden is defined }}{{ outer.name }}',
    '{% with a = 1 %}{{ a }}{% endwith %}{{ a is defined }}{% filter upper %}text{% endfilter %}',
    # Values as text.
    '{{ none }} {{ true }} {{ 1.0 }} {{ 1e20 }} {{ 1e-7 }} {{ 10 // 3 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }}',
    '{{ [1, "a\'b", none, 1.5, true, {"k": "v"}, (1,)] }} {{ {"a": [], 1: 2} }} {{ "x" ~ none ~ 1.0 ~ [1] }}',
    '{{ missing }}|{{ missing is defined }}|{{ missing | default("d") }}|{{ none | default("d") }}|{{ "" | default("d", true) }}',
    '{{ messages[0].missing is defined }} {{ messages[0]["content"] | length }} {{ messages[0].content[:5] }} {{ messages[0].get("tool_calls") }}',
    '{{ "1" == 1 }} {{ none == missing }} {{ 1 == 1.0 }} {{ true == 1 }} {{ "a" < "b" }} {{ [1] + [2] == [1, 2] }} {{ "a" in {"a": 1} }} {{ 1 in [true] }}',
    '{{ (1, 2)[-1] }} {{ "abc"[::-1] }} {{ [1, 2, 3][1:] }} {{ "a,b" * 2 }} {{ [0] * 3 }} {{ not [] }} {{ [] or "x" }} {{ 0 and 1 }}',
    # JSON.
    '{{ {"b": "\u00e9<\'&>", "a": [1, 1.0, none, true, []]} | tojson }}',
    '{{ {"b": "\u00e9", "a": {"x": [], "y": [1]}} | tojson(indent=2) }}',
    '{{ {"b": "\u00e9\\n\\u2028", "a": 1} | tojson(ensure_ascii=true, sort_keys=true, separators=(",", ":")) }}',
    '{{ messages | tojson }} {{ messages[0] | items | list }} {{ "\\u00e9\\x41\\n" }}',
    # Filters, tests and methods.
    '{{ " a b ".strip() }}|{{ "xxaxx".strip("x") }}|{{ "a  b".split() }}|{{ "a,b,c".split(",", 1) }}|{{ "a\\nb".splitlines() }}|{{ "ab".startswith(("x", "a")) }}',
    '{{ "a-b-c".replace("-", "+", 1) }} {{ "ab".upper() }} {{ "the cat\'s".title() }} {{ "aB c".capitalize() }} {{ "a".join(["x", "y"]) }} {{ "abc".find("c") }} {{ "a.b".rsplit(".", 1)[0] }}',
    '{{ "%s-%03d" % ("a", 7) }} {{ "{}:{k}".format(1, k=2) }} {{ "abc" | first }} {{ [3, 1, 2] | sort | join("-") }} {{ [1, 2] | last }} {{ "a b" | wordcount }}',
    '{{ messages | map(attribute="role") | join(",") }} {{ messages | selectattr("role", "equalto", "user") | list | length }} {{ [1, 2, 3] | reject("odd") | list }}',
    '{{ messages | rejectattr("role", "in", ["user"]) | list }} {{ ["a", "B"] | map("upper") | list }} {{ [1, 2, 3, 4] | batch(2) | list }} {{ [[1, 2], [3]] | sum(start=[]) }}',
    '{{ "a\\nb\\n\\nc" | indent }} {{ "a\\nb" | indent(2, true) }} {{ "x" | center(5) }}| {{ "1.7" | float | int }} {{ "z" | int(default=4) }} {{ 2.567 | round(1) }} {{ -3 | abs }}',
    '{{ {"b": 1, "a": 2} | dictsort }} {{ [1, 2, 2] | unique | list }} {{ "abc" | reverse }} {{ [1, 2] | string }} {{ "<b>" | escape }} {{ "<b>" | safe }} {{ "a b" | urlencode }}',
    '{{ 3 is odd }} {{ 4 is divisibleby 2 }} {{ "a" is string }} {{ {} is mapping }} {{ [] is sequence }} {{ none is none }} {{ 1 is number }} {{ true is boolean }} {{ range is callable }} {{ "a" is in "abc" }} {{ 1 is sameas 1 }}',
    '{{ dict(a=1) }} {{ dict.fromkeys(["x"], 0) }} {{ range(3) }} {{ range(0, 10, 4) | list }} {{ joiner("|") is defined }} {% set c = cycler("a", "b") %}{{ c.next() }}{{ c.next() }}{{ c.current }}',
    '{{ "yes" if messages else "no" }} {{ "x" if false }}| {{ 1 if none is none else 2 }} {{ (messages | first).role }} {{ messages.0.role }} {{ messages[-1]["role"] }}',
    # White space and marks.
    '  {% if true %}\n  a\n  {%- endif %}\n  {{ "b" }}\n{# comment #}\nc\n\n',
    'a\n    {%- for i in [1, 2] -%}\n    {{ i }}\n    {%- endfor +%}\n  b\n\t{%+ if true %}c{% endif %}\n',
    '{{- "a" -}}  \n b {{ "c" }}\n{%- raw %} {{ x }} {% endraw -%} \n d\r\ne\r{# {{ 1 }} -#}  f',
    'a {% generation %} {{ 1 }}{% set inner = 2 %} {% endgeneration %} b{{ inner is defined }}{%- generation -%} x {%- endgeneration -%} c',
    '{% generation %}{% for i in [1, 2] %}{{ i }}{% endfor %}{% endgeneration %}\n  {% generation %}\nx\n  {% endgeneration %}\ny',
    '{% if tools %}t{% endif %}{{ tools }}{{ documents is none }}{{ add_generation_prompt }}{{ bos_token }}{{ cls_token }}',
    '{{ strftime_now("%d %b %Y") }} {{ strftime_now("%A, %-d %B %y, %H:%M:%S %p %j %%") }}',
    # Refusals.
    '{{ raise_exception("No " ~ messages[0].role) }}',
    '{{ messages[0].missing.more }}',
    '{{ 1 + "a" }}',
    '{% if %}',
    '{% for m in messages %}',
    '{% include "other" %}',
    '{{ messages.append(1) }}',
    '{{ "".__class__ }}',
    '{{ messages | nofilter }}',
    '{% set ns = namespace() %}{% set ns._x = 1 %}',
    '{% break %}',
]


def render(template, messages, variables):
    try:
        texts, _ = chat_template_utils.render_jinja_template(
            [messages],
            chat_template=template,
            add_generation_prompt=messages[-1]['role'] != 'assistant',
            **variables,
        )
    except Exception:
        return None
    return texts[0]


def short(text):
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == '__main__':
    chat_template_utils.datetime = Clock
    node = ['node', '--no-warnings', FIXTURES.parent / 'model-templates.ts']
    templates = json.loads(subprocess.run(node, check=True, capture_output=True).stdout)
    models = {
        model: {
            name: short(render(template, messages, TOKENS))
            for name, messages in CONVERSATIONS.items()
        }
        | {'variables': short(render(template, [USER], TOKENS | THINKING))}
        for model, template in templates.items()
    }
    features = [{'template': t, 'text': render(t, [USER], TOKENS)} for t in FEATURES]
    given = {'conversations': CONVERSATIONS, 'tokens': TOKENS, 'variables': THINKING}
    dump(FIXTURES / 'templates.json', given | {'features': features, 'models': models}, indent=1)
