// The execution providers of ONNX Runtime, by device. A new one is an entry here and its name in
// the run file's schema.

import type { InferenceSession } from 'onnxruntime-node';
import type { Device } from '../../config/schema/engine.ts';

export interface Provider {
  /** Name for people. */
  label: string;
  /** What the machine needs beyond onnxruntime-node itself; null if nothing. */
  requires: string | null;
  /** The session option that selects it. */
  config: InferenceSession.ExecutionProviderConfig;
}

export const providers = {
  cpu: {
    label: 'CPU',
    requires: null,
    config: 'cpu',
  },
  webgpu: {
    label: 'WebGPU',
    requires: 'a GPU with Vulkan, Metal or Direct3D 12; not Linux arm64',
    config: 'webgpu',
  },
  cuda: {
    label: 'CUDA',
    requires: "an NVIDIA GPU on Linux x64, CUDA 12, cuDNN 9 and onnxruntime-node's CUDA binaries",
    config: 'cuda',
  },
} satisfies Record<Device, Provider>;
