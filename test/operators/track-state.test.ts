import { describe, expect, it } from 'vitest';
import { trackState } from '../../src/operators/track-state.js';

describe('trackState', () => {
  it('tells each change once, with its time, and whether the camera can be believed', () => {
    let nowMs = 0;
    const reported: string[] = [];
    const changes: string[] = [];
    const online: boolean[] = [];
    const state = trackState(
      () => (nowMs += 10),
      (name) => void reported.push(name),
    );
    state.change$.subscribe(({ state: name, sinceMs }) => changes.push(`${name} ${sinceMs}`));
    state.online$.subscribe((isOnline) => online.push(isOnline));

    for (const name of ['connecting', 'online', 'online', 'frozen', 'frozen', 'online'] as const) {
      state.set(name, 'why');
      expect(state.isPictureGood()).toBe(name !== 'frozen');
    }
    state.close();
    state.set('offline', 'too late');

    expect(changes).toEqual(['connecting 10', 'online 20', 'frozen 30', 'online 40']);
    expect(online).toEqual([false, true, false, true]);
    expect(reported.slice(0, 4)).toEqual(['connecting', 'online', 'frozen', 'online']);
  });
});
