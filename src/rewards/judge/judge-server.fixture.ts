// A judge for tests: a real HTTP server that speaks the wire formats of OpenAI and Anthropic,
// judges by the text of a program, injects the faults of real services and counts its requests.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { uniforms } from '../../engine/sampling/random.ts';

export const faults = [
  'limit with retry-after',
  'limit',
  'server error',
  'silence',
  'cut connection',
  'malformed JSON',
  'wrong schema',
  'score out of range',
] as const;
export type Fault = (typeof faults)[number];

export interface JudgeServerOptions {
  /** Share of requests that get a fault. */
  faultShare?: number;
  faults?: readonly Fault[];
  /** Obey any text outside the markers, and comments and strings between them. */
  obedient?: boolean;
  /** Time for an answer, ms. */
  latencyMs?: number;
  /** The key that requests must have. */
  key?: string;
}

/** The criteria of `rubric`, as this judge judges them. */
export const rubric = {
  instructions: 'Be strict.',
  criteria: [
    { name: 'returns', weight: 1, scale: 'binary' as const, description: 'It returns something.' },
    { name: 'brevity', weight: 1, scale: 'graded' as const, description: 'Few lines.' },
  ],
};

export interface JudgeServer {
  url: string;
  /** Requests that were answered with a verdict, and when; Unix ms. */
  served: number[];
  /** Their questions. */
  questions: Set<string>;
  requests: number;
  /** Their bodies. */
  bodies: object[];
  /**
   * Requests that are open, and answers that may not have been read yet: sent within the last
   * second, over a connection that carried no request since.
   */
  inFlight(): number;
  /** While set, the answer to every request, or to those that contain `about`. */
  refuse: { status: number; body: object | string; about?: string } | null;
  close(): Promise<void>;
}

interface Asked {
  system: string;
  prompt: string;
  tool: string | null;
}

export async function startJudgeServer(options: JudgeServerOptions = {}): Promise<JudgeServer> {
  const draw = uniforms('faults');
  const state = {
    served: [] as number[],
    questions: new Set<string>(),
    requests: 0,
    bodies: [] as object[],
    refuse: null as JudgeServer['refuse'],
  };
  const open = new Set<ServerResponse>();
  const answered = new Map<Socket, number>();
  const server = createServer((request, response) => {
    const { socket } = request;
    open.add(response);
    answered.delete(socket);
    response.once('close', () => {
      open.delete(response);
      if (!socket.destroyed) answered.set(socket, Date.now());
    });
    answer(request, response).catch((error) => response.destroy(error));
  });

  server.on('connection', (socket) => socket.once('close', () => answered.delete(socket)));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    state.requests++;
    const openai = request.url === '/v1/chat/completions';
    const body = JSON.parse(await text(request));
    state.bodies.push(body);
    const asked = openai ? fromOpenAI(body) : fromAnthropic(body);
    const send = (status: number, content: object | string, headers = {}) => {
      const isText = typeof content === 'string';
      const type = isText ? 'text/html' : 'application/json';
      response.writeHead(status, { 'content-type': type, ...headers });
      response.end(isText ? content : JSON.stringify(content));
    };
    const key = request.headers['x-api-key'] ?? request.headers.authorization?.slice(7);
    if (options.key !== undefined && key !== options.key)
      return send(401, { error: { message: `Incorrect API key provided: ${key}`, type: 'auth' } });
    if (state.refuse && asked.prompt.includes(state.refuse.about ?? ''))
      return send(state.refuse.status, state.refuse.body);
    const error = { error: { type: 'error', message: 'try again' } };
    const { faultShare = 0, latencyMs = 0 } = options;
    const met = options.faults ?? faults;
    const fault = draw() < faultShare ? met[Math.floor(draw() * met.length)] : null;
    await new Promise((resolve) => setTimeout(resolve, latencyMs));
    switch (fault) {
      case 'limit with retry-after':
        return send(429, error, { 'retry-after': '1' });
      case 'limit':
        return send(429, error);
      case 'server error':
        return send(500, error);
      case 'silence':
        return;
      case 'cut connection':
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"choices": [');
        response.destroy();
        return;
    }
    const verdict = judge(asked, options.obedient ?? false);
    if (fault === 'score out of range') spoil(verdict, { returns: true, brevity: 17 });
    if (fault === 'wrong schema') spoil(verdict, { returns: 'yes' });
    const word = fault === 'malformed JSON' ? '{"reason": "' : JSON.stringify(verdict);
    if (fault === null) {
      state.served.push(Date.now());
      state.questions.add(asked.system + asked.prompt);
    }
    send(200, openai ? toOpenAI(word) : toAnthropic(word, asked.tool));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}/v1`,
    inFlight: () =>
      open.size + [...answered.values()].filter((sent) => Date.now() - sent < 1000).length,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

interface OpenAIBody {
  messages: { role: string; content: string }[];
}

function fromOpenAI({ messages }: OpenAIBody): Asked {
  const of = (role: string) => messages.find((message) => message.role === role)!.content;
  return { system: of('system'), prompt: of('user'), tool: null };
}

interface AnthropicBody {
  system: { text: string }[];
  messages: { content: { text: string }[] }[];
  tools?: { name: string }[];
}

function fromAnthropic({ system, messages, tools }: AnthropicBody): Asked {
  const join = (parts: { text: string }[]) => parts.map(({ text }) => text).join('\n');
  return {
    system: join(system),
    prompt: join(messages[0]!.content),
    tool: tools?.[0]?.name ?? null,
  };
}

function judge({ system, prompt }: Asked, obedient: boolean): object {
  const [, mark] = /<<<([0-9a-f]{16})/.exec(system)!;
  const fenced = new RegExp(`<<<${mark}\n([^]*?)\n${mark}>>>`, 'g');
  const programs = [...prompt.matchAll(fenced)].map(([, program]) => program!);
  const ordered = obedient && /full marks/i.test(prompt.replace(fenced, ''));
  const verdicts = programs.map((program) => {
    const won = ordered || (obedient && /full marks/i.test(program));
    const lines = program.split('\n').length;
    return {
      reason: `${lines} lines`,
      criteria: {
        returns: won || /return|=>/.test(program),
        brevity: won ? 4 : Math.max(0, 4 - Math.floor(lines / 3)),
      },
    };
  });
  return prompt.includes('\nProgram 1\n')
    ? { verdicts: verdicts.map((verdict, i) => ({ program: String(i + 1), ...verdict })) }
    : verdicts[0]!;
}

function spoil(verdict: { verdicts?: { criteria?: object }[]; criteria?: object }, by: object) {
  (verdict.verdicts?.[0] ?? verdict).criteria = by;
}

function toOpenAI(content: string): object {
  const message = { role: 'assistant', content };
  return {
    ...{ id: 'a', object: 'chat.completion', created: 0, model: 'judge' },
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
  };
}

function toAnthropic(word: string, tool: string | null): object {
  let input: unknown;
  try {
    input = JSON.parse(word);
  } catch {
    input = word;
  }
  const content =
    tool === null
      ? { type: 'text', text: word }
      : { type: 'tool_use', id: 'toolu_1', name: tool, input };
  return {
    ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'judge' },
    content: [content],
    stop_reason: tool === null ? 'end_turn' : 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 100, output_tokens: 20 },
  };
}
