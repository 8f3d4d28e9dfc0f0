// The second half of an epoch's page: recommended fixes, changes to the run file, what to expect and
// to watch, and the next steps.

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
import { absent, fixed, settingValue } from '../format.ts';
import { bulletList, type Section, yamlBlock } from './markdown.ts';

/** What to do after an epoch, from fixes to the schedule to use if they fail. */
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
    const status = met === null ? 'not known' : met ? 'met' : 'not met';
    const where = metric.startsWith('eval/') ? ', held-out' : '';
    const found = value === null ? absent : fixed(value);
    return `${icon} **${label}** ${target}: ${found}${where} (${status})`;
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

/** A single option needs no heading. */
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
    "A phase's own `rlaif` and `training` keys override these: if the current phase sets one, change it there.";
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
      : `**Consistency**: the gap narrows from ${fixed(spread)}, eventually to under ${fixed(gap, 2)}`,
  ];
  const known = lines.filter((line) => line !== undefined);
  return `If the fixes work, the next epochs show:\n\n${bulletList(known)}`;
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
    ? `its reward term grows with the weight (${settingValue('reward_weight', weight.from)} → ${settingValue('reward_weight', weight.to)}); it is stable around that new level`
    : stable;
}

function bestOutlook(best: number, target: number): string {
  return best < target ? `${fixed(target, 2)} or more` : 'stays there';
}

function monitoring({ success }: Facts): string {
  const [low, high] = success.loss.map((bound) => fixed(bound, 2));
  return [
    '1. **Average reward**: rises, above all on held-out prompts: only they are comparable across temperatures',
    `2. **Loss**: stays between ${low} and ${high}; a falling loss alone is no gain`,
    '3. **Best-of-N**: does not fall while the average rises',
    '4. **Reward distribution**: samples leave the lowest bins',
    '5. **KL**: grows slowly as new patterns are learned, and stays under control',
    '6. **Diversity and entropy**: a gain at their expense does not last',
  ].join('\n');
}

const keepGoing = '1. **Continue unchanged**: no rule calls for a change';

/** Something is wrong, and every setting that the rules know has been tried. */
function ladderEnds(facts: Facts): string {
  const schedule = isPhased(facts)
    ? '**Roll back** to the epoch with the best held-out reward and restart the phase from there'
    : '**Separate exploration from refinement**, as below: no single setting is left to try';
  return [
    `1. ${schedule}`,
    '2. **Read the samples**, the best and the worst: if the reward pays for the wrong thing, fix the rewards, not the settings',
  ].join('\n');
}

function nextSteps(
  { facts, issues }: Diagnosis,
  recommendations: readonly Recommendation[],
): string {
  const { epoch } = facts.after;
  if (recommendations.length === 0) return issues.length > 0 ? ladderEnds(facts) : keepGoing;
  const now = changesNow(recommendations)
    .filter(({ from, to }) => from !== to)
    .map(assignment);
  const later = changesOf(recommendations.filter(({ when }) => when === 'next')).map(assignment);
  const checkpoint = `checkpoints/epoch-${String(epoch).padStart(2, '0')}`;
  const steps = [
    `**Apply the immediate fixes**: ${now.join(', ')}`,
    `**Continue from epoch ${epoch}**: a live run applies an adjustment from its next epoch on; a new run sets \`resume_from\` to \`${checkpoint}\` of this one`,
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
    '  - name: exploration  # find good patterns: low KL penalty, varied samples',
    `    epochs: [${epoch + 1}, ${epoch + 3}]`,
    '    rlaif:',
    '      kl_penalty: 0.05',
    '      generation_temperature: 1.3',
    '  - name: refinement  # make good patterns consistent: higher KL penalty, cooler',
    `    epochs: [${epoch + 4}, ${epoch + 8}]`,
    '    rlaif:',
    '      kl_penalty: 0.1',
    '      generation_temperature: 1.0',
  ].join('\n');
  return [
    'If the fixes do not help, separate exploration from exploitation:',
    bulletList([
      `**Phase 1: Exploration** (epochs ${epoch + 1}-${epoch + 3}): low KL penalty, high temperature`,
      `**Phase 2: Refinement** (epochs ${epoch + 4}-${epoch + 8}): higher KL penalty, low temperature`,
    ]),
    yamlBlock(yaml),
  ].join('\n\n');
}
