import { concat, of, throwError, timer, map } from 'rxjs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { askCommand } from '../../src/commands/ask.js';
import { LookaheadError } from '../../src/errors.js';
import { connectBus } from '../../src/sinks/bus.js';
import type { AnswerPiece } from '../../src/sinks/services.js';
import { natsServerForTest } from '../support/nats-server.js';

function lines() {
  let text = '';
  const out = {
    write: (more: string): void => void (text += more),
    on: (): void => undefined,
  };
  return { out, text: () => text };
}

const piece = (index: number, text: string, more = true): AnswerPiece => ({
  schema: 'lookahead.answer.v1',
  site: 'test',
  camera: 'gate',
  question: 'why did the gate open ?',
  window: { from: '2026-11-22T09:00:00.000Z', to: '2026-11-22T09:00:08.000Z' },
  piece: index,
  text,
  more,
});

it('ask prints the answer as it comes, or as messages, and says why it got none', async () => {
  const server = await natsServerForTest();
  const engine = await connectBus({ servers: [server.url], site: 'test' });
  onTestFinished(() => engine.close(0));
  await engine.ready(20_000);
  const asked: unknown[] = [];
  engine.serveStream('ask', 'Answers.', (request) => {
    asked.push(request);
    if ((request as { camera: string }).camera === 'roof')
      return throwError(
        () => new LookaheadError('camera_unknown', 'No "roof".', 'Ask about gate.'),
      );
    const later = timer(20).pipe(map(() => piece(1, 'a van \x1b[2J stops .')));
    return concat(of(piece(0, 'because ')), later, of(piece(2, '', false)));
  });
  const ask = async (...args: string[]): Promise<string> => {
    const { out, text } = lines();
    const all = [...args, '--nats', server.url, '--site', 'test'];
    expect(await askCommand(all, { out, env: {}, cwd: process.cwd() })).toBe(0);
    return text();
  };
  const said = await vi.waitFor(() => ask('gate', 'why did the gate open ?'), {
    timeout: 20_000,
    interval: 100,
  });
  expect(said).toBe('because a van  [2J stops .\n');
  expect(asked.at(-1)).toEqual({ camera: 'gate', question: 'why did the gate open ?' });

  const raw = (await ask('gate', '--json')).trimEnd().split('\n');
  expect(raw.map((line) => (JSON.parse(line) as AnswerPiece).more)).toEqual([true, true, false]);
  expect(asked.at(-1)).toEqual({ camera: 'gate' });

  await expect(ask('roof')).rejects.toMatchObject({
    code: 'camera_unknown',
    remedy: 'Ask about gate.',
  });
  for (const wrong of [[], ['a.b'], ['gate', 'why', 'now']])
    await expect(ask(...wrong)).rejects.toMatchObject({ code: 'usage' });
});
