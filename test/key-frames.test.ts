/** Which pictures are kept, for how long, and which of them is given for a moment. */
import { loadImage } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { KeyFrames, type KeyFramesOptions } from '../src/key-frames.js';
import type { Manifest } from '../src/models/manifest.js';
import type { Clip, Frame } from '../src/types.js';
import { fakePorts, geometry, recordReport } from './support/fakes.js';

const bytes = 4 * 4 * 3;
const seeing = {
  preprocessing: { widthPx: 4, heightPx: 4 },
  geometry,
} as unknown as Pick<Manifest, 'preprocessing' | 'geometry'>;

/** The second frame of a clip is its key frame, as in `geometry`. */
function clipAt(atMs: number, change: Partial<Frame> = {}): Clip {
  const frame = (capturedAtMs: number): Frame => ({
    ...{ camera: 'gate', sequence: 0, capturedAtMs, pixels: new Uint8Array(bytes).fill(9) },
    ...change,
  });
  return {
    ...{ camera: 'gate', index: 0, fromMs: atMs - 500, toMs: atMs },
    frames: [frame(atMs - 500), frame(atMs)],
  };
}

function watched(change: Partial<KeyFramesOptions> = {}) {
  const keyFrames = new KeyFrames({ bytesMax: Infinity, cameras: () => 1, ...change });
  const clips: Clip[] = [];
  const report = { ...recordReport(), clip: (clip: Clip) => void clips.push(clip) };
  const ports = (camera: string) =>
    keyFrames.tap(camera, seeing, fakePorts({ frames: () => [], report })).report;
  return { keyFrames, clips, see: (clip: Clip, camera = 'gate') => ports(camera).clip(clip) };
}

describe('key frames', () => {
  it('are heard of each clip, which goes on to whoever heard it before', () => {
    const { clips, see } = watched();
    see(clipAt(1_000));
    expect(clips).toHaveLength(1);
  });

  it('are given newest first, or as they were at a moment; nothing that is more than 1.5 s older', async () => {
    const { keyFrames, see } = watched();
    expect(await keyFrames.png('gate')).toBeUndefined();
    for (const atMs of [1_000, 2_000, 3_000]) see(clipAt(atMs));
    const at = async (atMs?: number) => (await keyFrames.png('gate', atMs))?.atMs;
    expect(await at()).toBe(3_000);
    expect(await at(2_000)).toBe(2_000);
    expect(await at(2_999)).toBe(2_000);
    expect(await at(999), 'before the first').toBeUndefined();
    expect([await at(4_500), await at(4_501)]).toEqual([3_000, undefined]);
    expect(await keyFrames.png('other')).toBeUndefined();
  });

  it('of a camera that is lost stay: the last one, with its time', async () => {
    const { keyFrames, see } = watched({ keptMs: 1 });
    see(clipAt(1_000));
    for (let atMs = 0; atMs < 5; atMs++) see(clipAt(900_000 + atMs * 500), 'other');
    expect((await keyFrames.png('gate'))?.atMs).toBe(1_000);
  });

  it('are kept for a while, and no more than a share of the bound', async () => {
    const cameras = { count: 1 };
    const { keyFrames, see } = watched({
      ...{ bytesMax: 4 * bytes, cameras: () => cameras.count, keptMs: 2_000 },
    });
    const kept = async (): Promise<number[]> => {
      const found: number[] = [];
      for (let atMs = 0; atMs <= 20_000; atMs += 500)
        if ((await keyFrames.png('gate', atMs))?.atMs === atMs) found.push(atMs);
      return found;
    };
    for (const atMs of [1_000, 2_000, 3_000, 4_000]) see(clipAt(atMs));
    expect(await kept(), 'by age').toEqual([2_000, 3_000, 4_000]);
    for (const atMs of [4_500, 5_000, 5_500]) see(clipAt(atMs));
    expect(await kept(), 'by size').toEqual([4_000, 4_500, 5_000, 5_500]);
    cameras.count = 2;
    see(clipAt(6_000));
    expect(await kept(), 'half the bound').toEqual([5_500, 6_000]);
    cameras.count = 64;
    see(clipAt(6_500));
    expect(await kept(), 'the newest in any case').toEqual([6_500]);
    see(clipAt(500));
    expect(await kept(), 'a clock that was set back').toEqual([500]);
  });

  it('of a camera that sends nothing any more give way when others are added', async () => {
    const cameras = { count: 1 };
    const { keyFrames, see } = watched({ bytesMax: 4 * bytes, cameras: () => cameras.count });
    for (const atMs of [1_000, 2_000, 3_000, 4_000]) see(clipAt(atMs));
    cameras.count = 2;
    see(clipAt(9_000), 'other');
    const at = async (atMs: number) => (await keyFrames.png('gate', atMs))?.atMs;
    expect(await at(3_000)).toBe(3_000);
    expect(await at(2_000), 'beyond its half').toBeUndefined();
  });

  it('are encoded once, and have no bars; forgotten ones are gone', async () => {
    const { keyFrames, see } = watched();
    see(clipAt(1_000, { picture: { x: 0, y: 1, width: 4, height: 2 } }));
    const [one, two] = await Promise.all([keyFrames.png('gate'), keyFrames.png('gate')]);
    expect(one?.png).toBe(two?.png);
    expect(await loadImage(one!.png)).toMatchObject({ width: 4, height: 2 });
    keyFrames.forget('gate');
    expect(await keyFrames.png('gate')).toBeUndefined();
  });
});
