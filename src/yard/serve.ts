/**
 * The process that plays camera: yard scenes drawn live and recordings in a loop, over RTSP on loopback. One line of JSON on
 * stdin says what to serve, one line on stdout answers; it ends when stdin does, so it never outlives its parent.
 */
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { LookaheadError, messageOf } from '../errors.js';
import { splits } from './data/splits.js';
import { listenRtsp } from './listen-rtsp.js';
import { openRecording } from './recording.js';
import { runFfmpeg } from './run-ffmpeg.js';
import { YardScene } from './watch/yard-scene.js';
import { YardCamera } from './yard-camera.js';

const nameSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

const serveSpecSchema = z.strictObject({
  ffmpegPath: z.string().min(1),
  /** 0: any free port. */
  port: z.int().min(0).max(65535),
  cameras: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({
          name: nameSchema,
          kind: z.literal('yard'),
          split: z.enum(splits),
          seed: z.int(),
          scene: z.int(),
        }),
        z.strictObject({ name: nameSchema, kind: z.literal('file'), path: z.string().min(1) }),
      ]),
    )
    .max(64),
});

export type ServeSpec = z.infer<typeof serveSpecSchema>;

/** What the process prints, once. */
type ServeAnswer =
  | { readonly ready: true; readonly urls: Readonly<Record<string, string>> }
  | {
      readonly error: { readonly code: string; readonly message: string; readonly remedy: string };
    };

const closers: (() => Promise<void>)[] = [];
let isEnding = false;

async function end(code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await Promise.allSettled(closers.map((close) => close()));
  process.exit(code);
}

async function serve(specText: string): Promise<ServeAnswer> {
  const spec = parseSpec(specText);
  await runFfmpeg(spec.ffmpegPath, ['-hide_banner', '-version']); // Is it there at all?
  const recordings = new Map(
    await Promise.all(
      spec.cameras.flatMap((camera) =>
        camera.kind === 'file'
          ? [openRecording(spec.ffmpegPath, camera.path).then((it) => [camera.name, it] as const)]
          : [],
      ),
    ),
  );
  const server = await listenRtsp(spec.port, 'Choose another port, or 0 for any free one.');
  closers.push(() => server.close());
  for (const camera of spec.cameras) {
    const recording = recordings.get(camera.name);
    if (recording !== undefined) server.mountRecording(camera.name, recording);
    if (camera.kind === 'yard') {
      const film = YardScene.open(camera.split, camera.seed, camera.scene);
      const mount = server.mountLive(camera.name, { framesPerSecond: film.framesPerSecond });
      const yard = new YardCamera(spec.ffmpegPath, film, mount);
      closers.push(() => yard.close());
    }
  }
  const urls = Object.fromEntries(spec.cameras.map(({ name }) => [name, server.url(name)]));
  return { ready: true, urls };
}

function parseSpec(text: string): ServeSpec {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new LookaheadError('usage', 'The cameras are not valid JSON.', 'Send one line of JSON.', {
      cause,
    });
  }
  const parsed = serveSpecSchema.safeParse(json);
  if (!parsed.success) {
    throw new LookaheadError(
      'usage',
      `The cameras are not valid: ${z.prettifyError(parsed.error)}`,
      'Correct the named field.',
    );
  }
  const names = parsed.data.cameras.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new LookaheadError('usage', `Two cameras are called ${twice}.`, 'Rename one of them.');
  }
  return parsed.data;
}

function print(answer: ServeAnswer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

process.once('SIGTERM', () => void end(0));
process.once('SIGINT', () => void end(0));
process.stdout.on('error', () => void end(0)); // The parent is gone.

const lines = createInterface({ input: process.stdin });
lines.once('close', () => void end(0));
lines.once('line', (line) => {
  serve(line).then(
    (answer) => {
      print(answer);
    },
    (error: unknown) => {
      if (!(error instanceof LookaheadError)) process.stderr.write(`${messageOf(error)}\n`);
      const { code, remedy } =
        error instanceof LookaheadError
          ? error
          : { code: 'usage', remedy: 'This is a programming error; please report it.' };
      print({ error: { code, message: messageOf(error), remedy } });
      void end(1);
    },
  );
});
