import { connect } from 'nats';
import {
  concat,
  firstValueFrom,
  lastValueFrom,
  map,
  of,
  take,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LookaheadError } from '../../src/errors.js';
import { connectBus } from '../../src/sinks/bus.js';
import {
  answer,
  answerStream,
  type CameraList,
  CameraListSchema,
} from '../../src/sinks/services.js';
import { marbles } from '../support/marbles.js';
import { natsServerForTest } from '../support/nats-server.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const json = (data: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(data));
const list: CameraList = CameraListSchema.parse({
  schema: 'lookahead.cameras.v1',
  site: 'test',
  cameras: [
    { camera: 'gate', state: 'online', since: '2026-11-22T09:00:00.000Z', why: 'pictures arrive' },
  ],
});

describe('a request', () => {
  it.each([
    ['nothing', ''],
    ['an object', '{}'],
    ['an object with more', '{"v":2,"__proto__":{"polluted":true}}'],
  ])('of %s is answered', async (_what, request) => {
    const reply = await answer(() => list, text(request), '_INBOX.x');
    expect(reply?.error).toBeUndefined();
    expect(json(reply?.data)).toEqual(list);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ['no JSON', 'cameras please'],
    ['half an object', '{"a":'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a number', '1e999'],
    ['NaN', 'NaN'],
    ['bad UTF-8', '\xff\xfe'],
    ['deep nesting', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['too many bytes', `{"a":"${'x'.repeat(70_000)}"}`],
  ])('of %s is refused with a code, without a stack', async (_what, request) => {
    const data = request.startsWith('\xff') ? new Uint8Array([255, 254]) : text(request);
    const reply = await answer(() => list, data, '_INBOX.x');
    expect(reply?.error).toEqual({ status: 400, text: 'request_invalid' });
    expect(Object.keys(json(reply?.data) as object)).toEqual(['code', 'message', 'remedy']);
  });

  it.each(['', 'lookahead.v1.test.gate.forecast', '$JS.API.STREAM.DELETE.X'])(
    'that wants its reply at "%s" gets none: it would publish in our name',
    async (replyTo) => {
      expect(await answer(() => list, text(''), replyTo)).toBeUndefined();
    },
  );

  it('tells our errors in full and a programming error not at all', async () => {
    const known = new LookaheadError('request_invalid', 'No camera "x".', 'See cameras.list.');
    const thrower = (error: Error) => () => {
      throw error;
    };
    expect((await answer(thrower(known), text(''), '_INBOX.x'))?.error?.status).toBe(400);
    const reply = await answer(thrower(new Error('secret inside')), text(''), '_INBOX.x');
    expect(reply?.error?.status).toBe(500);
    expect(JSON.stringify(json(reply?.data))).not.toContain('secret');
  });
});

describe('a row of replies', () => {
  it(
    'comes piece by piece; an error is its last reply; who leaves ends the handler',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const pieces = cold('a-b-#', { a: { n: 1 }, b: { n: 2 } }, new Error('secret inside'));
      const replies = answerStream(() => pieces, text('{}'), '_INBOX.x').pipe(
        map(({ data, error }) => error?.text ?? (json(data) as { n: number }).n),
      );
      expectObservable(replies).toBe('a-b-(f|)', { a: 1, b: 2, f: 'request_failed' });
      expectObservable(replies, '-!').toBe('a', { a: 1 });
      expectSubscriptions(pieces.subscriptions).toBe(['^---!', '^!']);
    }),
  );

  it('is refused like a single one', async () => {
    const refused = await firstValueFrom(
      answerStream(() => of(1), text('null'), '_INBOX.x'),
      { defaultValue: null },
    );
    expect(refused?.error).toEqual({ status: 400, text: 'request_invalid' });
    const none = answerStream(() => of(1), text('{}'), 'lookahead.v1.test.gate.forecast');
    expect(await lastValueFrom(none, { defaultValue: null })).toBeNull();
  });

  it('crosses NATS: pieces as they come, errors with code and remedy, and silence where nobody serves', async () => {
    const server = await natsServerForTest();
    const [engine, reader] = await Promise.all([
      connectBus({ servers: [server.url], site: 'test' }),
      connectBus({ servers: [server.url], site: 'test', role: 'reader' }),
    ]);
    onTestFinished(() => Promise.all([engine.close(0), reader.close(0)]).then(() => undefined));
    await Promise.all([engine.ready(20_000), reader.ready(20_000)]);
    await expect(
      firstValueFrom(reader.call('ask', {}), { defaultValue: null }),
    ).rejects.toMatchObject({
      code: 'request_failed',
      message: 'No engine of this site answers "ask".',
    });
    const busy = new LookaheadError('queue_full', '4 questions already wait.', 'Later.');
    engine.serveStream('ask', 'Answers.', (request) =>
      (request as { camera: string }).camera === 'busy'
        ? throwError(() => busy)
        : concat(of({ text: 'a' }), timer(50).pipe(map(() => ({ text: 'b' })))),
    );
    const twice = (): Promise<unknown[] | null> =>
      firstValueFrom(reader.call('ask', { camera: 'gate' }).pipe(take(2), toArray()), {
        defaultValue: null,
      });
    // The endpoint is offered right after the connection, which `ready` does not wait for.
    const said = await vi.waitFor(twice, { timeout: 20_000, interval: 50 });
    expect(said).toEqual([{ text: 'a' }, { text: 'b' }]);
    await expect(
      firstValueFrom(reader.call('ask', { camera: 'busy' }), { defaultValue: null }),
    ).rejects.toMatchObject({
      code: 'queue_full',
      remedy: 'Later.',
    });
  });
});

it('cameras.list is a NATS service: found, asked, and still there after a restart of the server', async () => {
  const server = await natsServerForTest();
  const bus = await connectBus({
    servers: [server.url],
    site: 'test',
    limits: { reconnectMs: 50 },
  });
  onTestFinished(() => bus.close(0));
  bus.serve('cameras.list', 'Lists the cameras and their states.', () => list);
  for (const round of [1, 2]) {
    await bus.ready(20_000);
    const client = await connect({ servers: server.url });
    const ask = () => client.request('lookahead.v1.test.svc.cameras.list', '', { timeout: 2_000 });
    let reply = await ask().catch(() => undefined);
    // The endpoint is offered right after the connection, which `ready` does not wait for.
    for (let i = 0; reply === undefined && i < 50; i++) reply = await ask().catch(() => undefined);
    expect(CameraListSchema.parse(reply?.json())).toEqual(list);
    const found = [];
    for await (const info of await client.services.client().info()) found.push(info);
    expect(found).toMatchObject([{ name: 'lookahead', metadata: { site: 'test' } }]);
    await client.close();
    if (round === 2) break;
    await server.kill();
    await server.start();
    await new Promise<void>((resolve) => {
      bus.status$.subscribe(({ state }) => {
        if (state === 'connected') resolve();
      });
    });
  }
});
