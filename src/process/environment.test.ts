import { expect, it } from 'vitest';
import { plainEnvironment } from './environment.ts';

it('keeps what programs need, in any case of letters', () => {
  const needed = {
    PATH: '/bin',
    Path: 'C:\\',
    HOME: '/home/me',
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    LC_ALL: 'C',
    OMP_NUM_THREADS: '2',
    CUDA_VISIBLE_DEVICES: '0',
    NODE_OPTIONS: '--max-old-space-size=4096',
  };
  expect(plainEnvironment(needed)).toEqual(needed);
});

it.each([
  ...['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'JUDGE_KEY', 'HF_TOKEN', 'GITHUB_TOKEN'],
  ...['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE', 'AWS_ENDPOINT_URL'],
  ...['TEMPORAL_API_KEY', 'TEMPORAL_TLS_CLIENT_KEY_PATH', 'SSH_AUTH_SOCK', 'DATABASE_URL'],
  ...['ANNEAL_PAYLOAD_KEYS', 'ANNEAL_PAYLOAD_KEYS_FILE', 'ANNEAL_CODEC_TOKEN'],
  ...['HTTPS_PROXY', 'PATH_TOKEN', 'MY_HOME', 'npm_config__auth', 'a name'],
])('leaves out %s', (name) => {
  expect(plainEnvironment({ [name]: 'secret' })).toEqual({});
});
