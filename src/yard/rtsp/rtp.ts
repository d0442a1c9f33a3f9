/** RTP packets of H.264 pictures (RFC 3550, RFC 6184) and RTCP sender reports. */
import { randomBytes } from 'node:crypto';

export const rtpClockHz = 90_000;
const headerBytes = 12;
/** Keeps a datagram within an Ethernet frame, tunnels included. */
export const payloadBytesMax = 1388;
const fragmentationUnitA = 28;

/** The numbering of one RTP stream: sequence numbers and time stamps, from random starts (RFC 3550, 5.1). */
export class RtpStream {
  readonly ssrc = randomBytes(4).readUInt32BE();
  readonly payloadType: number;
  readonly #timestampBase = randomBytes(4).readUInt32BE();
  #sequence = randomBytes(2).readUInt16BE();
  #packets = 0;
  #payloadBytes = 0;

  constructor(payloadType: number) {
    this.payloadType = payloadType;
  }

  /** Seconds on the stream's own clock as an RTP time stamp; it runs over after 13 hours. */
  timestamp(seconds: number): number {
    return (this.#timestampBase + (Math.round(seconds * rtpClockHz) % 2 ** 32)) % 2 ** 32;
  }

  /** The packets of one picture; the last one carries the marker. */
  packetise(nals: readonly Buffer[], seconds: number): Buffer[] {
    const payloads = nals.flatMap(payloadsOf);
    const timestamp = this.timestamp(seconds);
    return payloads.map((payload, i) => {
      const packet = Buffer.allocUnsafe(headerBytes + payload.length);
      packet[0] = 0x80;
      packet[1] = this.payloadType | (i === payloads.length - 1 ? 0x80 : 0);
      packet.writeUInt16BE(this.#sequence, 2);
      packet.writeUInt32BE(timestamp, 4);
      packet.writeUInt32BE(this.ssrc, 8);
      payload.copy(packet, headerBytes);
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.#packets += 1;
      this.#payloadBytes += payload.length;
      return packet;
    });
  }

  /** A sender report and the source description that must go with it (RFC 3550, 6.4.1 and 6.5). */
  senderReport(seconds: number, wallClockMs: number): Buffer {
    const report = Buffer.alloc(28);
    report[0] = 0x80;
    report[1] = 200;
    report.writeUInt16BE(report.length / 4 - 1, 2);
    report.writeUInt32BE(this.ssrc, 4);
    const ntpSeconds = Math.floor(wallClockMs / 1000) + 2_208_988_800; // NTP counts from 1900.
    report.writeUInt32BE(ntpSeconds % 2 ** 32, 8);
    report.writeUInt32BE(Math.floor(((wallClockMs % 1000) / 1000) * 2 ** 32), 12);
    report.writeUInt32BE(this.timestamp(seconds), 16);
    report.writeUInt32BE(this.#packets % 2 ** 32, 20);
    report.writeUInt32BE(this.#payloadBytes % 2 ** 32, 24);

    const cname = Buffer.from('lookahead');
    const description = Buffer.alloc(8 + 4 * Math.ceil((2 + cname.length + 1) / 4)); // Ends with at least one zero.
    description[0] = 0x81;
    description[1] = 202;
    description.writeUInt16BE(description.length / 4 - 1, 2);
    description.writeUInt32BE(this.ssrc, 4);
    description[8] = 1;
    description[9] = cname.length;
    cname.copy(description, 10);
    return Buffer.concat([report, description]);
  }
}

/** A NAL unit as it is, or in fragments where it is too long for one packet (RFC 6184, 5.6 and 5.8). */
function payloadsOf(nal: Buffer): Buffer[] {
  if (nal.length <= payloadBytesMax) return [nal];
  const header = nal[0] ?? 0;
  const indicator = (header & 0xe0) | fragmentationUnitA;
  const payloads: Buffer[] = [];
  const step = payloadBytesMax - 2;
  for (let from = 1; from < nal.length; from += step) {
    const start = from === 1 ? 0x80 : 0;
    const end = from + step >= nal.length ? 0x40 : 0;
    const unitHeader = Buffer.from([indicator, start | end | (header & 0x1f)]);
    payloads.push(Buffer.concat([unitHeader, nal.subarray(from, from + step)]));
  }
  return payloads;
}
