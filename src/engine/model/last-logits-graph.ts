// The last-logits graph: whole sequences in, what the model says at each one's last token out:
// next-token logits of a language model, or the scores of a classifier (a reward model).

import { Builder } from '../graph/operators.ts';
import type { DecoderConfig } from './config.ts';
import { embed, layers, logits, sequenceAttention, sequenceContext } from './decoder.ts';
import { type ExternalWeights, parameterInitializers } from './weights.ts';

/**
 * Inputs, sequences padded on the left: `tokens` int64 [B, T], `positions` int64 [B, T],
 * `padding` float32 [B, T]. Output: `logits` float32 [B, V], or [B, labels] for a classifier.
 * Returns the model's bytes.
 */
export function lastLogitsGraph(
  c: DecoderConfig,
  weights: ExternalWeights,
  { batch, length }: { batch: number; length: number },
): Uint8Array {
  const g = new Builder();
  const parameters = parameterInitializers(g, weights);
  const tokens = g.input('tokens', [batch, length], 'int64');
  const positions = g.input('positions', [batch, length], 'int64');
  const context = sequenceContext(g, c, positions, g.input('padding', [batch, length]));
  const attend = sequenceAttention(g, c, context);
  const hidden = layers(g, c, parameters, embed(g, parameters, tokens), attend);
  const last = g.reshape(g.slice(hidden, 1, length - 1, length), [batch, c.hiddenSize]);
  return g.toModel([g.output('logits', logits(g, c, parameters, last))]);
}
