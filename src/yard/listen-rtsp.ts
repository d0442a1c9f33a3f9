import { LookaheadError } from '../errors.js';
import { RtspServer } from './rtsp-server.js';

/**
 * Opens the server that yards and recordings are shown by.
 * @param remedy how whoever asks may choose another port. @throws LookaheadError port_taken
 */
export async function listenRtsp(port: number, remedy: string): Promise<RtspServer> {
  try {
    return await RtspServer.listen({ port });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause;
    throw new LookaheadError(
      'port_taken',
      `The RTSP port ${String(port)} is already in use.`,
      remedy,
      { cause },
    );
  }
}
