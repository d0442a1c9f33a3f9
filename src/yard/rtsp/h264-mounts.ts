/** The two kinds of camera that the server packetises itself. */
import { AccessUnitCutter, cutAccessUnits, nalType, typeOf, type AccessUnit } from './annex-b.js';
import { Mount, type MountOptions } from './mount.js';
import { RtpStream, rtpClockHz } from './rtp.js';

const payloadType = 96;
const reportPeriodMs = 5000;

abstract class H264Mount extends Mount {
  readonly #stream = new RtpStream(payloadType);
  readonly #startedAtMs = performance.now();
  readonly #reportTimer: NodeJS.Timeout;
  readonly #framesPerSecond: number;
  #sps: Buffer | undefined;
  #pps: Buffer | undefined;
  #key: AccessUnit | undefined;
  #isFrozen = false;
  #hadReaders = false;

  constructor(name: string, framesPerSecond: number, options: MountOptions) {
    super(name, options);
    this.#framesPerSecond = framesPerSecond;
    this.#reportTimer = setInterval(() => {
      this.#report();
    }, reportPeriodMs);
  }

  get ssrcParameter(): string {
    return `;ssrc=${this.#stream.ssrc.toString(16).toUpperCase().padStart(8, '0')}`;
  }

  /** Seconds of the monotonic clock since the mount was made: the stream's own time. */
  protected get nowS(): number {
    return (performance.now() - this.#startedAtMs) / 1000;
  }

  /** Fault: every picture from now on is the last key picture, as a camera that hangs but still sends. */
  freeze(isFrozen = true): void {
    this.#isFrozen = isFrozen;
    if (!isFrozen) this.waitForKey(); // What comes next refers to pictures that were never sent.
  }

  protected override get media(): string | undefined {
    const [sps, pps] = [this.#sps, this.#pps];
    if (sps === undefined || pps === undefined) return undefined;
    const sets = `${sps.toString('base64')},${pps.toString('base64')}`;
    return [
      `m=video 0 RTP/AVP ${payloadType}`,
      `a=rtpmap:${payloadType} H264/${rtpClockHz}`,
      `a=fmtp:${payloadType} packetization-mode=1;profile-level-id=${sps.toString('hex', 1, 4)};sprop-parameter-sets=${sets}`,
      `a=framerate:${this.#framesPerSecond}`,
      'a=control:trackID=0',
      '',
    ].join('\r\n');
  }

  override close(): Promise<void> {
    clearInterval(this.#reportTimer);
    return super.close();
  }

  /** Sends one picture that is to be shown at `seconds` of the stream's time. */
  protected send(unit: AccessUnit, seconds: number): void {
    this.#learn(unit);
    const picture = this.#isFrozen ? this.#key : unit;
    const hasReaders = this.hasReaders;
    if (picture !== undefined && hasReaders) {
      this.deliver(this.#stream.packetise(this.#withSets(picture), seconds), picture.isKey);
    }
    // The first report at once, so that a reader need not wait five seconds for wall-clock time.
    if (hasReaders && !this.#hadReaders) this.#report();
    this.#hadReaders = hasReaders;
  }

  #learn(unit: AccessUnit): void {
    if (unit.isKey && !(this.#isFrozen && this.#key !== undefined)) this.#key = unit;
    for (const nal of unit.nals) {
      if (typeOf(nal) === nalType.sps) this.#sps = nal;
      if (typeOf(nal) === nalType.pps) this.#pps = nal;
    }
    if (this.#sps !== undefined && this.#pps !== undefined) this.announce();
  }

  /** Whoever joins at a key picture needs its parameter sets, also where the encoder sent them only once. */
  #withSets({ nals, isKey }: AccessUnit): readonly Buffer[] {
    if (!isKey || nals.some((nal) => typeOf(nal) === nalType.sps)) return nals;
    return [this.#sps, this.#pps, ...nals].filter((nal) => nal !== undefined);
  }

  #report(): void {
    this.deliverControl(this.#stream.senderReport(this.nowS, Date.now()));
  }
}

/** A camera whose encoder writes an H.264 byte stream, as `ffmpeg … -f h264 -` does. */
export class LiveMount extends H264Mount {
  #cutter = new AccessUnitCutter();
  #lastS = 0;

  constructor(name: string, framesPerSecond: number, options: MountOptions = {}) {
    super(name, framesPerSecond, options);
  }

  /**
   * Takes the encoder's next bytes, cut anywhere, and keeps them: the caller does not change them. A picture goes out
   * when the next one starts, stamped with the time of that. Throws a RangeError when the bytes are not H.264.
   */
  write(chunk: Buffer): void {
    for (const unit of this.#cutter.push(chunk)) {
      // Pictures that arrive together must still differ in time, or they would be taken for one.
      this.#lastS = Math.max(this.nowS, this.#lastS + 0.001);
      this.send(unit, this.#lastS);
    }
  }

  /** The encoder starts anew: what was half received is thrown away. */
  restart(): void {
    this.#cutter = new AccessUnitCutter();
    this.waitForKey();
  }
}

/** How late the player may be before it skips instead of catching up. */
const lateMaxS = 2;

/** A recording that plays at its frame rate, over and over, whether someone reads it or not. */
export class RecordingMount extends H264Mount {
  readonly #units: readonly AccessUnit[];
  readonly #framesPerSecond: number;
  /** Counts on over the loop, and the RTP clock with it. */
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Throws a RangeError when the stream has no key picture to start at. */
  constructor(name: string, annexB: Buffer, framesPerSecond: number, options: MountOptions = {}) {
    const units = cutAccessUnits(annexB);
    const first = units.findIndex(({ isKey }) => isKey);
    if (first === -1) throw new RangeError('no H.264 key picture in the recording');
    super(name, framesPerSecond, options);
    this.#units = units.slice(first);
    this.#framesPerSecond = framesPerSecond;
    this.#play();
  }

  override close(): Promise<void> {
    clearTimeout(this.#timer);
    return super.close();
  }

  #play(): void {
    const dueTo = Math.floor(this.nowS * this.#framesPerSecond);
    if (dueTo - this.#next > lateMaxS * this.#framesPerSecond) {
      this.#next = dueTo;
      this.waitForKey();
    }
    for (; this.#next <= dueTo; this.#next += 1) {
      const unit = this.#units[this.#next % this.#units.length];
      if (unit !== undefined) this.send(unit, this.#next / this.#framesPerSecond);
    }
    const waitMs = (this.#next / this.#framesPerSecond - this.nowS) * 1000;
    this.#timer = setTimeout(
      () => {
        this.#play();
      },
      Math.max(0, Math.ceil(waitMs)),
    );
  }
}
