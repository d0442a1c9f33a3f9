/**
 * A small RTSP 1.0 server (RFC 2326, 3550, 6184, 2617): many cameras, many readers, TCP and UDP. It is the yard's camera and
 * the tests' broken one.
 */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Connection } from './rtsp/connection.js';
import { LiveMount, RecordingMount } from './rtsp/h264-mounts.js';
import type { Mount, MountOptions } from './rtsp/mount.js';
import { RelayMount } from './rtsp/relay-mount.js';
import { bindUdpPair, type UdpPair } from './rtsp/transport.js';

export { LiveMount, RecordingMount } from './rtsp/h264-mounts.js';
export { RelayMount } from './rtsp/relay-mount.js';
export type { Mount, MountCounts, MountOptions } from './rtsp/mount.js';
export type { Credentials } from './rtsp/digest.js';

export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** A client that sends neither requests nor RTCP for so long is cut off. Default 60 s, which RFC 2326 takes for granted. */
  readonly sessionTimeoutMs?: number;
}

const connectionsMax = 256;

export class RtspServer {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #udp: UdpPair;
  readonly #mounts = new Map<string, Mount>();
  readonly #connections = new Set<Connection>();
  readonly #sweep: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  /** Rejects with node's own error (EADDRINUSE, …) when the port cannot be had. */
  static async listen(options: ListenOptions = {}): Promise<RtspServer> {
    const { host = '127.0.0.1', port = 0, sessionTimeoutMs = 60_000 } = options;
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    try {
      return new RtspServer(server, await bindUdpPair(host), host, sessionTimeoutMs);
    } catch (error) {
      server.close();
      throw error;
    }
  }

  private constructor(server: Server, udp: UdpPair, host: string, sessionTimeoutMs: number) {
    this.#server = server;
    this.#udp = udp;
    this.host = host;
    this.port = (server.address() as AddressInfo).port;
    server.maxConnections = connectionsMax;
    // A reader that cannot be let in (too many open files) does not end the others.
    server.on('error', () => undefined);
    server.on('connection', (socket) => {
      const connection = new Connection(socket, {
        mount: (name) => this.#mounts.get(name),
        udp,
        sessionTimeoutMs,
      });
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
    });
    udp.control.on('message', (_packet, { address, port }) => {
      for (const connection of this.#connections) if (connection.takeControl(address, port)) return;
    });
    this.#sweep = setInterval(() => {
      for (const connection of this.#connections) {
        if (connection.silentMs > sessionTimeoutMs) connection.close();
      }
    }, sessionTimeoutMs / 4);
  }

  /** A camera fed with an H.264 byte stream by `write`. */
  mountLive(name: string, options: MountOptions & { framesPerSecond: number }): LiveMount {
    return this.#add(new LiveMount(this.#free(name), options.framesPerSecond, options));
  }

  /** A recording (H.264 byte stream without B pictures) that loops for ever. Throws a RangeError when nothing can be played. */
  mountRecording(
    name: string,
    options: MountOptions & { annexB: Buffer; framesPerSecond: number },
  ): RecordingMount {
    const { annexB, framesPerSecond } = options;
    return this.#add(new RecordingMount(this.#free(name), annexB, framesPerSecond, options));
  }

  /** A camera whose RTP another process sends to the mount's own UDP port. */
  async mountRelay(name: string, options: MountOptions = {}): Promise<RelayMount> {
    return this.#add(await RelayMount.open(this.#free(name), options));
  }

  /** The address to read, without credentials. */
  url(name: string): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `rtsp://${host}:${this.port}/${name}`;
  }

  /** How many are playing this camera now. */
  readers(name: string): number {
    return [...(this.#mounts.get(name)?.readers ?? [])].filter(({ isPlaying }) => isPlaying).length;
  }

  /** Ends every connection, timer and socket. A second call waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweep);
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const connection of this.#connections) connection.close();
    const mounts = [...this.#mounts.values()];
    this.#mounts.clear();
    await Promise.all([closed, this.#udp.close(), ...mounts.map((mount) => mount.close())]);
  }

  #free(name: string): string {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
      throw new RangeError(
        `a mount's name is 1 to 64 of A-Z a-z 0-9 _ -, not ${JSON.stringify(name)}`,
      );
    }
    if (this.#mounts.has(name)) throw new RangeError(`the mount ${name} exists already`);
    return name;
  }

  #add<M extends Mount>(mount: M): M {
    this.#mounts.set(mount.name, mount);
    return mount;
  }
}
