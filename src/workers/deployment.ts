// Worker versioning: the deployment version of this worker, if one is configured.

import type { WorkerOptions } from '@temporalio/worker';
import { AnnealError } from '../errors.ts';

const behaviors = ['PINNED', 'AUTO_UPGRADE'] as const;

/**
 * Options of a worker that is build TEMPORAL_WORKER_BUILD_ID of deployment TEMPORAL_DEPLOYMENT_NAME
 * (the names that Temporal's worker controller sets); empty if neither is set.
 * ANNEAL_VERSIONING_BEHAVIOR decides whether runs stay on the build that they started on (PINNED,
 * the default) or move to the current one (AUTO_UPGRADE); see docs/versions.md.
 * @throws AnnealError InvalidConfig
 */
export function deploymentOptions(
  env: NodeJS.ProcessEnv = process.env,
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  const { TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: buildId } = env;
  if (!deploymentName && !buildId) return {};
  if (!deploymentName || !buildId)
    throw new AnnealError(
      'InvalidConfig',
      `expected both TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID, got only the ${deploymentName ? 'name' : 'build id'}; set the other, or unset it`,
    );
  const wanted = env.ANNEAL_VERSIONING_BEHAVIOR || 'PINNED';
  const defaultVersioningBehavior = behaviors.find((behavior) => behavior === wanted);
  if (!defaultVersioningBehavior)
    throw new AnnealError(
      'InvalidConfig',
      `ANNEAL_VERSIONING_BEHAVIOR: expected ${behaviors.join(' or ')}, got '${wanted}'`,
    );
  const version = { deploymentName, buildId };
  return {
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior },
  };
}
