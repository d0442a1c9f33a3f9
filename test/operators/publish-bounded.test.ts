import { NEVER, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isRevision, kindOf, type Message } from '../../src/messages.js';
import { publishBounded } from '../../src/operators/publish-bounded.js';
import { marbles } from '../support/marbles.js';

const messages: Record<string, Message> = {
  ...Object.fromEntries(
    Object.entries({ s: 'scene', e: 'event', o: 'outcome', t: 'state' }).map(([key, kind]) => [
      key,
      { schema: `lookahead.${kind}.v1` } as Message,
    ]),
  ),
  f: { schema: 'lookahead.forecast.v1', rev: 0 } as Message,
  r: { schema: 'lookahead.forecast.v1', rev: 1 } as Message,
};

function droppedWhileStalled(diagram: string): string[] {
  const dropped: string[] = [];
  marbles(({ cold, expectObservable }) => {
    const published = cold(diagram, messages).pipe(
      publishBounded(
        { inFlightMax: 1, waitingMax: 3 },
        () => NEVER,
        (message) => void dropped.push(`${kindOf(message)}${isRevision(message) ? ' 1' : ''}`),
      ),
    );
    expectObservable(published, `${'-'.repeat(diagram.length)}!`).toBe('-');
  })();
  return dropped;
}

describe('publishBounded', () => {
  it(
    'passes on what was published, in order',
    marbles(({ cold, expectObservable }) => {
      const published = cold('s-ef-o|', messages).pipe(
        publishBounded(
          { inFlightMax: 1, waitingMax: 3 },
          (message) => of(message),
          () => undefined,
        ),
      );
      expectObservable(published).toBe('s-ef-o|', messages);
    }),
  );

  it('drops scenes first, then events, then the oldest of the rest', () => {
    // The first message is in flight; three may wait.
    expect(droppedWhileStalled('sfse')).toEqual([]);
    expect(droppedWhileStalled('sfseo')).toEqual(['scene']);
    expect(droppedWhileStalled('sfseoo')).toEqual(['scene', 'event']);
    expect(droppedWhileStalled('sfseoot')).toEqual(['scene', 'event', 'forecast']);
  });

  it('drops the prose of a forecast rather than a forecast', () => {
    expect(droppedWhileStalled('sofrf')).toEqual(['forecast 1']);
    expect(droppedWhileStalled('sofre')).toEqual(['forecast 1']);
  });

  it('a scene that comes while only worthier messages wait is dropped itself', () => {
    expect(droppedWhileStalled('sfoos')).toEqual(['scene']);
  });
});
