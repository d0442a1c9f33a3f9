/** Server-sent events: what the page needs of the engine's own messages, as they come. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Observable } from 'rxjs';
import { kindOf, type Message, type StateName } from '../messages.js';

export interface CameraNow {
  readonly camera: string;
  readonly state: StateName;
  readonly why: string;
}

const listenersMax = 32;
/** A listener that does not read is cut off; the browser comes back by itself. */
const unreadBytesMax = 1 << 20;
const keepAliveMs = 15_000;

/** Gives the handler. A new listener gets the cameras and each camera's last forecast at once. */
export function streamEvents(options: {
  readonly cameras: () => readonly CameraNow[];
  readonly messages$: Observable<Message>;
}): (response: ServerResponse, headers: OutgoingHttpHeaders, camera?: string) => void {
  const lastForecast = new Map<string, Message>();
  options.messages$.subscribe({
    next: (message) => {
      if (kindOf(message) === 'forecast') lastForecast.set(message.camera, message);
    },
    // The engine ends on an error of its own accord; here there is nothing to add.
    error: () => undefined,
  });
  let listeners = 0;

  return (response, headers, camera) => {
    if (listeners >= listenersMax) {
      response.writeHead(503, { ...headers, connection: 'close' }).end();
      return;
    }
    listeners += 1;
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8' });
    const isWanted = (name: string): boolean => camera === undefined || name === camera;
    const write = (event: string, data: unknown): void => {
      response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (response.writableLength > unreadBytesMax) response.destroy();
    };
    write(
      'cameras',
      options.cameras().filter((now) => isWanted(now.camera)),
    );
    for (const [name, forecast] of lastForecast) if (isWanted(name)) write('forecast', forecast);
    const subscription = options.messages$.subscribe({
      next: (message) => {
        const kind = kindOf(message);
        if (isShown(message) && isWanted(message.camera)) write(kind, message);
      },
      error: () => response.end(),
      complete: () => response.end(),
    });
    const keepAlive = setInterval(() => response.write(': \n\n'), keepAliveMs);
    response.once('close', () => {
      listeners -= 1;
      clearInterval(keepAlive);
      subscription.unsubscribe();
    });
  };
}

/** The page draws no masks yet, and scenes are by far the largest; of forecasts and outcomes it shows what begins first. */
function isShown(message: Message): boolean {
  if (message.schema === 'lookahead.scene.v1') return false;
  return (
    !('target' in message) || message.schema === 'lookahead.event.v1' || message.target !== 'within'
  );
}
