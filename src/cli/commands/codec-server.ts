import type { Command } from '@commander-js/extra-typings';
import { wholeNumber } from './options.ts';

export const codecServerCommand = (program: Command) =>
  program
    .command('codec-server')
    .summary("decrypt payloads for Temporal's CLI and Web UI")
    .description(
      "Decrypt payloads for Temporal's CLI and Web UI until Ctrl-C, with the keys in " +
        'ANNEAL_PAYLOAD_KEYS_FILE or ANNEAL_PAYLOAD_KEYS. If ANNEAL_CODEC_TOKEN is set, callers ' +
        'must send it. See docs/security.md.',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on', wholeNumber, 8234)
    .option('--origin <url...>', 'origins of the web pages that may call it', [
      'http://localhost:8233',
      'http://127.0.0.1:8233',
    ])
    .action(async (options) => {
      const { serveCodec } = await import('../actions/codec-server.ts');
      await serveCodec(options);
    });
