// Puts messages and stack traces of errors into a payload, which the codec encrypts. Loaded by name
// if payloads are encrypted, also into the workflow bundle.

import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
