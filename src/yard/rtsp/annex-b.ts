/**
 * H.264 byte streams (ITU-T H.264 annex B) cut into access units: everything that belongs to one picture. The result
 * depends on the bytes alone, never on how they were split into chunks.
 */

export const nalType = {
  slice: 1,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  delimiter: 9,
  filler: 12,
} as const;

/** One coded picture. */
export interface AccessUnit {
  /** NAL units without start codes, delimiters and filler, in decoding order. */
  readonly nals: readonly Buffer[];
  /** A decoder can start here: the picture is an IDR picture. */
  readonly isKey: boolean;
}

/** More than any real picture; what passes it is not H.264. */
const nalBytesMax = 8 * 1024 * 1024;
const startCode = Buffer.from([0, 0, 1]);

export function typeOf(nal: Buffer): number {
  return (nal[0] ?? 0) & 0x1f;
}

export class AccessUnitCutter {
  #pending: Buffer = Buffer.alloc(0);
  /** Where the unfinished NAL unit starts in `#pending`; -1 before the first start code. */
  #nalStart = -1;
  #scanFrom = 0;
  #unit: Buffer[] = [];
  #hasPicture = false;

  /**
   * The access units that became complete. A unit is known to be complete only when the next one starts, so the newest
   * picture stays inside until then. Throws a RangeError when no start code comes for 8 MiB.
   */
  push(chunk: Buffer): AccessUnit[] {
    const complete: AccessUnit[] = [];
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const next = this.#pending.indexOf(startCode, this.#scanFrom);
      if (next === -1) break;
      if (this.#nalStart >= 0) this.#take(this.#pending.subarray(this.#nalStart, next), complete);
      this.#nalStart = next + 3;
      this.#scanFrom = next + 3;
    }
    this.#forget();
    if (this.#pending.length > nalBytesMax) {
      throw new RangeError(`no H.264 start code within ${nalBytesMax} bytes`);
    }
    return complete;
  }

  /** The end of the stream: the last picture is complete too. The cutter is empty afterwards. */
  flush(): AccessUnit[] {
    const complete: AccessUnit[] = [];
    if (this.#nalStart >= 0) this.#take(this.#pending.subarray(this.#nalStart), complete);
    this.#finish(complete);
    this.#pending = Buffer.alloc(0);
    this.#nalStart = -1;
    this.#scanFrom = 0;
    return complete;
  }

  /** Keeps only what a later chunk can still complete. */
  #forget(): void {
    // A start code may be split between two chunks, so two bytes are looked at again.
    const keepFrom = this.#nalStart >= 0 ? this.#nalStart : Math.max(0, this.#pending.length - 2);
    const scannedTo = Math.max(this.#scanFrom, this.#pending.length - 2);
    this.#pending = this.#pending.subarray(keepFrom);
    this.#scanFrom = Math.max(0, scannedTo - keepFrom);
    if (this.#nalStart >= 0) this.#nalStart = 0;
  }

  #take(bytes: Buffer, complete: AccessUnit[]): void {
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end -= 1; // trailing_zero_8bits belong to no NAL unit.
    if (end === 0) return;
    const nal = bytes.subarray(0, end);
    const type = typeOf(nal);
    const isPicture = type >= nalType.slice && type <= nalType.idr;
    // 7.4.1.2.3: what may not follow a picture within its unit starts the next one. With several slices for each picture
    // only the slice whose first_mb_in_slice is 0 does; ue(v) 0 is a single set bit.
    const startsUnit = isPicture
      ? (nal[1] ?? 0) >= 0x80
      : (type >= nalType.sei && type <= nalType.delimiter) || (type >= 14 && type <= 18);
    if (startsUnit && this.#hasPicture) this.#finish(complete);
    if (isPicture) this.#hasPicture = true;
    if (type !== nalType.delimiter && type !== nalType.filler) this.#unit.push(nal);
  }

  #finish(complete: AccessUnit[]): void {
    if (this.#hasPicture) {
      const nals = this.#unit;
      complete.push({ nals, isKey: nals.some((nal) => typeOf(nal) === nalType.idr) });
    }
    this.#unit = [];
    this.#hasPicture = false;
  }
}

/** All access units of a whole stream; they share the memory of `annexB`. */
export function cutAccessUnits(annexB: Buffer): AccessUnit[] {
  const cutter = new AccessUnitCutter();
  const units: AccessUnit[] = [];
  const stepBytes = 1024 * 1024;
  if (annexB.indexOf(startCode) === -1) return units;
  if (annexB.length <= nalBytesMax) return [...cutter.push(annexB), ...cutter.flush()];
  for (let from = 0; from < annexB.length; from += stepBytes) {
    for (const unit of cutter.push(annexB.subarray(from, from + stepBytes))) units.push(unit);
  }
  for (const unit of cutter.flush()) units.push(unit);
  return units;
}

/** Pictures are not in the order they are shown: some slice is a B slice (slice_type 1 or 6, 7.4.3). */
export function hasBidirectionalSlices(units: readonly AccessUnit[]): boolean {
  return units.some(({ nals }) =>
    nals.some((nal) => {
      if (typeOf(nal) !== nalType.slice) return false;
      const [, afterFirstMb] = readUe(nal, 8);
      const [sliceType] = readUe(nal, afterFirstMb);
      return sliceType % 5 === 1;
    }),
  );
}

/** An unsigned Exp-Golomb number (9.1) at a bit offset: its value and the offset behind it. */
function readUe(bytes: Buffer, fromBit: number): [value: number, nextBit: number] {
  const bit = (at: number): number => ((bytes[at >> 3] ?? 0xff) >> (7 - (at & 7))) & 1;
  let zeros = 0;
  while (zeros < 31 && bit(fromBit + zeros) === 0) zeros += 1;
  let value = 0;
  for (let i = 0; i <= zeros; i += 1) value = value * 2 + bit(fromBit + zeros + i);
  return [value - 1, fromBit + 2 * zeros + 1];
}
