"""Reference values for the tokenizer and chat template tests, made with tokenizers and transformers.

Trains two small byte-level BPE tokenizers with the rules of two families, gives each a chat template
in that family's form, and writes Python's results for a list of texts and conversations. The files
are committed, so the tests need no Python. Usage: python make_tokenizer_fixtures.py
"""

import datetime
import json
import pathlib

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoTokenizer
from transformers.utils import chat_template_utils

FIXTURES = pathlib.Path(__file__).parent / 'fixtures'
PROMPTS = pathlib.Path(__file__).parents[2] / 'data' / 'train.jsonl'
VOCABULARY = 700
# The date that the engine gives a template that asks for today's.
TODAY = datetime.datetime(2024, 7, 26)
PREFILL = '```js\n'

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{digits}"
    r'| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+'
)

CHATML = """\
{%- set state = namespace(asked=false) %}
{%- if tools %}
    {{- '<|im_start|>system\\n' + (tools | tojson) + '<|im_end|>\\n' }}
{%- endif %}
{%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nAnswer with a program.<|im_end|>\\n' }}
{%- endif %}
{#- Turns, each in its own frame. #}
{%- for message in messages %}
    {%- if message.role not in ['system', 'user', 'assistant'] %}
        {{- raise_exception('No place for a ' + message.role) }}
    {%- elif message.role == 'system' and not loop.first %}
        {{- raise_exception('The system speaks first') }}
    {%- endif %}
    {%- if message.role == 'user' %}
        {%- set state.asked = true %}
    {%- endif %}
    {%- if message.role == 'assistant' and '</think>' in message.content %}
        {%- set text = message.content.split('</think>')[-1].lstrip('\\n') %}
    {%- else %}
        {%- set text = message.content %}
    {%- endif %}
    {{- '<|im_start|>' ~ message.role ~ '\\n' ~ text ~ '<|im_end|>' ~ '\\n' }}
{%- endfor %}
{%- if not state.asked %}
    {{- raise_exception('Nobody asked') }}
{%- endif %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""

HEADERS = """\
{{- bos_token }}
{%- if not day is defined %}
    {%- if strftime_now is defined %}
        {%- set day = strftime_now('%d %b %Y') %}
    {%- else %}
        {%- set day = 'unknown' %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set instruction = messages[0]['content'] | trim %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set instruction = '' %}
    {%- set turns = messages %}
{%- endif %}
{%- macro header(role) -%}
    {{ '<|start_header_id|>' + role + '<|end_header_id|>\\n\\n' }}
{%- endmacro %}
{{- header('system') + 'Day: ' + day + '\\n\\n' }}
{% if tools is not none %}
Tools: {{ tools | length }}
{% endif %}
{{- instruction + '<|eot_id|>' }}
{%- for turn in turns %}
    {%- if (turn['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Turns must alternate, beginning with the user') }}
    {%- endif %}
    {{- header(turn['role']) + turn['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- header('assistant') }}
{%- endif %}
"""

CODE = [
    'function sum(values) {\n\tlet total = 0;\n\tfor (const value of values) total += value;\n\treturn total;\n}\n',
    'if (a) {\r\n\treturn b;\r\n}\r\n\r\nelse\r\n{\r\n  c();\r\n}\r',
    '\t\t\tif x:\n\n\n        pass  \t \n',
    '  leading and trailing spaces   ',
    '\n\n  \n\t',
    ' ',
    "x = '\\n\\t'; // back\\slashes",
    'const n = 1234567890 + 0x1F + 1_000_000 + 3.14e-10;',
    'a==b!==c&&d||e??f?.g=>{h}...[i]//;;',
    "I'M, we'Ll, DON'T, it's, they\u2019re, 's",
]
UNICODE = [
    'caf\u00e9 cafe\u0301 \u00c5 A\u030a \u212b',
    '\u1112\u1161\u11ab\uae00 \u0915\u094d\u0937\u093f \u0e19\u0e49\u0e33 \u0623\u064f\u0645\u0651',
    '\u6f22\u5b57\u3068\u304b\u306a\u4ea4\u3058\u308a\u3002\uff21\uff22\uff23\uff11\uff12\uff13',
    '\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd',
    '\ufeffconst bom = 1;',
    'a\u00a0b\u2003c\u2028d\u2029e\u0085f\u3000g\u200bh',
    '\u00b2\u00b3\u00bc \u2167 \u0663\u0664\u0665 \U0001d7d8\U0001d7d9 \u09e7\u09e8',
    'q\u0307\u0323 z\u0323\u0307 \ufb01 \u1e9b\u0323 \U0001d15e',
    '\u0000\u0001\u001f\u007f\u0080\u009f\ufffd\uffff\U0010ffff\ue000',
    '\u043f\u0440\u0438\u0432\u0435\u0442, \u03ba\u03cc\u03c3\u03bc\u03b5! \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627',
]
MARKED = [
    'before{end}after{end}{end}',
    ' {start} \n{end}\n',
    '<|im_e nd|> <|im_end <|eot_id| > |im_end|>',
    '{plain}a{plain}',
]

SYSTEM = '  Write JavaScript.\r\n\tNo prose. \n'
USERS = [
    CODE[0],
    CODE[1],
    '  // \u6f22\u5b57 cafe\u0301 \U0001f600\n// f(x)\n',
    'ends {end} early',
    '\u00a0 wide spaces \u3000',
]


def train(digits, normalizer, special, plain, postprocess):
    rows = [json.loads(line) for line in PROMPTS.read_text(encoding='utf-8').splitlines()[::8]]
    corpus = [row['prompt'] + row['reference'] for row in rows] + CODE * 20 + UNICODE * 20
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    split = pre_tokenizers.Split(Regex(SPLIT.format(digits=digits)), 'isolated')
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet)
    )
    tokenizer.add_special_tokens([AddedToken(text, normalized=False) for text in special])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in plain])
    tokenizer.post_processor = postprocess(tokenizer)
    return tokenizer


def save(out, tokenizer, config, *, ignore_merges):
    out.mkdir(parents=True, exist_ok=True)
    content = json.loads(tokenizer.to_str())
    content['model']['ignore_merges'] = ignore_merges
    dump(out / 'tokenizer.json', content)
    dump(out / 'tokenizer_config.json', config)


def dump(path, content, indent=None):
    separators = (',', ':') if indent is None else None
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=separators)
    path.write_text(text + '\n', encoding='utf-8', newline='\n')


def qwen():
    tokenizer = train(
        digits='',
        normalizer=normalizers.NFC(),
        special=['<|endoftext|>', '<|im_start|>', '<|im_end|>'],
        plain=['<think>', '</think>'],
        postprocess=lambda _: processors.ByteLevel(
            add_prefix_space=False, trim_offsets=False, use_regex=False
        ),
    )
    config = {
        'tokenizer_class': 'PreTrainedTokenizerFast',
        'bos_token': None,
        'eos_token': '<|im_end|>',
        'pad_token': {
            '__type': 'AddedToken',
            'content': '<|endoftext|>',
            'lstrip': False,
            'normalized': False,
            'rstrip': False,
            'single_word': False,
        },
        'unk_token': None,
        'clean_up_tokenization_spaces': False,
        'model_max_length': 512,
        'chat_template': CHATML,
    }
    out = FIXTURES / 'tokenizer-qwen'
    save(out, tokenizer, config, ignore_merges=False)
    write_expected(out, dict(start='<|im_start|>', end='<|im_end|>', plain='<think>'))


def llama():
    def begin(tokenizer):
        bos = '<|begin_of_text|>'
        template = processors.TemplateProcessing(
            single=f'{bos} $A',
            pair=f'{bos} $A {bos} $B',
            special_tokens=[(bos, tokenizer.token_to_id(bos))],
        )
        return processors.Sequence([processors.ByteLevel(trim_offsets=False), template])

    special = [
        '<|begin_of_text|>',
        '<|end_of_text|>',
        '<|start_header_id|>',
        '<|end_header_id|>',
        '<|eot_id|>',
    ]
    tokenizer = train(digits='{1,3}', normalizer=None, special=special, plain=[], postprocess=begin)
    config = {
        'tokenizer_class': 'PreTrainedTokenizerFast',
        'bos_token': '<|begin_of_text|>',
        'eos_token': '<|eot_id|>',
        'clean_up_tokenization_spaces': False,
        'model_max_length': 512,
    }
    out = FIXTURES / 'tokenizer-llama'
    save(out, tokenizer, config, ignore_merges=True)
    (out / 'chat_template.jinja').write_text(HEADERS, encoding='utf-8', newline='\n')
    write_expected(
        out, dict(start='<|start_header_id|>', end='<|eot_id|>', plain='<|end_of_text|>')
    )


def write_expected(out, marks):
    """Ids, decoded text and rendered conversations of everything above."""
    tokenizer = AutoTokenizer.from_pretrained(out)
    texts = CODE + UNICODE + [text.format(**marks) for text in MARKED]
    ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    expected = {
        'texts': [
            {
                'text': text,
                'ids': row,
                'with_special': tokenizer.encode(text),
                'decoded': tokenizer.decode(row, skip_special_tokens=True),
            }
            for text, row in zip(texts, ids)
        ],
        # Prefixes cut characters in two, as a completion of limited length does.
        'cut': [
            {
                'ids': row[:length],
                'decoded': tokenizer.decode(row[:length], skip_special_tokens=True),
            }
            for row in ids[10:18]
            for length in (1, 2, 3, 5)
        ],
        'prefill': PREFILL,
        'chats': [
            chat(tokenizer, system, user.format(**marks) if '{end}' in user else user)
            for system in (None, SYSTEM)
            for user in USERS
        ],
    }
    dump(out / 'expected.json', expected, indent=1)


def chat(tokenizer, system, user):
    messages = [{'role': 'user', 'content': user}]
    if system is not None:
        messages.insert(0, {'role': 'system', 'content': system})
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    prefilled = tokenizer.encode(text + PREFILL, add_special_tokens=False)
    return {'system': system, 'user': user, 'text': text, 'ids': ids, 'prefilled_ids': prefilled}


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return TODAY


if __name__ == '__main__':
    chat_template_utils.datetime = Clock
    qwen()
    llama()
