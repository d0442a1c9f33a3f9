/**
 * The live picture of one camera: node-rtsp-stream in a process of its own, since a failing ffmpeg ends the process it runs
 * in. One line of JSON on stdin says what to show; one line on stdout answers once the picture comes. It ends when stdin does.
 */
import { createInterface } from 'node:readline';
import VideoStream from 'node-rtsp-stream';
import { previewOutput, type PreviewOutputOptions } from './ffmpeg-args.js';

/** From `Previews`, which alone starts this process. */
export interface PreviewSpec extends PreviewOutputOptions {
  /** With the login; never printed. */
  readonly url: string;
  readonly transport: 'tcp' | 'udp';
  readonly ffmpegPath: string;
  /** The path under which the picture is served. Unguessable, so that no web page elsewhere can look in. */
  readonly path: string;
  /** Without any data for so long it gives up: node-rtsp-stream does not notice a lost camera. */
  readonly silenceMaxMs: number;
}

export interface PreviewAnswer {
  readonly port: number;
}

/** ffmpeg takes the transport from the address where no option can say it, and does not send that part to the camera. */
function over({ url, transport }: PreviewSpec): string {
  return `${url}${url.includes('?') ? '&' : '?'}${transport}`;
}

function show(spec: PreviewSpec): void {
  const preview = new VideoStream({
    name: 'preview',
    streamUrl: over(spec),
    wsPort: { host: '127.0.0.1', port: 0 },
    ffmpegPath: spec.ffmpegPath,
    ffmpegOptions: previewOutput(spec),
  });
  preview.wsServer.options.path = spec.path;
  const end = (code: number): void => {
    preview.stream.kill('SIGKILL');
    process.exit(code);
  };
  let lastDataMs = performance.now();
  preview.on('camdata', () => (lastDataMs = performance.now()));
  preview.once('camdata', () => {
    const answer: PreviewAnswer = { port: preview.wsServer.address().port };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  });
  setInterval(() => {
    if (performance.now() - lastDataMs > spec.silenceMaxMs) {
      process.stderr.write(`[error] no picture for ${spec.silenceMaxMs / 1000} s\n`);
      end(1);
    }
  }, spec.silenceMaxMs / 4);
  preview.stream.on('error', (error) => {
    process.stderr.write(`[error] ffmpeg cannot be run: ${error.message}\n`);
    end(1);
  });
  // After `close` all that ffmpeg said has been passed on.
  preview.stream.on('close', () => end(1));
  process.on('SIGTERM', () => end(0));
  process.stdin.on('end', () => end(0));
}

// node-rtsp-stream tells stdout of every viewer; stdout is for the answer.
// eslint-disable-next-line no-console -- Taken away, not used.
console.log = () => undefined;
createInterface(process.stdin).once('line', (line) => show(JSON.parse(line) as PreviewSpec));
