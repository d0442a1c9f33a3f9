import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../../src/commands/index.js';
import { judgeCommand, spread, type JudgeReport } from '../../src/commands/judge.js';
import { JudgeClient, readMarks, type JudgeOptions } from '../../src/commands/judge-client.js';
import type { Context } from '../../src/commands/options.js';

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
  };
}
type Answer = (response: ServerResponse, asked: Asked, count: number) => void;

let server: Server;
let answer: Answer;
let asked: Asked[];
let url: string;
const folder = mkdtempSync(join(tmpdir(), 'lookahead-judge-'));

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked['body'];
  const { url: path = '', headers } = request;
  const one = { path, authorization: headers.authorization, body };
  asked.push(one);
  answer(response, one, asked.length);
}

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`;
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
});
afterEach(() => rmSync(join(folder, 'texts.jsonl'), { force: true }));

const completion = (content: string): string =>
  JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] });
const marking =
  (grounding: number, coherence = 5, insight = 2): Answer =>
  (response) =>
    response.end(completion(JSON.stringify({ grounding, coherence, insight })));
const failing =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, headers).end('no');

const text = {
  kind: 'justification',
  hypothesis: 'because a van waits .',
  context: 'a van has stopped at the gate .',
  references: ['because a van has stopped .'],
};
const waits: number[] = [];
function clientOf(options: Partial<JudgeOptions> = {}): JudgeClient {
  waits.length = 0;
  return new JudgeClient({
    ...{ url, model: 'judge-1', key: 'secret', timeoutMs: 20_000, requestsMax: 100 },
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    ...options,
  });
}

describe('JudgeClient', () => {
  it('asks a chat completion with what was seen, and reads three marks', async () => {
    answer = marking(9, 7, 4);
    const judgement = await clientOf().mark(text);
    expect(judgement).toEqual({
      how: 'answer',
      marks: { grounding: 9, coherence: 7, insight: 4 },
    });
    expect(asked).toHaveLength(1);
    const [{ path, authorization, body } = asked[0]!] = asked;
    expect([path, authorization, body.model]).toEqual([
      '/v1/chat/completions',
      'Bearer secret',
      'judge-1',
    ]);
    const question = body.messages.at(-1)?.content;
    for (const told of [text.hypothesis, text.context, ...text.references])
      expect(question).toContain(told);
  });

  it('sends no key where there is none', async () => {
    answer = marking(5);
    await clientOf({ key: null }).mark(text);
    expect(asked[0]?.authorization).toBeUndefined();
  });

  it('asks again what may pass, as late as it is told to, and gives up in the end', async () => {
    answer = (response, one, count) =>
      count < 3
        ? failing(count === 1 ? 503 : 429, count === 1 ? {} : { 'retry-after': '7' })(
            response,
            one,
            count,
          )
        : marking(6)(response, one, count);
    expect(await clientOf().mark(text)).toMatchObject({ how: 'answer' });
    expect(waits).toEqual([1000, 7000]);

    answer = failing(500);
    await expect(clientOf({ attemptsMax: 3 }).mark(text)).rejects.toMatchObject({
      code: 'judge_failed',
      message: expect.stringContaining('status 500') as string,
    });
    expect(waits).toEqual([1000, 2000]);
  });

  it('does not ask again what is refused, and tells no key', async () => {
    answer = failing(401);
    const failure = await clientOf()
      .mark(text)
      .catch((error: unknown) => String(error));
    expect(failure).toContain('status 401');
    expect(failure).not.toContain('secret');
    expect(asked).toHaveLength(1);
  });

  it('follows no redirect: the key is for one address', async () => {
    answer = (response, { path }, count) =>
      path === '/v1/chat/completions'
        ? failing(307, { location: '/elsewhere' })(response, asked[0]!, count)
        : marking(5)(response, asked[0]!, count);
    await expect(clientOf({ attemptsMax: 1 }).mark(text)).rejects.toThrow('gave no answer');
    expect(asked.map(({ path }) => path)).toEqual(['/v1/chat/completions']);
  });

  it('gives up on a judge that is silent', async () => {
    answer = () => undefined;
    await expect(clientOf({ timeoutMs: 50, attemptsMax: 2 }).mark(text)).rejects.toMatchObject({
      code: 'judge_failed',
    });
    expect(waits).toHaveLength(1);
  });

  it('sends no more than it may, repeated requests counted', async () => {
    answer = failing(503);
    const client = clientOf({ requestsMax: 2 });
    expect(await client.mark(text)).toEqual({ how: 'spent' });
    expect(await client.mark(text)).toEqual({ how: 'spent' });
    expect([asked.length, client.requests]).toEqual([2, 2]);
  });

  it('takes an answer without marks as none, after a second try', async () => {
    answer = (response) => response.end(completion('a fine text'));
    expect(await clientOf().mark(text)).toEqual({ how: 'unreadable' });
    expect(asked).toHaveLength(2);
  });

  it.each(['http://user:pass@127.0.0.1/v1', 'ftp://127.0.0.1/v1', 'nowhere'])(
    'refuses %s',
    (wrong) => {
      expect(() => clientOf({ url: wrong })).toThrow(/--url/);
    },
  );
});

describe('readMarks', () => {
  it.each([
    ['```json\n{"grounding": 8, "coherence": 7, "insight": 1}\n```', 8],
    ['Because {so}: {"grounding":3,"coherence":1,"insight":10,"why":"…"}', 3],
    ['{"grounding": 11, "coherence": 7, "insight": 1}', null],
    ['{"grounding": "8", "coherence": 7, "insight": 1}', null],
    ['', null],
  ])('%s', (content, grounding) => {
    expect(readMarks(content)?.grounding ?? null).toBe(grounding);
  });
});

describe('evaluate judge', () => {
  class Text extends Writable {
    text = '';
    override _write(chunk: Buffer, _encoding: string, done: () => void): void {
      this.text += chunk.toString();
      done();
    }
  }
  const path = join(folder, 'texts.jsonl');
  const write = (count: number): void =>
    writeFileSync(
      path,
      Array.from({ length: count }, (_, scene) =>
        JSON.stringify({ ...text, hypothesis: String(scene), scene, clip: 11 }),
      ).join('\n'),
    );
  const judge = async (...args: string[]): Promise<string> => {
    const out = new Text();
    const tools = { out, err: new Text(), key: null, sleep: () => Promise.resolve() };
    await judgeCommand(['--texts', path, '--url', url, '--model', 'm', ...args], tools);
    return out.text;
  };

  it('marks texts spread over the file, within its number of requests, and gives means', async () => {
    write(10);
    answer = (response, one, count) => {
      marking(count % 2 === 0 ? 8 : 4)(response, one, count);
    };
    const report = JSON.parse(await judge('--requests-max', '4', '--json')) as JudgeReport;
    expect(report).toMatchObject({ texts: 10, marked: 4, unreadable: 0, requests: 4 });
    expect(report.marks['justification']).toMatchObject({
      ...{ texts: 4, grounding: { value: 6 }, coherence: { value: 5 }, insight: { value: 2 } },
    });
    const seen = asked.map(({ body }) => /marked: (\d)/.exec(body.messages.at(-1)!.content)?.[1]);
    expect(seen).toEqual(['0', '2', '5', '7']);
  });

  it('prints a table that can be pasted', async () => {
    write(2);
    answer = marking(7);
    expect(await judge()).toMatch(/^\| justification \| 2 \| 7\.000 \[7\.000, 7\.000\] \|/m);
  });

  it('refuses what is no file of texts, and needs its flags', async () => {
    await expect(judge()).rejects.toMatchObject({ code: 'usage' });
    writeFileSync(path, '{"kind":"justification"}\n');
    await expect(judge()).rejects.toThrow('line 1 is none of its lines');
    const evaluate = async (...args: string[]) =>
      commands['evaluate']!(args, { env: {} } as Context);
    await expect(evaluate('judge', '--model', 'm')).rejects.toThrow('--texts, --url and --model');
  });

  it('spreads evenly', () => {
    expect(spread([1, 2, 3], 5)).toEqual([1, 2, 3]);
    expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3)).toEqual([0, 3, 6]);
  });
});
