"""Runs TRL's GRPOTrainer for trl.bench.ts.

Reads one request per line from standard input, trains, and answers with the seconds of each stage.
During training it asks for the rewards of each generation batch, {"ids", "completions"}, and reads
{"rewards"}, so that the same code scores both sides. (pip install torch transformers trl)
"""

import json
import os
import sys
import tempfile
import time
import warnings

# All files are local, so nothing has to be looked up on the network.
os.environ['HF_HUB_OFFLINE'] = '1'

import torch
import transformers
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback
from trl import GRPOConfig, GRPOTrainer


def grpo_config(request, folder):
    """The settings of an epoch in TRL's terms. TRL calls a microbatch a step."""
    rlaif, training = request['rlaif'], request['training']
    microbatch, batch = training['microbatch_size'], training['batch_size']
    samples = rlaif['prompts_per_epoch'] * rlaif['num_samples_per_prompt']
    length = rlaif['max_new_tokens']
    return GRPOConfig(
        output_dir=folder,
        seed=request['seed'],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to='none',
        logging_strategy='no',
        save_strategy='no',
        disable_tqdm=True,
        # One pass over the rows, in the order given.
        num_train_epochs=1,
        shuffle_dataset=False,
        per_device_train_batch_size=microbatch,
        gradient_accumulation_steps=batch // microbatch,
        steps_per_generation=(batch if request['sample_each_step'] else samples) // microbatch,
        num_generations=rlaif['num_samples_per_prompt'],
        max_completion_length=length,
        temperature=rlaif['generation_temperature'],
        generation_kwargs={'min_new_tokens': length} if request['forced_length'] else None,
        # "dapo" is the mean over tokens; "bnpo" would take it separately for each microbatch.
        loss_type='dapo',
        scale_rewards='group',
        beta=rlaif['kl_penalty'],
        epsilon=rlaif['clip_low'],
        epsilon_high=rlaif['clip_high'],
        max_grad_norm=training['max_grad_norm'],
    )


def adamw(model, training):
    """Optimizer and schedule. Unlike in transformers' own warm-up, the first step's rate is not 0."""
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=training['learning_rate'],
        betas=(training['adam_beta1'], training['adam_beta2']),
        eps=training['adam_epsilon'],
        weight_decay=training['weight_decay'],
        fused=True,
    )
    warmup = max(1, training['warmup_steps'])
    return optimizer, torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warmup)
    )


def train(request, ask):
    cost = {'generate': 0.0, 'score': 0.0, 'tokens': 0}

    def timed(stage, function):
        def run(*args, **kwargs):
            start = time.perf_counter()
            result = function(*args, **kwargs)
            cost[stage] += time.perf_counter() - start
            return result

        return run

    def rubric(completions, completion_ids, id, **_):
        cost['tokens'] += sum(map(len, completion_ids))
        return ask({'ids': id, 'completions': completions})['rewards']

    model = AutoModelForCausalLM.from_pretrained(request['model'], dtype=torch.float32)
    model.generate = timed('generate', model.generate)
    with tempfile.TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=model,
            reward_funcs=timed('score', rubric),
            args=grpo_config(request, folder),
            train_dataset=Dataset.from_list(request['prompts']),
            processing_class=AutoTokenizer.from_pretrained(request['model']),
            optimizers=adamw(model, request['training']),
        )
        trainer.remove_callback(PrinterCallback)
        start = time.perf_counter()
        trainer.train()
        wall = time.perf_counter() - start
    if request['out']:
        trainer.save_model(request['out'])
    rest = wall - cost['generate'] - cost['score']
    return {**cost, 'train': rest, 'steps': trainer.state.global_step}


def main():
    torch.set_num_threads(2)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter('ignore', FutureWarning)
    # Only answers may go to standard output.
    answers, sys.stdout = sys.stdout, sys.stderr

    def ask(message):
        print(json.dumps(message), file=answers, flush=True)
        line = sys.stdin.readline()
        return json.loads(line) if line else None

    message = {
        'torch': torch.__version__,
        'transformers': transformers.__version__,
        'trl': trl.__version__,
    }
    while request := ask(message):
        message = train(request, ask)


if __name__ == '__main__':
    main()
