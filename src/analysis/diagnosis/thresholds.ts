// Where the rules draw their lines. Values of practice rather than of theory; each says why.

/** A smaller relative change than this, in percent, counts as none. */
export const stablePercent = 0.5;

/**
 * KL to the reference policy, nats a token (k3 estimator), from which on a policy has drifted.
 * Runs that stay useful report hundredths to a tenth.
 */
export const driftingKl = 0.3;

/** Growth within one epoch that tells of drift before the line above is reached. */
export const driftingKlGrowth = 3;

/** Share of unique samples in a group under which N samples are no longer N tries. */
export const collapsedDiversity = 0.4;

/** Entropy that falls to less than this share of the epoch before is a collapse under way. */
export const collapsingEntropy = 0.6;

/** Nats a token under which sampling is all but greedy. */
export const collapsedEntropy = 0.05;

/** Share of completions cut at the length limit from which on the limit shapes the reward. */
export const clippedShare = 0.25;

/** Share of groups with one same reward throughout from which on most sampling is wasted. */
export const constantShare = 0.5;

/**
 * Fall of the held-out pass rate since its best, while the reward rose, that is no chance any more:
 * two standard errors of half a thousand samples.
 */
export const hackedPassRate = 0.05;

/**
 * What is asked of a judge: its two words on the same program agree in rank, and beyond chance on
 * what is met or not (from 0.4 on that counts as moderate, Landis and Koch 1977); the place in a
 * request, which is by chance, tells nothing of the value.
 */
export const steadyJudge = { agreement: 0.6, kappa: 0.4, place: 0.2 };

/** Share of samples without a score that is worth a word, and that makes the mean doubtful. */
export const missingShare = { noted: 0.05, critical: 0.25 };

/** reward_weight / kl_penalty under which the penalty can drown the reward: 1.0 to 0.1 does. */
export const weakRewardRatio = 20;

/** What the ladder of remedies goes to, and no further by itself. */
export const strongRewardWeight = 2;
export const lowKlPenalty = 0.05;
export const highTemperature = 1.2;

/** Loss that rises by more than this, in percent, while reward falls: the steps are too large. */
export const unstableLossPercent = 5;

/** Epochs without a new best average after which a run has stalled. */
export const stalledEpochs = 3;
