// The thresholds of the rules. They come from practice, not theory; each gives its reason.

/** A smaller relative change, in percent, counts as no change. */
export const stablePercent = 0.5;

/**
 * KL to the reference policy, nats per token (k3 estimator), above which a policy has drifted.
 * Healthy runs report 0.01 to 0.1.
 */
export const driftingKl = 0.3;

/** Growth factor within one epoch that signals drift before that threshold is reached. */
export const driftingKlGrowth = 3;

/** Share of unique samples in a group below which N samples are no longer N tries. */
export const collapsedDiversity = 0.4;

/** Entropy below this share of the previous epoch's signals a collapse. */
export const collapsingEntropy = 0.6;

/** Entropy, nats per token, below which sampling is nearly greedy. */
export const collapsedEntropy = 0.05;

/** Share of completions cut at the length limit above which the limit affects the reward. */
export const clippedShare = 0.25;

/** Share of groups with a single reward value above which most sampling is wasted. */
export const constantShare = 0.5;

/**
 * Fall of the held-out pass rate from its best, while the reward rose, that is more than chance: two
 * standard errors of 500 samples.
 */
export const hackedPassRate = 0.05;

/**
 * Requirements on a judge: its two verdicts on a program agree in rank, and beyond chance on binary
 * criteria (0.4 counts as moderate, Landis and Koch 1977); the position in a request, which is
 * random, does not correlate with the value.
 */
export const steadyJudge = { agreement: 0.6, kappa: 0.4, place: 0.2 };

/** Share of samples without a score that is reported, and that makes the mean unreliable. */
export const missingShare = { noted: 0.05, critical: 0.25 };

/** reward_weight / kl_penalty below which the penalty can outweigh the reward: 1.0 to 0.1 does. */
export const weakRewardRatio = 20;

/** The remedies propose no more extreme values than these. */
export const strongRewardWeight = 2;
export const lowKlPenalty = 0.05;
export const highTemperature = 1.2;

/** If the loss rises by more than this, in percent, while reward falls, steps are too large. */
export const unstableLossPercent = 5;

/** Epochs without a new best average after which a run has stalled. */
export const stalledEpochs = 3;
