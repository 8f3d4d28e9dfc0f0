"""Speed of transformers and torch on this machine, to compare the engine with.

Reads one JSON request per line from standard input, {"rollout": batch} or {"train": batch,
"autocast": bool}, runs it once and answers {"seconds": s, "tokens": n}, so that the benchmark can
alternate between the two. Usage: python peers.py MODEL_FOLDER (pip install torch transformers)
"""

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM, logging

PROMPT, COMPLETION = 32, 128
TRAIN_LENGTH = 128


def rollout(net, batch):
    ids = torch.randint(0, net.config.vocab_size, (batch, PROMPT))
    options = dict(
        do_sample=True, temperature=1.0, top_k=0, top_p=1.0, pad_token_id=0, eos_token_id=None
    )
    with torch.inference_mode():
        net.generate(ids, max_new_tokens=COMPLETION, min_new_tokens=COMPLETION, **options)
    return batch * COMPLETION


def train(net, optimizer, batch, autocast):
    """One policy-gradient step with a clipped ratio and k2, like the engine's training graph."""
    ids = torch.randint(0, net.config.vocab_size, (batch, TRAIN_LENGTH))
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
        logits = net(ids, use_cache=False).logits[:, :-1].float()
    logprobs = torch.log_softmax(logits, -1).gather(-1, ids[:, 1:, None])[..., 0]
    old = reference = logprobs.detach() + 0.01
    ratio = torch.exp(logprobs - old)
    surrogate = torch.minimum(ratio * 0.5, torch.clamp(ratio, 0.8, 1.28) * 0.5)
    loss = (-surrogate + 0.1 * 0.5 * (logprobs - reference) ** 2).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return batch * TRAIN_LENGTH


def main():
    torch.set_num_threads(2)
    logging.disable_progress_bar()
    net = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5)
    print(json.dumps({'torch': torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        if 'rollout' in request:
            tokens = rollout(net.eval(), request['rollout'])
        else:
            tokens = train(net.train(), optimizer, request['train'], request.get('autocast', False))
        print(json.dumps({'seconds': time.perf_counter() - start, 'tokens': tokens}), flush=True)


if __name__ == '__main__':
    main()
