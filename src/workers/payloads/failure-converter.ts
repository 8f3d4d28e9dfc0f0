// Loaded by name where payloads are encrypted, by workers into the workflows' bundle too: messages
// and stack traces of errors go into a payload, which the codec encrypts.

import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
