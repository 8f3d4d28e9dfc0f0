"""Advantages, losses and gradients as TRL computes them, for rl.test.ts.

Run it by hand (pip install torch transformers trl). The file it writes, fixtures/rl.json, is
committed, so the test needs no Python. Usage: python make_rl_fixtures.py

Every value comes from TRL's own trainers with the tiny Qwen2 of fixtures/. Instead of sampling and
computing them, GRPOTrainer and RLOOTrainer are given completions, rewards and, except in the last
case, log-probabilities; _generate_and_score_completions and compute_loss do the rest.
"""

import json
import pathlib
import re
import tempfile

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

FIXTURES = pathlib.Path(__file__).parent / 'fixtures'
MODEL = FIXTURES / 'tiny-qwen2'
END, MAX_TOKENS, EPSILON, EPSILON_HIGH, BETA, TEMPERATURE = 1, 8, 0.2, 0.28, 0.1, 1.3
# Rewards of groups of four (the second is constant) and of eight.
FOUR = [[1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], [0.31, 0.87, 0.12, 0.64]]
EIGHT = [[0.2, 0.9, 0.4, 0.4, 0.7, 0.0, 1.0, 0.3], [0, 0, 0, 0, 0, 0, 0.001, 0]]


def completion(length, truncated):
    ids = torch.randint(2, 64, (length,)).tolist()
    return ids if truncated else [*ids[:-1], END]


def samples(rewards):
    """Prompts and completions of different lengths, some truncated, with log-probabilities."""
    torch.manual_seed(1)
    prompts = [
        torch.randint(2, 64, (2 + i,)).tolist() for i in range(len(rewards)) for _ in rewards[i]
    ]
    lengths = [2 + (5 * i) % 7 for i in range(len(prompts))]
    completions = [completion(n, truncated=i % 5 == 2) for i, n in enumerate(lengths)]
    shape = (len(completions), max(lengths))
    old = -4 * torch.rand(shape) - 0.1
    return {
        'rewards': [r for group in rewards for r in group],
        'prompts': prompts,
        'completions': completions,
        'old': old,
        # Far enough apart to be clipped on both sides.
        'logprobs': (old + 0.3 * torch.randn(shape)).clamp(max=-0.01),
        'reference': (old + 0.3 * torch.randn(shape)).clamp(max=-0.01),
    }


def tokenizer():
    words = Tokenizer(models.WordLevel({f't{i:02}': i for i in range(64)}, unk_token='t02'))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token='t00', eos_token='t01', unk_token='t02'
    )


def trainer(kind, data, group, steps=1, **options):
    """A trainer that takes the samples in `data` as its own; `steps` per generation batch."""
    Config = GRPOConfig if kind is GRPOTrainer else RLOOConfig
    config = Config(
        output_dir=tempfile.mkdtemp(),
        use_cpu=True,
        bf16=False,
        report_to='none',
        gradient_checkpointing=False,
        per_device_train_batch_size=len(data['prompts']) // steps,
        steps_per_generation=steps,
        num_generations=group,
        max_completion_length=MAX_TOKENS,
        epsilon=EPSILON,
        epsilon_high=EPSILON_HIGH,
        **options,
    )
    made = kind(
        model=str(MODEL),
        args=config,
        processing_class=tokenizer(),
        train_dataset=Dataset.from_list(rows(data)),
        reward_funcs=lambda completions, **_: data['rewards'],
    )
    made.model.train()
    made.current_gradient_accumulation_steps = 1
    turn = data['completions']
    made._generate_single_turn = lambda *_, **__: (turn, None) if kind is GRPOTrainer else turn
    return made


def rows(data):
    return [{'prompt': ' '.join(f't{i:02}' for i in ids)} for ids in data['prompts']]


def inject(made, data, policy):
    """Return the log-probabilities in `data` instead of the model's."""

    def logprobs(model, *_, **__):
        is_reference = getattr(made, 'ref_model', None) is not None and model is made.ref_model
        return data['reference'] if is_reference else policy, torch.ones_like(policy), None

    made._get_per_token_logps_and_entropies = logprobs


def number(x):
    """A float32 in as few digits as represent it exactly."""
    return float(f'{float(x):.9g}')


def numbers(tensor):
    return [number(x) for x in tensor.flatten().tolist()]


def ragged(tensor, completions):
    """The rows of [B, T] without their padding."""
    return [numbers(row[: len(ids)]) for row, ids in zip(tensor, completions, strict=True)]


def first(batch, count):
    """The first samples of a generation batch, in the form that a step gets."""
    return {k: v[:count] if v.dim() else v for k, v in batch.items()}


def grpo_loss(data, group, steps=1, **options):
    made = trainer(GRPOTrainer, data, group, steps, **options)
    inject(made, data, data['old'])
    batch = made._generate_and_score_completions(rows(data))
    count = len(data['prompts']) // steps
    batch = first({**batch, 'old_per_token_logps': data['old']}, count)
    policy = data['logprobs'][:count].clone().requires_grad_()
    inject(made, data, policy)
    loss = made.compute_loss(made.model, batch)
    loss.backward()
    metrics = {
        name: number(values[-1])
        for name, values in made._metrics['train'].items()
        if name in ('kl', 'clip_ratio/low_mean', 'clip_ratio/high_mean')
    }
    return {
        'steps': steps,
        **options,
        'loss': number(loss.detach()),
        'metrics': metrics,
        'advantages': numbers(batch['advantages']),
        'gradient': ragged(policy.grad, data['completions'][:count]),
    }


def rloo(data, group, beta):
    """Advantages with k1 in the reward, and the loss's gradient if the policy is the one that sampled."""
    made = trainer(RLOOTrainer, data, group, beta=beta)
    inject(made, data, data['old'])
    batch = made._generate_and_score_completions(rows(data))
    policy = data['old'].clone().requires_grad_()
    inject(made, data, policy)
    made.compute_loss(made.model, batch).backward()
    return {
        'beta': beta,
        'advantages': numbers(batch['advantages']),
        'gradient': ragged(policy.grad, data['completions']),
    }


def advantages(groups):
    data = samples(groups)
    group = len(groups[0])

    def of(kind, **options):
        made = trainer(kind, data, group, **options)
        return numbers(made._generate_and_score_completions(rows(data))['advantages'])

    return {
        'groups': groups,
        'scaled': of(GRPOTrainer, scale_rewards='group'),
        'unscaled': of(GRPOTrainer, scale_rewards='none'),
        'leave_one_out': of(RLOOTrainer, beta=0.0),
    }


def whole_model(data, group):
    """One loss through the model itself: log-probabilities at the temperature, gradients of every tensor."""
    made = trainer(GRPOTrainer, data, group, loss_type='bnpo', temperature=TEMPERATURE)
    # TRL computes the log-probabilities of its samples only with two steps per generation batch.
    made.args.steps_per_generation = 2
    batch = made._generate_and_score_completions(rows(data))
    logprobs = batch['old_per_token_logps']
    shift = data['old'] - data['logprobs']
    batch['old_per_token_logps'] = logprobs + shift
    loss = made.compute_loss(made.model, batch)
    loss.backward()
    gradients = {name: p.grad for name, p in made.model.named_parameters() if p.grad is not None}
    return {
        'temperature': TEMPERATURE,
        'advantages': numbers(batch['advantages']),
        'loss': number(loss.detach()),
        'logprobs': ragged(logprobs, data['completions']),
        'old': ragged(logprobs + shift, data['completions']),
        'norms': {name: number(g.norm()) for name, g in gradients.items()},
        'vectors': {name: numbers(g) for name, g in gradients.items() if g.dim() == 1},
    }


def main():
    data = samples(FOUR)
    cases = [
        dict(loss_type='bnpo'),
        dict(loss_type='dapo'),
        dict(loss_type='dapo', steps=2),
        dict(loss_type='grpo'),
        dict(loss_type='dr_grpo', scale_rewards='none'),
        *(
            dict(loss_type=kind, mask_truncated_completions=True)
            for kind in ('bnpo', 'grpo', 'dr_grpo')
        ),
        dict(loss_type='bnpo', beta=BETA),
    ]
    fixture = {
        'versions': {
            'trl': trl.__version__,
            'torch': torch.__version__,
            'transformers': transformers.__version__,
        },
        'end': END,
        'max_tokens': MAX_TOKENS,
        'epsilon': EPSILON,
        'epsilon_high': EPSILON_HIGH,
        'advantages': [advantages(FOUR), advantages(EIGHT)],
        'samples': {
            k: ragged(v, data['completions']) if torch.is_tensor(v) else v for k, v in data.items()
        },
        'losses': [grpo_loss(data, 4, **case) for case in cases],
        'rloo': rloo(data, 4, BETA),
        'model': whole_model(data, 4),
    }
    text = json.dumps(fixture, indent=1)
    # One list of numbers per line.
    rows_joined = re.sub(
        r'\[\s+([-\d.,\se+]+?)\s+\]', lambda m: f'[{" ".join(m[1].split())}]', text
    )
    (FIXTURES / 'rl.json').write_text(rows_joined + '\n')


if __name__ == '__main__':
    main()
