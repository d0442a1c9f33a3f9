/** A camera whose RTP is made elsewhere and passed on as it is: any codec that ffmpeg can send. */
import type { RemoteInfo } from 'node:dgram';
import { Mount, type MountOptions } from './mount.js';
import { bindUdpPair, type UdpPair } from './transport.js';

/**
 * Send to it with `ffmpeg … -f rtp -sdp_file FILE rtp://127.0.0.1:PORT`, PORT being `port`, then hand the file's text to
 * `useSdp`. One video track. The packets are not looked into, so a reader may join before a key picture.
 */
export class RelayMount extends Mount {
  readonly ssrcParameter = '';
  readonly #pair: UdpPair;
  protected media: string | undefined;

  static async open(name: string, options: MountOptions = {}): Promise<RelayMount> {
    return new RelayMount(name, await bindUdpPair('127.0.0.1'), options);
  }

  private constructor(name: string, pair: UdpPair, options: MountOptions) {
    super(name, options);
    this.#pair = pair;
    pair.media.on('message', (packet: Buffer, { address }: RemoteInfo) => {
      if (address === '127.0.0.1' && isRtp(packet)) this.deliver([packet], true);
    });
    pair.control.on('message', (packet: Buffer, { address }: RemoteInfo) => {
      if (address === '127.0.0.1' && isRtp(packet)) this.deliverControl(packet);
    });
  }

  /** Where RTP is expected, on 127.0.0.1; RTCP on the next port. */
  get port(): number {
    return this.#pair.port;
  }

  /** Takes over format and parameters of the first video track. Throws a RangeError when there is none. */
  useSdp(sdp: string): void {
    const lines = sdp.split(/\r?\n/);
    const from = lines.findIndex((line) => line.startsWith('m=video '));
    if (from === -1) throw new RangeError('the SDP has no video track');
    const after = lines.slice(from + 1);
    const end = after.findIndex((line) => line.startsWith('m='));
    const attributes = after
      .slice(0, end === -1 ? after.length : end)
      .filter((line) => /^(b=|a=(rtpmap|fmtp|framerate|framesize):)/.test(line));
    const media = (lines[from] ?? '').replace(/^m=video \d+(\/\d+)?/, 'm=video 0');
    this.media = [media, ...attributes, 'a=control:trackID=0', ''].join('\r\n');
    this.announce();
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#pair.close();
  }
}

/** Version 2 and long enough for a header; RTCP begins alike. */
function isRtp(packet: Buffer): boolean {
  return packet.length >= 8 && ((packet[0] ?? 0) & 0xc0) === 0x80;
}
