import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactor } from '../../src/ingest/redact.js';
import { failureOf, StderrReader } from '../../src/ingest/stderr.js';

const reader = () => {
  const seen = { sizes: [] as string[], errors: 0, warnings: [] as string[] };
  const stderr = new StderrReader({
    redact: redactor(['S3cret']),
    onSize: (width, height) => seen.sizes.push(`${width}x${height}`),
    onDecodeErrors: (count) => (seen.errors += count),
    onWarning: (line) => seen.warnings.push(line),
  });
  return { seen, stderr };
};

const talk = [
  "[info] Input #0, rtsp, from 'rtsp://bob:S3cret@cam/live':",
  '[info]   Stream #0:0: Audio: aac (LC), 48000 Hz, stereo, fltp',
  '[info]   Stream #0:1(und): Video: h264 (High), yuv420p(progressive), 320x180 [SAR 1:1 DAR 16:9], 25 fps, 25 tbr, 90k tbn',
  '[info]   Stream #0:0: Video: rawvideo (RGB[24] / 0x18424752), rgb24(pc), 160x96 [SAR 1:1 DAR 5:3], q=2-31',
  '[rtsp @ 0x55d] [warning] RTP: missed 5 packets',
  '[h264 @ 0x55d] [error] error while decoding MB 3 4, bytestream -5',
  '[h264 @ 0x55d] [info] concealing 12 DC, 12 AC, 12 MV errors in P frame',
  '[swscaler @ 0x55d] [warning] deprecated pixel format used',
].join('\n');

describe("ffmpeg's talk", () => {
  it('tells the size of the camera picture, lost packets and errors, and hides the secret', () => {
    const { seen, stderr } = reader();
    stderr.pictureArrived();
    stderr.push(`${talk}\n`);
    expect(seen.sizes).toEqual(['320x180']);
    expect(seen.errors).toBe(6);
    expect(seen.warnings).toEqual(['[swscaler @ 0x55d] [warning] deprecated pixel format used']);
    expect(stderr.lines[0]).toBe("[info] Input #0, rtsp, from 'rtsp://***@cam/live':");
  });

  it('tells the size of the first video stream only: the one that is read', () => {
    const second = '[info]   Stream #0:2: Video: mjpeg, yuvj420p, 640x640, 5 fps\n';
    const { seen, stderr } = reader();
    stderr.push(`${talk}\n${second}`);
    expect(seen.sizes).toEqual(['320x180']);
    const sizeless = reader();
    sizeless.stderr.push(`[info]   Stream #0:0: Video: h264, none, 90k tbn\n${second}`);
    expect(sizeless.seen.sizes).toEqual([]);
  });

  it('is understood however it arrives', () => {
    const whole = reader();
    whole.stderr.push(`${talk}\r\n`);
    fc.assert(
      fc.property(fc.array(fc.nat(talk.length)), (cuts) => {
        const { seen, stderr } = reader();
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), talk.length]) {
          stderr.push(talk.slice(from, to));
          from = to;
        }
        stderr.push('\n');
        expect(seen).toEqual(whole.seen);
        expect(stderr.lines).toEqual(whole.stderr.lines);
      }),
    );
  });

  it('does not count what comes before the first picture', () => {
    const { seen, stderr } = reader();
    stderr.push(
      '[h264 @ 0x1] [error] non-existing PPS 0 referenced\n[rtsp @ 0x1] [warning] RTP: missed 2 packets\n',
    );
    expect(seen.errors).toBe(0);
  });

  it('may flood without filling memory', () => {
    const { stderr } = reader();
    for (let n = 0; n < 5000; n++) stderr.push(`${'x'.repeat(4000)}\n`);
    expect(stderr.lines.length).toBe(100);
    for (let n = 0; n < 5000; n++) stderr.push('y'.repeat(4000));
    stderr.push('\n');
    expect(stderr.lines.at(-1)).toBe('(a line too long to keep)');
  });
});

describe('the reason of a failure', () => {
  it.each([
    ['camera_refused', '[rtsp @ 0x1] [error] method DESCRIBE failed: 401 Unauthorized'],
    [
      'camera_refused',
      '[error] rtsp://cam/live: Server returned 401 Unauthorized (authorization failed)',
    ],
    ['camera_refused', '[error] rtsp://cam/live: Server returned 403 Forbidden (access denied)'],
    ['camera_not_found', '[rtsp @ 0x1] [error] method DESCRIBE failed: 404 Not Found'],
    ['camera_not_found', '[error] rtsp://cam/live: Server returned 404 Not Found'],
    [
      'camera_unreachable',
      '[tcp @ 0x1] [error] Connection to tcp://cam:554 failed: Connection refused',
    ],
    [
      'camera_unreachable',
      '[tcp @ 0x1] [error] Failed to resolve hostname cam: Name or service not known',
    ],
    ['camera_unreachable', '[error] rtsp://cam/live: No route to host'],
    ['camera_unreachable', '[error] rtsp://cam/live: Connection timed out'],
    ['camera_no_video', "[fatal] Stream map '0:v:0' matches no streams."],
    ['ffmpeg_failed', '[error] rtsp://cam/live: Invalid data found when processing input'],
  ])('is %s for %s', (code, line) => {
    const error = failureOf('gate', ['[info] hello', line], 'ffmpeg exited with code 1');
    expect(error.code).toBe(code);
    expect(error.message).toContain('gate');
    expect(error.message).toContain(line);
  });

  it('is how it ended when it said nothing', () => {
    expect(failureOf('gate', [], 'ffmpeg was killed with signal SIGKILL')).toMatchObject({
      code: 'ffmpeg_failed',
      message: 'gate: ffmpeg was killed with signal SIGKILL',
    });
  });
});
