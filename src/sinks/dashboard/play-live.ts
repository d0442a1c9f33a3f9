/** The live picture of a camera: MPEG-1 over a WebSocket, decoded here. Begins again by itself when it ends. */
import type { Destination, Source } from '@cycjimmy/jsmpeg-player';
import { paths } from '../../http/contract.js';
import { backOffMs } from './back-off.js';

export type LiveState =
  | { readonly state: 'connecting' }
  | { readonly state: 'playing'; readonly widthPx: number; readonly heightPx: number }
  /** It is tried again. */
  | { readonly state: 'away'; readonly retryMs: number };

/** Without any data for so long it is begun anew. */
const silenceMaxMs = 20_000;

/**
 * Plays into a canvas that it puts into `place`.
 *
 * @returns what ends it and frees the engine's viewer
 */
export function playLive(
  camera: string,
  place: HTMLElement,
  tell: (state: LiveState) => void,
): () => void {
  let end: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let isStopped = false;

  const begin = async (): Promise<void> => {
    tell({ state: 'connecting' });
    const once = onceOnly(() => {
      end?.();
      end = undefined;
      if (isStopped) return;
      failures += 1;
      const retryMs = backOffMs(failures);
      tell({ state: 'away', retryMs });
      timer = setTimeout(() => void begin(), retryMs);
    });
    try {
      const { default: JSMpeg } = await import('@cycjimmy/jsmpeg-player');
      // It may have been ended while the player was loaded.
      if (stopped()) return;
      const canvas = document.createElement('canvas');
      let isShown = false;
      const player = new JSMpeg.Player(pictureUrl(camera), {
        canvas,
        audio: false,
        disableWebAssembly: true,
        pauseWhenHidden: false,
        source: sourceThatTells(once),
        onVideoDecode: () => {
          if (isShown || isStopped) return;
          isShown = true;
          failures = 0;
          place.replaceChildren(canvas);
          tell({ state: 'playing', widthPx: canvas.width, heightPx: canvas.height });
        },
      });
      end = () => {
        player.destroy();
        // Browsers lend few of these, and take them back late.
        canvas.getContext('webgl')?.getExtension('WEBGL_lose_context')?.loseContext();
        canvas.remove();
      };
    } catch {
      once();
    }
  };
  const stopped = (): boolean => isStopped;
  void begin();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    end?.();
    end = undefined;
  };
}

function pictureUrl(camera: string): string {
  const { protocol, host } = location;
  const scheme = protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${host}${paths.picture}?camera=${encodeURIComponent(camera)}`;
}

function onceOnly(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}

/** The player's own source tells nobody when its socket ends. */
function sourceThatTells(onEnd: () => void): new (url: string) => Source {
  return class implements Source {
    readonly streaming = true;
    readonly #url: string;
    #destination: Destination | undefined;
    #socket: WebSocket | undefined;
    #silence: ReturnType<typeof setTimeout> | undefined;
    established = false;
    progress = 0;

    constructor(url: string) {
      this.#url = url;
    }

    connect(destination: Destination): void {
      this.#destination = destination;
    }

    start(): void {
      const socket = new WebSocket(this.#url);
      this.#socket = socket;
      socket.binaryType = 'arraybuffer';
      socket.onmessage = ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return;
        this.established = true;
        this.#listen();
        this.#destination?.write(data);
      };
      socket.onclose = onEnd;
      this.#listen();
    }

    resume(): void {
      // A live picture cannot be asked for more.
    }

    destroy(): void {
      clearTimeout(this.#silence);
      if (this.#socket === undefined) return;
      this.#socket.onclose = null;
      this.#socket.onmessage = null;
      this.#socket.close();
    }

    #listen(): void {
      clearTimeout(this.#silence);
      this.#silence = setTimeout(onEnd, silenceMaxMs);
    }
  };
}
