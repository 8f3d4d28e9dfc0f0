import { expect, it } from 'vitest';
import { deploymentOptions } from './deployment.ts';

const version = { TEMPORAL_DEPLOYMENT_NAME: 'anneal', TEMPORAL_WORKER_BUILD_ID: '0.2.0' };

it('is off unless a deployment is named', () => {
  expect(deploymentOptions({ ANNEAL_VERSIONING_BEHAVIOR: 'PINNED' })).toEqual({});
});

it('pins runs by default', () => {
  const behavior = (env: NodeJS.ProcessEnv) =>
    deploymentOptions({ ...version, ...env }).workerDeploymentOptions?.defaultVersioningBehavior;
  expect(behavior({})).toBe('PINNED');
  expect(behavior({ ANNEAL_VERSIONING_BEHAVIOR: 'AUTO_UPGRADE' })).toBe('AUTO_UPGRADE');
});

it.each([
  ['only a name', { TEMPORAL_DEPLOYMENT_NAME: 'anneal' }, 'got only the name'],
  ['only a build id', { TEMPORAL_WORKER_BUILD_ID: '1' }, 'got only the build id'],
  [
    'an unknown behavior',
    { ...version, ANNEAL_VERSIONING_BEHAVIOR: 'auto' },
    "PINNED or AUTO_UPGRADE, got 'auto'",
  ],
])('rejects %s', (_, env, why) => {
  expect(() => deploymentOptions(env)).toThrow(why);
});
