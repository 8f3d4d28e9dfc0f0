import { expect, it } from 'vitest';
import { deploymentOptions } from './deployment.ts';

const version = { TEMPORAL_DEPLOYMENT_NAME: 'anneal', TEMPORAL_WORKER_BUILD_ID: '0.2.0' };

it('is off unless a deployment is named', () => {
  expect(deploymentOptions({ ANNEAL_VERSIONING_BEHAVIOR: 'PINNED' })).toEqual({});
});

it('pins runs unless told otherwise', () => {
  const behavior = (env: NodeJS.ProcessEnv) =>
    deploymentOptions({ ...version, ...env }).workerDeploymentOptions?.defaultVersioningBehavior;
  expect(behavior({})).toBe('PINNED');
  expect(behavior({ ANNEAL_VERSIONING_BEHAVIOR: 'AUTO_UPGRADE' })).toBe('AUTO_UPGRADE');
});

it.each([
  ['a name alone', { TEMPORAL_DEPLOYMENT_NAME: 'anneal' }, 'got only the name'],
  ['a build alone', { TEMPORAL_WORKER_BUILD_ID: '1' }, 'got only the build id'],
  [
    'a behavior that is none',
    { ...version, ANNEAL_VERSIONING_BEHAVIOR: 'auto' },
    "PINNED or AUTO_UPGRADE, got 'auto'",
  ],
])('refuses %s', (_, env, why) => {
  expect(() => deploymentOptions(env)).toThrow(why);
});
