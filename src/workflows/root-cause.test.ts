import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';
import { expect, test } from 'vitest';
import { rootCause } from './root-cause.ts';

const inActivity = (cause?: Error) =>
  new ActivityFailure(
    'Activity task failed',
    'train',
    '1',
    RetryState.NON_RETRYABLE_FAILURE,
    '',
    cause,
  );
const inChild = (cause?: Error) =>
  new ChildWorkflowFailure(
    undefined,
    { workflowId: 'run/hot/epoch-08', runId: 'r' },
    'trainingEpoch',
    RetryState.NON_RETRYABLE_FAILURE,
    cause,
  );
const own = ApplicationFailure.create({
  message: 'the loss is NaN',
  type: 'NonFinite',
  cause: new Error('deeper'),
});
const timeout = (type: 'HEARTBEAT' | 'START_TO_CLOSE' | 'SCHEDULE_TO_START') =>
  new TimeoutFailure('activity timeout', undefined, type);

test.each([
  ['the application', own, 'the loss is NaN'],
  ['an activity', inActivity(own), 'the loss is NaN'],
  ['a child and its activity', inChild(inActivity(own)), 'the loss is NaN'],
  [
    'a child that wrapped it',
    inChild(ApplicationFailure.fromError(inActivity(own))),
    'task failed',
  ],
  ['a lost worker', inChild(inActivity(timeout('HEARTBEAT'))), "'train': its worker gave no sign"],
  ['no worker', inActivity(timeout('SCHEDULE_TO_START')), "activity 'train': no worker took it"],
  ['a slow activity', inActivity(timeout('START_TO_CLOSE')), 'ran longer than its time limit'],
  [
    'a terminated child',
    inChild(new TerminatedFailure('terminated')),
    "'run/hot/epoch-08': it was",
  ],
  ['a termination', new TerminatedFailure('Workflow execution terminated'), 'without a reason'],
  ['a termination with a reason', new TerminatedFailure('too dear'), 'terminated: too dear'],
  [
    'a cancelled activity',
    inActivity(new CancelledFailure('CANCELLED')),
    "'train': it was cancelled",
  ],
  [
    'no message',
    inActivity(ApplicationFailure.create({ type: 'TypeError' })),
    'a TypeError without',
  ],
  ['no cause', inChild(), "workflow 'run/hot/epoch-08': no reason was given"],
  ['any error', new RangeError('too far'), 'too far'],
])('of %s', (_, error, expected) => {
  expect(rootCause(error)).toContain(expected);
});
