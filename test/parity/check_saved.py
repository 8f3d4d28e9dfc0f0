"""Loads folders saved by Anneal with transformers, strictly, and compares them with their sources.

Usage: python check_saved.py SAVED SOURCE [SAVED SOURCE ...]
A folder of adapters is loaded with PEFT, merged, and compared with the merged model, its SOURCE.
Prints "OK <name>" for a pair, or the differences; exits with 1 if there are any. Needs torch,
transformers and peft.
"""

import json
import pathlib
import sys

import torch
from peft import PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

TEXTS = ['function twice(x) {\n  return 2 * x;\n}', 'Grüße, 世界 🙂 <|im_end|>']
# Files that training keeps beside a model, and the keys that a saved config may change.
TRAINING = {'optimizer.safetensors', 'trainer_state.json'}
CHANGED = {'dtype', 'torch_dtype', 'model_type', 'architectures', 'tie_word_embeddings'}


def load(folder, **options):
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **options)
    return model.eval(), {kind: sorted(map(str, keys)) for kind, keys in info.items() if keys}


def config_differences(saved, source):
    before, after = (json.loads((folder / 'config.json').read_text()) for folder in (source, saved))
    for key in sorted({*before, *after} - CHANGED):
        if key not in before or key not in after or before[key] != after[key]:
            yield f'config.json, {key}: {before.get(key)} became {after.get(key)}'
    declared = [after[key] for key in ('dtype', 'torch_dtype') if key in after]
    if not declared or set(declared) != {'float32'}:
        yield f'config.json: expected float32, found {declared}'
    if AutoConfig.from_pretrained(saved).dtype is not torch.float32:
        yield 'transformers reads another data type than float32'


def weight_differences(saved, source):
    model, info = load(saved)
    yield from (f'{kind}: {keys}' for kind, keys in info.items())
    dtypes = {str(p.dtype) for p in model.parameters()}
    if dtypes != {'torch.float32'}:
        yield f'expected parameters of float32, found {dtypes}'
    reference, _ = load(source, dtype=torch.float32)
    expected, found = reference.state_dict(), model.state_dict()
    for name in sorted({*expected, *found}):
        if (
            name not in expected
            or name not in found
            or not torch.equal(expected[name], found[name])
        ):
            yield f'tensor {name} differs'
    tokens = torch.tensor([[5, 9, 11, 3]])
    with torch.no_grad():
        if not torch.equal(model(tokens).logits, reference(tokens).logits):
            yield 'logits differ'
        model.generate(tokens, max_new_tokens=4, do_sample=False)


def generation_differences(saved, source):
    found = GenerationConfig.from_pretrained(saved)
    if (source / 'generation_config.json').exists():
        expected = GenerationConfig.from_pretrained(source)
    else:
        expected = AutoConfig.from_pretrained(source)
    for key in ('bos_token_id', 'eos_token_id', 'pad_token_id'):
        if getattr(found, key) != getattr(expected, key):
            yield f'generation_config.json, {key}: expected {getattr(expected, key)}, found {getattr(found, key)}'


def tokenizer_differences(saved, source):
    if not (source / 'tokenizer.json').exists():
        return
    found, expected = (AutoTokenizer.from_pretrained(folder) for folder in (saved, source))
    for text in TEXTS:
        if found(text).input_ids != expected(text).input_ids:
            yield f'the tokenizer encodes {text!r} differently'


def file_differences(saved):
    names = {path.name for path in saved.iterdir()} - TRAINING
    for needed in ('README.md', 'config.json', 'generation_config.json', 'model.safetensors'):
        if needed not in names:
            yield f'{needed} is missing'
    if not (saved / 'README.md').read_text().startswith('---\n'):
        yield 'README.md has no front matter'


def adapter_differences(saved, merged):
    base = (
        saved / json.loads((saved / 'adapter_config.json').read_text())['base_model_name_or_path']
    )
    model, _ = load(base, dtype=torch.float32)
    found = PeftModel.from_pretrained(model, saved).merge_and_unload().state_dict()
    expected = load(merged)[0].state_dict()
    for name in sorted({*expected, *found}):
        if (
            name not in expected
            or name not in found
            or not torch.allclose(expected[name], found[name], atol=1e-6)
        ):
            yield f'tensor {name} differs'


def differences(saved, source):
    if (saved / 'adapter_config.json').exists():
        yield from adapter_differences(saved, source)
        return
    yield from file_differences(saved)
    yield from config_differences(saved, source)
    yield from weight_differences(saved, source)
    yield from generation_differences(saved, source)
    yield from tokenizer_differences(saved, source)


def main(arguments):
    folders = [pathlib.Path(argument) for argument in arguments]
    failed = False
    for saved, source in zip(folders[::2], folders[1::2], strict=True):
        found = list(differences(saved, source))
        failed |= bool(found)
        print(
            '\n'.join(f'{source.name}: {difference}' for difference in found) or f'OK {source.name}'
        )
    return int(failed)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
