/** Cuts a stream of bytes, in whatever pieces it arrives, into frames of one size. */
export class FrameCutter {
  readonly #frameBytes: number;
  readonly #emit: (pixels: Uint8Array) => void;
  #frame: Uint8Array | null = null;
  #filled = 0;

  /** @param frameBytes size of a frame; @param emit gets each whole frame, in a buffer of its own that is never reused. */
  constructor(frameBytes: number, emit: (pixels: Uint8Array) => void) {
    if (!Number.isInteger(frameBytes) || frameBytes < 1) {
      throw new RangeError(`a frame of ${frameBytes} bytes`);
    }
    this.#frameBytes = frameBytes;
    this.#emit = emit;
  }

  /** Each byte is copied once, from the piece into its frame. */
  push(piece: Uint8Array): void {
    let offset = 0;
    while (offset < piece.length) {
      // Not from Node's pool: a frame must own its memory, since it may be handed to another thread or process.
      const frame = (this.#frame ??= Buffer.allocUnsafeSlow(this.#frameBytes));
      const count = Math.min(this.#frameBytes - this.#filled, piece.length - offset);
      frame.set(piece.subarray(offset, offset + count), this.#filled);
      this.#filled += count;
      offset += count;
      if (this.#filled === this.#frameBytes) {
        this.#frame = null;
        this.#filled = 0;
        this.#emit(frame);
      }
    }
  }

  /** At the end of the stream: gives up a frame that was begun and says how many bytes of it there were. */
  end(): number {
    const partialBytes = this.#filled;
    this.#frame = null;
    this.#filled = 0;
    return partialBytes;
  }
}
