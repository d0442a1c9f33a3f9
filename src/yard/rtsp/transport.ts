/** How packets reach one reader: inside its RTSP connection, or as datagrams. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';

export interface Transport {
  /** The `Transport` header that describes it. */
  readonly header: string;
  /** The reader takes too little of what it is sent; pictures should be dropped. */
  isFull(): boolean;
  sendMedia(packets: readonly Buffer[]): void;
  sendControl(packet: Buffer): void;
  /** Whether an RTCP packet that arrived from there comes from this reader. */
  isControlFrom(address: string, port: number): boolean;
}

/** What may wait in the socket of a reader that is too slow, about ten seconds of a usual camera. */
export const unsentBytesMax = 4 * 1024 * 1024;

export function interleavedTransport(
  socket: Socket,
  mediaChannel: number,
  controlChannel: number,
  ssrc: string,
): Transport {
  const framed = (channel: number, packet: Buffer): Buffer[] => {
    const head = Buffer.from([0x24, channel, 0, 0]);
    head.writeUInt16BE(packet.length, 2);
    return [head, packet];
  };
  const write = (bytes: Buffer): void => {
    if (socket.writable) socket.write(bytes);
  };
  return {
    header: `RTP/AVP/TCP;unicast;interleaved=${mediaChannel}-${controlChannel}${ssrc}`,
    isFull: () => socket.writableLength > unsentBytesMax,
    sendMedia: (packets) =>
      write(Buffer.concat(packets.flatMap((packet) => framed(mediaChannel, packet)))),
    sendControl: (packet) => write(Buffer.concat(framed(controlChannel, packet))),
    isControlFrom: () => false,
  };
}

export function datagramTransport(
  pair: UdpPair,
  address: string,
  mediaPort: number,
  controlPort: number,
  ssrc: string,
): Transport {
  // A datagram that cannot be sent is a lost packet, as on any network.
  const ignore = (): void => undefined;
  return {
    header:
      `RTP/AVP;unicast;client_port=${mediaPort}-${controlPort}` +
      `;server_port=${pair.port}-${pair.port + 1}${ssrc}`,
    isFull: () => false,
    sendMedia: (packets) => {
      for (const packet of packets) pair.media.send(packet, mediaPort, address, ignore);
    },
    sendControl: (packet) => pair.control.send(packet, controlPort, address, ignore),
    isControlFrom: (from, port) => from === address && port === controlPort,
  };
}

/** RTP on an even port and RTCP on the next one (RFC 3550, 11). */
export interface UdpPair {
  readonly media: UdpSocket;
  readonly control: UdpSocket;
  readonly port: number;
  close(): Promise<void>;
}

export async function bindUdpPair(host: string): Promise<UdpPair> {
  const bind = (port: number): Promise<UdpSocket | undefined> =>
    new Promise((resolve) => {
      const type = host.includes(':') ? 'udp6' : 'udp4';
      // A key picture is a burst; the kernel's default holds only about 200 kB of it.
      const socket = createSocket({ type, recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 });
      socket.once('error', () => {
        socket.close(() => {
          resolve(undefined);
        });
      });
      socket.bind(port, host, () => {
        socket.removeAllListeners('error');
        socket.on('error', () => undefined); // ICMP errors of readers that are gone.
        resolve(socket);
      });
    });
  const close = (socket: UdpSocket): Promise<void> =>
    new Promise((resolve) => {
      socket.close(resolve);
    });
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const first = await bind(0);
    if (first === undefined) break;
    const { port } = first.address();
    const second = await bind(port % 2 === 0 ? port + 1 : port - 1);
    if (second === undefined) {
      await close(first);
      continue;
    }
    const [media, control] = port % 2 === 0 ? [first, second] : [second, first];
    return {
      media,
      control,
      port: media.address().port,
      close: async () => {
        await Promise.all([close(media), close(control)]);
      },
    };
  }
  throw new Error(`no two neighbouring UDP ports are free on ${host}`);
}
