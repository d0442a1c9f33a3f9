/** Messages as JSON lines, to a file or to standard output. */
import type { Writable } from 'node:stream';
import { LookaheadError, messageOf } from '../errors.js';
import type { Message } from '../messages.js';
import type { PublishReceipt } from '../types.js';

export interface JsonlSink {
  /** A publish port: resolves when the stream has the line, rejects with `publish_failed` once nobody reads it. */
  readonly publish: (message: Message) => Promise<PublishReceipt>;
  /** Resolves when the reader has left, as `head` does; never rejects. */
  readonly closed: Promise<void>;
}

/**
 * Writes each message on a line of its own. A reader that leaves (EPIPE) is the ordinary end of a pipe: it ends the sink,
 * not the process, which an unheard `error` event of the stream would do.
 */
export function openJsonl(output: Writable): JsonlSink {
  const closed = new Promise<void>((resolve) => {
    output.once('error', () => resolve());
    output.once('close', () => resolve());
  });
  // The stream may fail once for each line that was under way.
  output.on('error', () => undefined);

  const publish = (message: Message): Promise<PublishReceipt> =>
    new Promise((resolve, reject) => {
      output.write(`${JSON.stringify(message)}\n`, (error) => {
        if (!error) resolve({ ackedAtMs: Date.now() });
        else {
          reject(
            new LookaheadError(
              'publish_failed',
              `A line could not be written: ${messageOf(error)}.`,
              'Check the disk, or the program that reads the pipe.',
              { cause: error },
            ),
          );
        }
      });
    });
  return { publish, closed };
}
