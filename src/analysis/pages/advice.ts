// The second half of an epoch's page: recommended fixes, the run file's changes, what to expect
// and watch, what comes next.

import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import {
  type Change,
  type Facts,
  isPhased,
  numberOf,
  rewardChange,
} from '../diagnosis/epoch-facts.ts';
import { changesNow, type Recommendation, renderYaml } from '../diagnosis/recommendations.ts';
import type { Option, SettingChange } from '../diagnosis/remedies.ts';
import { type SuccessMetric, successMetrics } from '../diagnosis/success.ts';
import { absent, fixed, settingValue } from './format.ts';
import { bulletList, type Section, yamlBlock } from './markdown.ts';

/** What to do after an epoch, from the fixes to the schedule to turn to where they fail. */
export function adviceSections(
  diagnosis: Diagnosis,
  recommendations: readonly Recommendation[],
): Section[] {
  const { facts, issues } = diagnosis;
  return [
    { title: 'Recommended Fixes', body: recommendations.map(fix).join('\n\n') },
    { title: 'Recommended Configuration Changes', body: configuration(facts, recommendations) },
    { title: 'Expected Impact', body: impact(facts, recommendations) },
    { title: 'Success Metrics', body: renderSuccess(successMetrics(facts.after, facts.success)) },
    { title: 'Monitoring Recommendations', body: monitoring(facts) },
    { title: 'Next Steps', body: nextSteps(diagnosis, recommendations) },
    {
      title: 'Alternative Approach: Two-Phase Training',
      body: issues.length > 0 && !isPhased(facts) ? twoPhases(facts.after.epoch) : '',
    },
  ];
}

/** The success metrics as a list: met, not met, not known. */
export function renderSuccess(metrics: readonly SuccessMetric[]): string {
  const lines = metrics.map(({ metric, label, target, value, met }) => {
    const icon = met === null ? '➖' : met ? '✅' : '❌';
    const word = met === null ? 'not known' : met ? 'met' : 'not met';
    const where = metric.startsWith('eval/') ? ', held-out' : '';
    const found = value === null ? absent : fixed(value);
    return `${icon} **${label}** ${target}: ${found}${where} (${word})`;
  });
  return bulletList(lines);
}

function fix({ priority, title, options, rationale }: Recommendation): string {
  const blocks = options.map((option, i) => renderOption(option, i, options.length));
  return [
    `### Priority ${priority}: ${title}`,
    ...blocks,
    `**Rationale**: ${rationale.join('. ')}.`,
  ].join('\n\n');
}

/** A sole option needs no name of its own. */
function renderOption({ title, changes }: Option, index: number, count: number): string {
  const yaml = yamlBlock(renderYaml(changes));
  if (count === 1) return yaml;
  const letter = String.fromCharCode(65 + index);
  return `#### Option ${letter}: ${title}${index === 0 ? ' (Recommended)' : ''}\n\n${yaml}`;
}

function configuration(facts: Facts, recommendations: readonly Recommendation[]): string {
  const now = changesNow(recommendations);
  if (now.length === 0) return '';
  const later = changesOf(recommendations.filter(({ when }) => when === 'next'));
  return [
    '### Immediate Fixes (Apply Now)',
    yamlBlock(renderYaml(now)),
    keepOthers(facts, now),
    ...(later.length > 0 ? ['### If That Is Not Enough', yamlBlock(renderYaml(later))] : []),
  ].join('\n\n');
}

function changesOf(recommendations: readonly Recommendation[]): SettingChange[] {
  return recommendations.flatMap(({ options }) => options[0]?.changes ?? []);
}

function keepOthers({ settings }: Facts, changes: readonly SettingChange[]): string {
  const { warmup_steps, max_grad_norm } = settings.training;
  const phases =
    "A phase's own `rlaif` and `training` keys win over these: where the phase in force sets one, change it there.";
  return changes.some(({ section }) => section === 'training')
    ? `Keep the other settings (\`warmup_steps: ${warmup_steps}\`, \`max_grad_norm: ${max_grad_norm}\`). ${phases}`
    : `Keep the other settings. ${phases}`;
}

function impact(facts: Facts, recommendations: readonly Recommendation[]): string {
  if (recommendations.length === 0) return '';
  const { average_reward, best_of_n_reward, gap } = facts.success;
  const reward = rewardChange(facts);
  const best = numberOf(facts.after, 'best_of_n_reward');
  const spread = numberOf(facts.after, 'gap');
  const lines = [
    reward && `**Average Reward**: ${rewardOutlook(reward, average_reward)}`,
    `**Loss**: ${lossOutlook(facts, recommendations)}`,
    best === undefined
      ? undefined
      : `**Best-of-N**: ${fixed(best)} → ${bestOutlook(best, best_of_n_reward)}`,
    spread === undefined
      ? undefined
      : `**Consistency**: the gap narrows from ${fixed(spread)}, in the end to under ${fixed(gap, 2)}`,
  ];
  const known = lines.filter((line) => line !== undefined);
  return `If the fixes work, the next epochs show it so:\n\n${bulletList(known)}`;
}

function rewardOutlook({ before, after }: Change, target: number): string {
  const level = Math.max(before, after);
  const then = level < target ? `, then towards ${fixed(target, 2)}` : '';
  return `${fixed(after)} → above ${fixed(level)} within 1–2 epochs${then}`;
}

function lossOutlook({ success }: Facts, recommendations: readonly Recommendation[]): string {
  const weight = changesNow(recommendations).find(
    ({ key, from, to }) => key === 'reward_weight' && from !== to,
  );
  const [low, high] = success.loss.map((bound) => fixed(bound, 2));
  const stable = `stays within ${low}–${high}`;
  return weight
    ? `its reward term grows with the weight (${settingValue('reward_weight', weight.from)} → ${settingValue('reward_weight', weight.to)}); from that new level it is calm`
    : stable;
}

function bestOutlook(best: number, target: number): string {
  return best < target ? `${fixed(target, 2)} and more` : 'holds its level';
}

function monitoring({ success }: Facts): string {
  const [low, high] = success.loss.map((bound) => fixed(bound, 2));
  return [
    '1. **Average reward**: rises, on held-out prompts first of all, for only they compare across temperatures',
    `2. **Loss**: stays between ${low} and ${high}; a falling loss is no gain by itself`,
    '3. **Best-of-N**: does not fall while the average rises',
    '4. **Reward distribution**: samples move out of the lowest tenths',
    '5. **KL**: grows slowly, as new patterns are learned, and stays under control',
    '6. **Diversity and entropy**: a gain that is bought with them does not last',
  ].join('\n');
}

const goOn = '1. **Go on as you are**: no rule calls for a change';

/** Something is wrong, and every setting that the rules know of has been tried. */
function ladderEnds(facts: Facts): string {
  const schedule = isPhased(facts)
    ? '**Roll back** to the epoch with the best held-out reward, and let the phase begin again from there'
    : '**Part exploration from refinement**, as below: no single setting is left to try';
  return [
    `1. ${schedule}`,
    '2. **Read the samples**, the best and the worst: a reward that pays for the wrong thing is mended in the rewards, not in the settings',
  ].join('\n');
}

function nextSteps(
  { facts, issues }: Diagnosis,
  recommendations: readonly Recommendation[],
): string {
  const { epoch } = facts.after;
  if (recommendations.length === 0) return issues.length > 0 ? ladderEnds(facts) : goOn;
  const now = changesNow(recommendations)
    .filter(({ from, to }) => from !== to)
    .map(assignment);
  const later = changesOf(recommendations.filter(({ when }) => when === 'next')).map(assignment);
  const checkpoint = `checkpoints/epoch-${String(epoch).padStart(2, '0')}`;
  const steps = [
    `**Apply the immediate fixes**: ${now.join(', ')}`,
    `**Go on from epoch ${epoch}**: a live run takes an adjustment up with its next epoch; a new run starts with \`resume_from\` set to \`${checkpoint}\` of this one`,
    '**Watch 1–2 epochs** before the next change',
    ...later.map(
      (change, i) =>
        `**${i === 0 ? 'If the average still declines' : 'If it still does not improve'}**: ${change}`,
    ),
  ];
  return steps.map((step, i) => `${i + 1}. ${step}`).join('\n');
}

function assignment({ key, to }: SettingChange): string {
  return `\`${key}: ${settingValue(key, to)}\``;
}

function twoPhases(epoch: number): string {
  const yaml = [
    'phases:',
    '  - name: exploration  # find good patterns: room to move, variety in the samples',
    `    epochs: [${epoch + 1}, ${epoch + 3}]`,
    '    rlaif:',
    '      kl_penalty: 0.05',
    '      generation_temperature: 1.3',
    '  - name: refinement  # make good patterns consistent: near the reference, cool',
    `    epochs: [${epoch + 4}, ${epoch + 8}]`,
    '    rlaif:',
    '      kl_penalty: 0.1',
    '      generation_temperature: 1.0',
  ].join('\n');
  return [
    'Where the fixes do not help, part exploration from exploitation:',
    bulletList([
      `**Phase 1: Exploration** (epochs ${epoch + 1}-${epoch + 3}): low KL penalty, high temperature`,
      `**Phase 2: Refinement** (epochs ${epoch + 4}-${epoch + 8}): higher KL penalty, low temperature`,
    ]),
    yamlBlock(yaml),
  ].join('\n\n');
}
