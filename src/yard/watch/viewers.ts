/** The pages that are open: each looks at one camera, and gets what has changed since it was sent the last time. */
import { WebSocket } from 'ws';
import { horizonS } from '../truth/futures.js';
import { RequestSchema } from './messages.js';
import type { Request, Told } from './messages.js';
import type { WatchedCamera } from './watched-camera.js';
import { YardScene } from './yard-scene.js';

export const viewersMax = 8;
/** A page that does not read gets no pictures meanwhile; live ones are worth nothing later. */
const unreadBytesMax = 1 << 20;
/** Of text, which is small: a page that has not read so much is gone. */
const unreadTextBytesMax = 8 << 20;
const thumbnailsPerRound = 8;
const ticksOfStep = 2;

interface Viewer {
  readonly socket: WebSocket;
  camera: number;
  showsMasks: boolean;
  /** What it was sent last: camera and tick. */
  sent: string;
}

export class Viewers {
  private readonly cameras: readonly WatchedCamera[];
  private readonly title: string;
  private readonly viewers = new Set<Viewer>();
  private nextThumbnail = 0;
  private shows = 0;

  constructor(cameras: readonly WatchedCamera[], title: string) {
    this.cameras = cameras;
    this.title = title;
  }

  get count(): number {
    return this.viewers.size;
  }

  add(socket: WebSocket): void {
    const viewer: Viewer = { socket, camera: 0, showsMasks: false, sent: '' };
    this.viewers.add(viewer);
    socket.on('message', (data, isBinary) => {
      const request = isBinary || !Buffer.isBuffer(data) ? undefined : parsed(data.toString());
      if (request === undefined) socket.close(1008, 'not understood');
      else this.take(viewer, request);
    });
    const end = (): void => {
      socket.terminate();
      this.viewers.delete(viewer);
      this.noteWatched();
    };
    socket.on('error', end).on('close', end);
    const { cameras, title } = this;
    const facts = cameras.map((camera) => camera.facts);
    send(viewer, { kind: 'yard', title, horizonS, cameras: facts });
    for (const [index, camera] of cameras.entries()) {
      for (const told of camera.past) send(viewer, told);
      const pace = this.paceOf(index);
      if (pace) send(viewer, pace);
    }
    this.noteWatched();
  }

  tell(told: Told): void {
    for (const viewer of this.viewers)
      if (told.kind !== 'chances' || told.camera === viewer.camera) send(viewer, told);
  }

  /** Sends the pictures of now; called some 8 times a second. */
  show(): void {
    if (this.viewers.size === 0) return;
    for (const index of this.watched()) this.showCamera(index);
    this.showThumbnail();
  }

  /** One at a time, so that drawing many recordings stays cheap; of few cameras, each once a second. */
  private showThumbnail(): void {
    const { length } = this.cameras;
    if (length === 1 || this.shows++ % thumbnailsPerRound >= length) return;
    const thumbnail = this.cameras[this.nextThumbnail]?.thumbnail();
    this.nextThumbnail = (this.nextThumbnail + 1) % length;
    for (const viewer of this.viewers) if (thumbnail) sendPicture(viewer, thumbnail);
  }

  close(): void {
    for (const { socket } of this.viewers) socket.terminate();
  }

  private showCamera(index: number): void {
    const camera = this.cameras[index];
    if (!camera) return;
    const { world } = camera.scene;
    const pictures: { plain?: Buffer; masked?: Buffer } = {};
    for (const viewer of this.viewers) {
      if (viewer.camera !== index) continue;
      const { showsMasks } = viewer;
      const now = `${index} ${world.tick} ${String(showsMasks)}`;
      if (viewer.sent === now) continue;
      const picture = (pictures[showsMasks ? 'masked' : 'plain'] ??= camera.picture(showsMasks));
      if (sendPicture(viewer, picture)) viewer.sent = now;
    }
  }

  private take(viewer: Viewer, request: Request): void {
    const scene = this.cameras[viewer.camera]?.scene;
    const yard = scene instanceof YardScene ? scene : null;
    switch (request.do) {
      case 'watch': {
        if (request.camera >= this.cameras.length) return;
        viewer.camera = request.camera;
        this.noteWatched();
        const bars = this.cameras[request.camera]?.past.findLast((it) => it.kind === 'chances');
        if (bars) send(viewer, bars);
        return;
      }
      case 'masks':
        viewer.showsMasks = request.shown;
        return;
      case 'pause':
        if (yard) yard.isPaused = request.isPaused;
        break;
      case 'step':
        yard?.skip(ticksOfStep);
        return;
      case 'pace':
        if (yard) yard.pace = request.pace;
        break;
    }
    const pace = this.paceOf(viewer.camera);
    if (pace) this.tell(pace);
  }

  private paceOf(camera: number): Told | undefined {
    const scene = this.cameras[camera]?.scene;
    if (!(scene instanceof YardScene)) return undefined;
    return { kind: 'pace', camera, pace: scene.pace, isPaused: scene.isPaused };
  }

  private watched(): Set<number> {
    return new Set([...this.viewers].map(({ camera }) => camera));
  }

  private noteWatched(): void {
    const watched = this.watched();
    for (const [index, { rounds }] of this.cameras.entries()) rounds.watch(watched.has(index));
  }
}

function parsed(text: string): Request | undefined {
  try {
    return RequestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function send({ socket }: Viewer, told: Told): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify(told));
  if (socket.bufferedAmount > unreadTextBytesMax) socket.terminate();
}

/** @returns whether it was sent, or left out because the page has enough to read */
function sendPicture({ socket }: Viewer, picture: Buffer): boolean {
  if (socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > unreadBytesMax) return false;
  socket.send(picture, { binary: true });
  return true;
}
