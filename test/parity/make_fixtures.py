"""Reference values for the parity tests, made with torch and transformers.

Run it by hand (pip install torch transformers safetensors peft). The files it writes are
committed, so the tests need no Python. Usage: python make_fixtures.py
"""

import json
import pathlib

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

FIXTURES = pathlib.Path(__file__).parent / 'fixtures'
OUT = FIXTURES / 'tiny-qwen2'
TEMPERATURE, KL, LOW, HIGH = 1.3, 0.05, 0.8, 1.28
LR, DECAY, BETAS, EPS, CLIP, STEPS = 1e-3, 0.01, (0.9, 0.999), 1e-8, 0.5, 20
PROMPTS = [[5, 9, 11], [7, 3, 2, 40, 41, 8, 6], [12, 30], [50, 51, 52, 53, 54]]
COMPLETIONS = [[4, 8, 15, 16, 1], [23, 42, 1], [9, 9, 8, 7, 6, 5, 4, 3, 2, 1], [60, 61, 62, 63]]


SIZES = dict(
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    vocab_size=64,
    max_position_embeddings=256,
    rms_norm_eps=1e-6,
    eos_token_id=1,
    pad_token_id=0,
    tie_word_embeddings=True,
)
ROPE = {'rope_type': 'default', 'rope_theta': 10000.0}
LLAMA3 = {
    'rope_type': 'llama3',
    'rope_theta': 500000.0,
    'factor': 8.0,
    'low_freq_factor': 1.0,
    'high_freq_factor': 4.0,
    'original_max_position_embeddings': 32,
}
# Every option of the decoder, in some architecture: name -> (model type, config, data type)
VARIANTS = {
    'qwen2-untied': ('qwen2', dict(tie_word_embeddings=False), torch.float32),
    'qwen2-window': (
        'qwen2',
        dict(use_sliding_window=True, sliding_window=6, max_window_layers=1),
        torch.float32,
    ),
    'qwen2-bfloat16': ('qwen2', {}, torch.bfloat16),
    'qwen2-float16': ('qwen2', {}, torch.float16),
    'qwen3': ('qwen3', dict(head_dim=16), torch.float32),
    'qwen3-bias': (
        'qwen3',
        dict(head_dim=8, attention_bias=True, tie_word_embeddings=False),
        torch.float32,
    ),
    'llama': ('llama', dict(tie_word_embeddings=False), torch.float32),
    'llama-bias': (
        'llama',
        dict(attention_bias=True, mlp_bias=True, num_key_value_heads=4),
        torch.float32,
    ),
    'llama-llama3': ('llama', dict(rope_parameters=LLAMA3), torch.float32),
    'llama-linear': (
        'llama',
        dict(rope_parameters={**ROPE, 'rope_type': 'linear', 'factor': 4.0}),
        torch.float32,
    ),
    'qwen2-classifier': ('qwen2', dict(num_labels=1), torch.float32),
    'qwen3-classifier': ('qwen3', dict(num_labels=3, head_dim=8), torch.float32),
    'llama-classifier': ('llama', dict(num_labels=1), torch.float32),
}
# Adapters over one of the variants: name -> (variant of the base, rank, alpha, targets)
ADAPTERS = {
    'lora-qwen2': (
        'qwen2-untied',
        4,
        8,
        ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    ),
    'lora-llama': ('llama-bias', 2, 6, ['q_proj', 'v_proj', 'down_proj']),
    # Modules by a regular expression, in some layers, and by what is left out
    'lora-pattern': (
        'llama-bias',
        3,
        4,
        r'.*\.layers\.1\..*(?:q|down)_proj|.*\.0\.self_attn\.k_proj',
        dict(use_rslora=True),
    ),
    'lora-layers': ('qwen3', 2, 3, ['self_attn.o_proj', 'up_proj'], dict(layers_to_transform=[1])),
    'lora-all-linear': (
        'qwen2-untied',
        2,
        5,
        'all-linear',
        dict(exclude_modules=['v_proj', 'layers.0.mlp.gate_proj']),
    ),
}


def model(kind='qwen2', changes=None, dtype=torch.float32):
    changes = changes or {}
    torch.manual_seed(0)
    options = {**SIZES, 'rope_parameters': dict(ROPE), **changes, 'attn_implementation': 'eager'}
    config = AutoConfig.for_model(kind, **options)
    auto = AutoModelForSequenceClassification if 'num_labels' in changes else AutoModelForCausalLM
    net = auto.from_config(config, attn_implementation='eager').eval()
    with torch.no_grad():  # every term matters: no zero biases, no unit norms
        for name, p in net.named_parameters():
            p.copy_((torch.randn_like(p) * 0.3 + (1.0 if 'norm' in name else 0.0)).to(dtype))
    return net


def save(net, out, dtype=torch.float32):
    out.mkdir(parents=True, exist_ok=True)
    net.config.architectures = [type(net).__name__]
    net.config.to_json_file(out / 'config.json', use_diff=False)
    tied = net.config.tie_word_embeddings
    state = {
        k: v.to(dtype) for k, v in net.state_dict().items() if not (tied and k == 'lm_head.weight')
    }
    save_file(
        {k: v.contiguous() for k, v in state.items()},
        out / 'model.safetensors',
        metadata={'format': 'pt'},
    )


def variant(name, kind, changes, dtype):
    """Logits, greedy tokens and gradients of one variant; weights rounded to the stored type."""
    net, out = model(kind, changes, dtype), FIXTURES / name
    save(net, out, dtype)
    expected = {'prompts': PROMPTS, 'completions': COMPLETIONS}
    with torch.no_grad():
        if 'num_labels' in changes:
            expected['scores'] = [
                net(torch.tensor([p + c])).logits[0].tolist() for p, c in zip(PROMPTS, COMPLETIONS)
            ]
        else:
            expected['logits'] = [
                net(torch.tensor([p + c])).logits[0, -1].tolist()
                for p, c in zip(PROMPTS, COMPLETIONS)
            ]
            expected['logprobs'] = [row_logprobs(net, p + c) for p, c in zip(PROMPTS, COMPLETIONS)]
            expected['greedy'] = [greedy(net, p, 64) for p in PROMPTS]
    if 'num_labels' not in changes and dtype is torch.float32:
        total = sum(len(c) for c in COMPLETIONS)
        loss = -sum(logprobs(net, p, c).sum() for p, c in zip(PROMPTS, COMPLETIONS)) / total
        loss.backward()
        save_file(
            {k: p.grad.clone() for k, p in net.named_parameters()}, out / 'gradients.safetensors'
        )
        expected['loss'] = loss.item()
    (out / 'expected.json').write_text(json.dumps(expected) + '\n')


def loaded(name, kind, changes, auto, keep=lambda k: k, config_changes=None):
    """A folder whose weights and config.json disagree, with what from_pretrained makes of it."""
    net, out = model(kind, changes), FIXTURES / name
    save(net, out)
    state = {keep(k): v for k, v in load_file(out / 'model.safetensors').items()}
    save_file(state, out / 'model.safetensors', metadata={'format': 'pt'})
    config = json.loads((out / 'config.json').read_text()) | (config_changes or {})
    (out / 'config.json').write_text(json.dumps(config, indent=2, sort_keys=True) + '\n')
    net = auto.from_pretrained(out, dtype=torch.float32, attn_implementation='eager').eval()
    expected = {'prompts': PROMPTS, 'completions': COMPLETIONS}
    with torch.no_grad():
        if 'num_labels' in changes:
            longest = max(len(p + c) for p, c in zip(PROMPTS, COMPLETIONS))
            rows = [p + c for p, c in zip(PROMPTS, COMPLETIONS)]
            ids = torch.tensor([r + [net.config.pad_token_id] * (longest - len(r)) for r in rows])
            expected['scores'] = net(ids).logits.tolist()
        else:
            expected['logits'] = [
                net(torch.tensor([p + c])).logits[0, -1].tolist()
                for p, c in zip(PROMPTS, COMPLETIONS)
            ]
            expected['logprobs'] = [row_logprobs(net, p + c) for p, c in zip(PROMPTS, COMPLETIONS)]
            expected['greedy'] = [greedy(net, p, 64) for p in PROMPTS]
    (out / 'expected.json').write_text(json.dumps(expected) + '\n')


def disagreements():
    # transformers 5 uses both; version 4 drops the head
    loaded(
        'qwen2-tied-with-head',
        'qwen2',
        dict(tie_word_embeddings=False),
        AutoModelForCausalLM,
        config_changes={'tie_word_embeddings': True},
    )
    loaded(
        'llama-headless',
        'llama',
        dict(),
        AutoModelForCausalLM,
        keep=lambda k: k.removeprefix('model.'),
        config_changes={'architectures': ['LlamaModel']},
    )
    # tokens that end a text do not count
    loaded(
        'llama-classifier-pad-eos',
        'llama',
        dict(num_labels=2, pad_token_id=1),
        AutoModelForSequenceClassification,
    )


def adapter(name, base, rank, alpha, targets, more=None):
    """Adapters as PEFT saves them, and the model's outputs, gradients and AdamW steps with them."""
    kind, changes, dtype = VARIANTS[base]
    torch.manual_seed(1)
    net = get_peft_model(
        model(kind, changes, dtype),
        LoraConfig(
            r=rank,
            lora_alpha=alpha,
            target_modules=targets,
            lora_dropout=0.0,
            task_type='CAUSAL_LM',
            **(more or {}),
        ),
    )
    out = FIXTURES / name
    trained = {k: p for k, p in net.named_parameters() if p.requires_grad}
    with torch.no_grad():  # no zero B: the adapters count from the start
        for p in trained.values():
            p.copy_(torch.randn_like(p) * 0.2)
    net.peft_config['default'].base_model_name_or_path = f'../{base}'
    net.save_pretrained(out, safe_serialization=True)
    (out / 'README.md').unlink()
    config = json.loads((out / 'adapter_config.json').read_text())
    for key in ('target_modules', 'exclude_modules'):
        if isinstance(config[key], list):  # PEFT's is a set, whose order changes from run to run
            config[key].sort()
    (out / 'adapter_config.json').write_text(json.dumps(config, indent=2) + '\n')
    plain = lambda k: k.removeprefix('base_model.model.').replace('.default', '')
    expected = {'prompts': PROMPTS, 'completions': COMPLETIONS}
    with torch.no_grad():
        expected['logits'] = [
            net(torch.tensor([p + c])).logits[0, -1].tolist() for p, c in zip(PROMPTS, COMPLETIONS)
        ]
        expected['logprobs'] = [row_logprobs(net, p + c) for p, c in zip(PROMPTS, COMPLETIONS)]
        expected['greedy'] = [greedy(net, p, 64) for p in PROMPTS]
    total = sum(len(c) for c in COMPLETIONS)
    loss = lambda: -sum(logprobs(net, p, c).sum() for p, c in zip(PROMPTS, COMPLETIONS)) / total
    loss().backward()
    save_file({plain(k): p.grad.clone() for k, p in trained.items()}, out / 'gradients.safetensors')
    optimizer = torch.optim.AdamW(trained.values(), lr=LR, weight_decay=DECAY, betas=BETAS, eps=EPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss().backward()
        torch.nn.utils.clip_grad_norm_(trained.values(), CLIP)
        optimizer.step()
    save_file(
        {plain(k): p.detach().clone() for k, p in trained.items()}, out / 'after-adamw.safetensors'
    )
    expected['loss'] = loss().item()
    (out / 'expected.json').write_text(json.dumps(expected) + '\n')


def drawing():
    """Tokens that top-k, top-p and min-p keep, applied in the order of generate."""
    torch.manual_seed(2)
    logits = torch.randn(4, 48) * 3
    cases = [
        dict(top_k=5),
        dict(top_p=0.7),
        dict(min_p=0.2),
        dict(top_k=12, top_p=0.9),
        dict(top_p=0.95, min_p=0.05),
        dict(top_k=1),
        dict(top_p=0.01),
        dict(top_k=20, top_p=0.8, min_p=0.3),
    ]
    for case in cases:
        scores = TemperatureLogitsWarper(TEMPERATURE)(None, logits)
        if 'top_k' in case:
            scores = TopKLogitsWarper(case['top_k'])(None, scores)
        if 'top_p' in case:
            scores = TopPLogitsWarper(case['top_p'])(None, scores)
        if 'min_p' in case:
            scores = MinPLogitsWarper(case['min_p'])(None, scores)
        case['probabilities'] = torch.softmax(scores, -1).tolist()
    expected = {
        'temperature': TEMPERATURE,
        'logits': logits.tolist(),
        'cases': cases,
        'logprobs': torch.log_softmax(logits / TEMPERATURE, -1).tolist(),
    }
    (FIXTURES / 'drawing.json').write_text(json.dumps(expected) + '\n')


def row_logprobs(net, ids):
    lp = torch.log_softmax(net(torch.tensor([ids])).logits[0, :-1], -1)
    return lp[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].tolist()


def logprobs(net, prompt, completion):
    ids = torch.tensor([prompt + completion])
    logits = net(ids).logits[0, len(prompt) - 1 : -1] / TEMPERATURE
    return torch.log_softmax(logits, -1)[torch.arange(len(completion)), torch.tensor(completion)]


def objective(net, kind, rows):
    total = sum(len(c) for c in COMPLETIONS)
    loss = 0.0
    for prompt, completion, row in zip(PROMPTS, COMPLETIONS, rows):
        lp = logprobs(net, prompt, completion)
        old, ref = torch.tensor(row['old']), torch.tensor(row['reference'])
        advantage = row['advantage']
        ratio = torch.exp(lp - old)
        clipped = torch.clamp(ratio, LOW, HIGH)
        gain = (
            advantage * lp
            if kind == 'likelihood'
            else torch.minimum(ratio * advantage, clipped * advantage)
        )
        k2 = 0.5 * (lp - ref) ** 2
        loss = loss + (-gain + KL * k2).sum() / total
    return loss


def greedy(net, prompt, count):
    ids = list(prompt)
    for _ in range(count):
        ids.append(int(net(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def main():
    for name, (kind, changes, dtype) in VARIANTS.items():
        variant(name, kind, changes, dtype)
    disagreements()
    drawing()
    for name, options in ADAPTERS.items():
        adapter(name, *options)
    net = model()
    save(net, OUT)
    with torch.no_grad():
        base = [logprobs(net, p, c) for p, c in zip(PROMPTS, COMPLETIONS)]
        rows = []
        for i, lp in enumerate(base):
            noise = torch.linspace(-0.4, 0.4, len(lp))
            rows.append(
                {
                    'old': (lp + noise).tolist(),
                    'reference': (lp - 0.7 * noise + 0.1).tolist(),
                    'advantage': [1.5, -0.8, 0.4, -1.2][i],
                }
            )
        expected = {
            'temperature': TEMPERATURE,
            'kl': KL,
            'low': LOW,
            'high': HIGH,
            'prompts': PROMPTS,
            'completions': COMPLETIONS,
            'rows': rows,
            'logprobs': [lp.tolist() for lp in base],
            'logits': [net(torch.tensor([p])).logits[0, -1].tolist() for p in PROMPTS],
            'greedy': [greedy(net, p, 24) for p in PROMPTS],
            'adamw': {
                'learning_rate': LR,
                'weight_decay': DECAY,
                'betas': BETAS,
                'epsilon': EPS,
                'max_grad_norm': CLIP,
                'losses': [],
                'grad_norms': [],
            },
        }
    for kind in ('likelihood', 'clipped_ratio'):
        net.zero_grad()
        loss = objective(net, kind, rows)
        loss.backward()
        expected[f'{kind}_loss'] = loss.item()
        save_file(
            {k: p.grad.clone() for k, p in net.named_parameters()},
            OUT / f'gradients-{kind}.safetensors',
        )
    optimizer = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=DECAY, betas=BETAS, eps=EPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = objective(net, 'clipped_ratio', rows)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        expected['adamw']['losses'].append(loss.item())
        expected['adamw']['grad_norms'].append(norm.item())
    save_file(
        {k: p.detach().clone() for k, p in net.named_parameters()}, OUT / 'after-adamw.safetensors'
    )
    (OUT / 'expected.json').write_text(json.dumps(expected, indent=1) + '\n')


if __name__ == '__main__':
    main()
