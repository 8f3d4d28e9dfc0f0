"""Reference values for the parity tests, made with torch and transformers.

Run by hand where Python is at hand (pip install torch transformers safetensors); the files it
writes are committed, and the tests need no Python. Usage: python make_fixtures.py
"""

import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import Qwen2Config, Qwen2ForCausalLM

OUT = pathlib.Path(__file__).parent / "fixtures" / "tiny-qwen2"
TEMPERATURE, KL, LOW, HIGH = 1.3, 0.05, 0.8, 1.28
LR, DECAY, BETAS, EPS, CLIP, STEPS = 1e-3, 0.01, (0.9, 0.999), 1e-8, 0.5, 10
PROMPTS = [[5, 9, 11], [7, 3, 2, 40, 41, 8, 6], [12, 30], [50, 51, 52, 53, 54]]
COMPLETIONS = [[4, 8, 15, 16, 1], [23, 42, 1], [9, 9, 8, 7, 6, 5, 4, 3, 2, 1], [60, 61, 62, 63]]


def model():
    torch.manual_seed(0)
    config = Qwen2Config(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=64, max_position_embeddings=128,
        tie_word_embeddings=True, rms_norm_eps=1e-6, rope_theta=10000.0,
        eos_token_id=1, pad_token_id=0, attn_implementation="eager",
    )
    net = Qwen2ForCausalLM(config).eval()
    with torch.no_grad():  # every term matters: no zero biases, no unit norms
        for name, p in net.named_parameters():
            p.copy_(torch.randn_like(p) * 0.3 + (1.0 if "norm" in name else 0.0))
    return net


def logprobs(net, prompt, completion):
    ids = torch.tensor([prompt + completion])
    logits = net(ids).logits[0, len(prompt) - 1 : -1] / TEMPERATURE
    return torch.log_softmax(logits, -1)[torch.arange(len(completion)), torch.tensor(completion)]


def objective(net, kind, rows):
    total = sum(len(c) for c in COMPLETIONS)
    loss = 0.0
    for prompt, completion, row in zip(PROMPTS, COMPLETIONS, rows):
        lp = logprobs(net, prompt, completion)
        old, ref = torch.tensor(row["old"]), torch.tensor(row["reference"])
        advantage = row["advantage"]
        ratio = torch.exp(lp - old)
        clipped = torch.clamp(ratio, LOW, HIGH)
        gain = advantage * lp if kind == "likelihood" else torch.minimum(ratio * advantage, clipped * advantage)
        k2 = 0.5 * (lp - ref) ** 2
        loss = loss + (-gain + KL * k2).sum() / total
    return loss


def greedy(net, prompt, count):
    ids = list(prompt)
    for _ in range(count):
        ids.append(int(net(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    net = model()
    net.config.architectures = ["Qwen2ForCausalLM"]
    net.config.to_json_file(OUT / "config.json", use_diff=False)
    state = {k: v.clone() for k, v in net.state_dict().items() if k != "lm_head.weight"}
    save_file(state, OUT / "model.safetensors", metadata={"format": "pt"})
    with torch.no_grad():
        base = [logprobs(net, p, c) for p, c in zip(PROMPTS, COMPLETIONS)]
        rows = []
        for i, lp in enumerate(base):
            noise = torch.linspace(-0.4, 0.4, len(lp))
            rows.append({
                "old": (lp + noise).tolist(), "reference": (lp - 0.7 * noise + 0.1).tolist(),
                "advantage": [1.5, -0.8, 0.4, -1.2][i],
            })
        expected = {
            "temperature": TEMPERATURE, "kl": KL, "low": LOW, "high": HIGH,
            "prompts": PROMPTS, "completions": COMPLETIONS, "rows": rows,
            "logprobs": [lp.tolist() for lp in base],
            "logits": [net(torch.tensor([p])).logits[0, -1].tolist() for p in PROMPTS],
            "greedy": [greedy(net, p, 24) for p in PROMPTS],
            "adamw": {"learning_rate": LR, "weight_decay": DECAY, "betas": BETAS, "epsilon": EPS,
                      "max_grad_norm": CLIP, "losses": [], "grad_norms": []},
        }
    for kind in ("likelihood", "clipped_ratio"):
        net.zero_grad()
        loss = objective(net, kind, rows)
        loss.backward()
        expected[f"{kind}_loss"] = loss.item()
        save_file({k: p.grad.clone() for k, p in net.named_parameters()}, OUT / f"gradients-{kind}.safetensors")
    optimizer = torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=DECAY, betas=BETAS, eps=EPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = objective(net, "clipped_ratio", rows)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        expected["adamw"]["losses"].append(loss.item())
        expected["adamw"]["grad_norms"].append(norm.item())
    save_file({k: p.detach().clone() for k, p in net.named_parameters()}, OUT / "after-adamw.safetensors")
    (OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
