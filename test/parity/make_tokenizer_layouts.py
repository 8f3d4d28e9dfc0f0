"""Reference values for tokenizers of every layout that code models have, made with transformers.

Trains a small tokenizer of each layout and writes what transformers makes of a list of texts: their
ids, their text again, and for every cut of a text what the tokens after it add to the text before.
Usage: python make_tokenizer_layouts.py
"""

import json

from make_tokenizer_fixtures import CODE, FIXTURES, PROMPTS, UNICODE, dump
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from transformers import AutoTokenizer

OUT = FIXTURES / 'tokenizer-layouts'
VOCABULARY = 330
SPACE = '\u2581'
BYTES = [f'<0x{byte:02X}>' for byte in range(256)]

TEXTS = [
    'def f(x):\n    return x',
    ' leading, two  spaces \t\n\n end ',
    'x \u00b2, \u00bd and 12345\u0663 \u2167 7',
    '\ufeffa\ufeff \u00e9\u0301 \u6f22 \U0001f600\U0001f600.',
    'a\u2581b \u2581 c',
    '<s>hi</s> x<mark>y <mark> z\n<mark>.',
]


def rows():
    lines = PROMPTS.read_text(encoding='utf-8').splitlines()[::40]
    parsed = [json.loads(line) for line in lines]
    return [row['prompt'] + row['reference'] for row in parsed] + CODE + UNICODE[:3]


def byte_level(*before, special=('<s>', '</s>'), **options):
    """GPT-2 and its heirs: merges over bytes, behind other pre-tokenizers."""
    tokenizer = Tokenizer(models.BPE())
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, **options)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*before, last]) if before else last
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=alphabet, special_tokens=list(special)
    )
    tokenizer.train_from_iterator(rows(), trainer)
    return tokenizer


def sentencepiece(normalizer, pre_tokenizer, decoder):
    """Llama 2 and its relatives: merges over characters, bytes for unknown ones."""
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(' ', SPACE)
    trained.pre_tokenizer = pre_tokenizers.Split(Regex(f'{SPACE}+|[^{SPACE}]+'), 'isolated')
    trainer = trainers.BpeTrainer(vocab_size=130, limit_alphabet=90, show_progress=False)
    trained.train_from_iterator(rows(), trainer)
    model = json.loads(trained.to_str())['model']
    pieces = ['<unk>', '<s>', '</s>', *BYTES, *model['vocab']]
    merges = [tuple(merge) for merge in model['merges']]
    vocab = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(
        models.BPE(vocab, merges, unk_token='<unk>', fuse_unk=True, byte_fallback=True)
    )
    tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    tokenizer.add_special_tokens(
        [AddedToken(text, normalized=False) for text in ('<unk>', '<s>', '</s>')]
    )
    return tokenizer


def pieces_to_text(*last):
    """SentencePiece's decoder; `last` strips what the encoder put before the first word."""
    parts = [decoders.Replace(SPACE, ' '), decoders.ByteFallback(), decoders.Fuse(), *last]
    return decoders.Sequence(parts)


def metaspace(scheme, split):
    return sentencepiece(
        normalizers.Sequence([]),
        pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme=scheme, split=split),
        decoders.Metaspace(replacement=SPACE, prepend_scheme=scheme, split=split),
    )


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme='always')
    tokenizer.decoder = decoders.Metaspace(prepend_scheme='always')
    trainer = trainers.UnigramTrainer(
        vocab_size=200, unk_token='<unk>', special_tokens=['<unk>', '<s>', '</s>']
    )
    tokenizer.train_from_iterator(rows(), trainer)
    return tokenizer


def llama2():
    parts = [normalizers.Prepend(SPACE), normalizers.Replace(' ', SPACE)]
    strip = decoders.Strip(' ', 1, 0)
    return sentencepiece(normalizers.Sequence(parts), None, pieces_to_text(strip))


def mistral():
    first = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme='first', split=False)
    strip = decoders.Strip(' ', 1, 0)
    return sentencepiece(normalizers.Sequence([]), first, pieces_to_text(strip))


def gemma():
    split = pre_tokenizers.Split(' ', 'merged_with_previous')
    return sentencepiece(normalizers.Replace(' ', SPACE), split, pieces_to_text())


def deepseek_coder():
    split = [
        pre_tokenizers.Split(Regex(p), 'isolated') for p in (r'[\r\n]', r'\s?\p{L}+', r'\s?\p{P}+')
    ]
    return byte_level(*split, pre_tokenizers.Digits(individual_digits=True), use_regex=False)


def added(**flags):
    """A byte-level tokenizer with a token in the text that has these properties."""
    tokenizer = byte_level()
    tokenizer.add_tokens([AddedToken('<mark>', **flags)])
    return tokenizer


def flags(**changes):
    plain = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    return plain | changes


LAYOUTS = {
    'gpt2': (byte_level, {}),
    'smollm2': (lambda: byte_level(pre_tokenizers.Digits(individual_digits=True)), {}),
    'digits-together': (lambda: byte_level(pre_tokenizers.Digits()), {}),
    'deepseek-coder': (deepseek_coder, {}),
    'llama2': (llama2, {}),
    'mistral': (mistral, {}),
    'gemma': (gemma, {}),
    'metaspace-always': (lambda: metaspace('always', True), {}),
    'metaspace-first': (lambda: metaspace('first', False), {}),
    'metaspace-never': (lambda: metaspace('never', True), {}),
    'unigram': (unigram, {}),
    'single-word': (lambda: added(single_word=True), {}),
    'strips': (lambda: added(lstrip=True, rstrip=True), {}),
    'normalized': (lambda: added(normalized=True, special=True), {}),
    # Tokens that tokenizer.json does not have, in each place where transformers looks for them.
    'added-tokens-decoder': (
        byte_level,
        {
            'tokenizer_config.json': {
                'added_tokens_decoder': {
                    str(VOCABULARY): dict(content='<mark>', **flags(lstrip=True, special=False)),
                    '0': dict(content='<s>', **flags(rstrip=True)),
                }
            },
            'special_tokens_map.json': {'eos_token': '<not read>'},
        },
    ),
    'special-tokens-map': (
        byte_level,
        {
            'special_tokens_map.json': {
                'bos_token': dict(content='<mark>', **flags(single_word=True)),
                'additional_special_tokens': ['return', 'hi'],
            }
        },
    ),
    'named-tokens': (
        byte_level,
        {'tokenizer_config.json': {'pad_token': '<mark>', 'extra_special_tokens': ['def']}},
    ),
    'added-tokens-json': (
        byte_level,
        {'added_tokens.json': {'<mark>': VOCABULARY, 'hi': VOCABULARY + 1}},
    ),
}


def write(name, make, files):
    out = OUT / name
    out.mkdir(parents=True, exist_ok=True)
    dump(out / 'tokenizer.json', json.loads(make().to_str()))
    config = {
        'tokenizer_class': 'PreTrainedTokenizerFast',
        'bos_token': '<s>',
        'eos_token': '</s>',
        'clean_up_tokenization_spaces': False,
    }
    for file, content in ({'tokenizer_config.json': {}} | files).items():
        dump(out / file, config | content if file == 'tokenizer_config.json' else content)
    tokenizer = AutoTokenizer.from_pretrained(out)
    texts = [expected(tokenizer, text) for text in TEXTS]
    special = {key: str(value) for key, value in tokenizer.special_tokens_map.items()}
    named = {key: value for key, value in special.items() if not key.startswith(('extra', 'add'))}
    dump(out / 'expected.json', {'special': named, 'texts': texts})


def expected(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False)
    whole = tokenizer.decode(ids, skip_special_tokens=True)
    starts = [tokenizer.decode(ids[:cut], skip_special_tokens=True) for cut in range(len(ids))]
    return {'text': text, 'ids': ids, 'decoded': whole, 'after': [beyond(s, whole) for s in starts]}


def beyond(start, whole):
    same = 0
    while same < len(start) and same < len(whole) and start[same] == whole[same]:
        same += 1
    return whole[same:]


if __name__ == '__main__':
    for name, (make, files) in LAYOUTS.items():
        write(name, make, files)
