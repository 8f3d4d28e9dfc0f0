"""Bradley-Terry losses and gradients of a tiny classifier, for preferences.test.ts.

Run it by hand (pip install torch transformers peft). The files it writes are committed, so the test
needs no Python. Usage: python make_preference_fixtures.py

The loss is that of TRL's RewardTrainer, -logsigmoid(chosen - rejected).mean(), over pairs of rows
of token ids: once for every weight of fixtures/qwen2-classifier, once for PEFT adapters of it.
"""

import json
import pathlib

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForSequenceClassification

FIXTURES = pathlib.Path(__file__).parent / 'fixtures'
BASE = FIXTURES / 'qwen2-classifier'
LORA = FIXTURES / 'lora-classifier'
STEPS, RATE, DECAY, CLIP = 10, 1e-3, 0.01, 0.5
# The last token is not padding, since transformers scores the last token other than token 0.
LENGTHS = [(3, 9), (12, 5), (7, 7), (1, 2), (15, 11)]


def pairs():
    torch.manual_seed(3)
    row = lambda n: torch.randint(2, 64, (n,)).tolist()
    return [{'chosen': row(a), 'rejected': row(b)} for a, b in LENGTHS]


def score(model, row):
    return model(torch.tensor([row])).logits[0, 0]


def loss_of(model, data):
    margins = [score(model, p['chosen']) - score(model, p['rejected']) for p in data]
    return -torch.nn.functional.logsigmoid(torch.stack(margins)).mean(), margins


def trained(model, data, strip):
    """The loss, its gradients, and the losses of some steps of AdamW."""
    loss, margins = loss_of(model, data)
    model.zero_grad()
    loss.backward()
    named = [(strip(n), p) for n, p in model.named_parameters() if p.requires_grad]
    gradients = {n: p.grad.clone().contiguous() for n, p in named}
    optimizer = torch.optim.AdamW([p for _, p in named], lr=RATE, weight_decay=DECAY)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        step, _ = loss_of(model, data)
        step.backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in named], CLIP)
        optimizer.step()
        losses.append(step.item())
    return gradients, {
        'loss': loss.item(),
        'margins': [m.item() for m in margins],
        'losses': losses,
    }


def load():
    torch.manual_seed(5)
    return AutoModelForSequenceClassification.from_pretrained(BASE, dtype=torch.float32).eval()


def main():
    data = pairs()
    gradients, full = trained(load(), data, lambda n: n)
    save_file(gradients, BASE / 'preference-gradients.safetensors')

    config = LoraConfig(
        r=3,
        lora_alpha=6,
        target_modules=['q_proj', 'v_proj', 'down_proj'],
        lora_dropout=0.0,
        task_type='SEQ_CLS',
    )
    model = get_peft_model(load(), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if 'lora_B' in name or 'modules_to_save' in name:
                parameter.normal_(0, 0.2)
    model.save_pretrained(LORA)
    (LORA / 'README.md').unlink(missing_ok=True)
    path = LORA / 'adapter_config.json'
    saved = json.loads(path.read_text())
    saved['base_model_name_or_path'] = '../qwen2-classifier'
    path.write_text(json.dumps(saved, indent=2, sort_keys=True) + '\n')
    strip = lambda n: (
        n.removeprefix('base_model.model.')
        .replace('.modules_to_save.default', '')
        .replace('.default', '')
    )
    gradients, lora = trained(model.eval(), data, strip)
    save_file(gradients, LORA / 'preference-gradients.safetensors')
    expected = {
        'pairs': data,
        'adamw': {'learning_rate': RATE, 'weight_decay': DECAY, 'max_grad_norm': CLIP},
        'full': full,
        'lora': lora,
    }
    (FIXTURES / 'preferences.json').write_text(json.dumps(expected) + '\n')


main()
