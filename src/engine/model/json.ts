// JSON files of a model folder.

import { AnnealError } from '../../errors.ts';

/** The value of a file's text. @throws AnnealError InvalidModel naming the file */
export function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new AnnealError('InvalidModel', `${file}: not JSON: ${reason}`, { cause });
  }
}
