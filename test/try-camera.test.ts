/** One look through a camera: what it shows, how large it is, and that nothing is left of it. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { CameraTestedSchema } from '../src/http/contract.js';
import { tryCamera } from '../src/try-camera.js';
import { RtspServer } from '../src/yard/rtsp-server.js';
import { children, ffmpegPath, testH264, until } from './ingest/support.js';

const seeing = { ffmpegPath, widthPx: 96, heightPx: 96, framesPerSecond: 8 };
let server: RtspServer;
beforeAll(async () => {
  server = await RtspServer.listen();
  server.mountRecording('wide', { annexB: testH264('640x360', 10, 2), framesPerSecond: 10 });
});
afterAll(() => server.close());
afterEach(() => until(() => children('ffmpeg').length === 0, 'the end of ffmpeg'));

it('shows the first picture at the size of the bundle, and tells how large the camera sends it', async () => {
  const tested = await tryCamera({ name: 'cam', url: server.url('wide') }, seeing);
  expect(CameraTestedSchema.parse(tested)).toMatchObject({ widthPx: 640, heightPx: 360 });
  expect(tested.firstPictureMs).toBeGreaterThan(0);
  expect(await loadImage(tested.still), 'without bars').toMatchObject({ width: 96, height: 54 });
});

it('gives up a camera that accepts the connection and says nothing', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const camera = { name: 'cam', url: `rtsp://127.0.0.1:${String(port)}/` };
  await expect(tryCamera(camera, seeing, 500)).rejects.toMatchObject({ code: 'camera_silent' });
  for (const socket of sockets) socket.destroy();
  silent.close();
});

it('says what the camera says', async () => {
  const camera = { name: 'cam', url: server.url('nothing') };
  await expect(tryCamera(camera, seeing)).rejects.toMatchObject({ code: 'camera_not_found' });
});
