import { describe, expect, it } from 'vitest';
import { watchPicture } from '../../src/operators/watch-picture.js';
import type { Clip } from '../../src/types.js';
import { fakeClip, fakeFrame } from '../support/fakes.js';
import { marbles } from '../support/marbles.js';

/** A clip whose two pictures have the given shade; null: one flat colour. */
function clipOf(index: number, shade: number | null): Clip {
  const frames = [fakeFrame(index * 20, shade), fakeFrame(index * 20 + 10, shade)];
  return { ...fakeClip(index), frames };
}

function statesOf(clips: readonly Clip[]): string[] {
  const states: string[] = [];
  marbles(({ cold, expectObservable }) => {
    const values = Object.fromEntries(clips.map((clip, index) => [String(index), clip]));
    const diagram = Object.keys(values).join('') + '|';
    const watched = cold(diagram, values).pipe(
      watchPicture({ frozenAfterMs: 50, flatMax: 3 }, (state) => void states.push(state)),
    );
    expectObservable(watched).toBe(diagram, values);
  })();
  return states;
}

describe('watchPicture', () => {
  it('lets every clip pass, and calls pictures that change online', () => {
    expect(statesOf([clipOf(0, 1), clipOf(1, 2), clipOf(2, 3)])).toEqual([
      'online',
      'online',
      'online',
    ]);
  });

  it('calls a picture frozen that stays the same for longer than the limit, until it changes', () => {
    const shades = [9, 9, 9, 9, 8];
    const states = statesOf(shades.map((shade, index) => clipOf(index, shade)));
    expect(states).toEqual(['online', 'online', 'online', 'frozen', 'online']);
  });

  it('calls a whole clip of one flat colour corrupt', () => {
    expect(statesOf([clipOf(0, 1), clipOf(1, null), clipOf(2, 2)])).toEqual([
      'online',
      'corrupt',
      'online',
    ]);
  });

  it('is not misled by the letterbox: bars above and below do not make a flat picture less flat', () => {
    const clip = clipOf(0, null);
    for (const frame of clip.frames) {
      frame.pixels.fill(0, 0, 12);
      frame.pixels.fill(0, 36);
    }
    expect(statesOf([clip])).toEqual(['corrupt']);
  });

  it('says nothing of a source without clips', () => {
    expect(statesOf([])).toEqual([]);
  });
});
