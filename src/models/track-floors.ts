interface Given {
  readonly epoch: number;
  readonly clip: number;
  /** Track ids below this were given. */
  readonly next: number;
}

/** Cameras that are remembered; of more, the one not seen for longest is forgotten. */
const camerasMax = 4096;

/**
 * Track ids are unique within a camera's epoch, also when the perceiver that counts them is replaced: the engine
 * remembers which were given.
 */
export class TrackFloors {
  readonly #given = new Map<string, Given>();

  /** The lowest id that is still free; 1 where an epoch begins, also where it begins again, as in a replay. */
  of(camera: string, epoch: number, clip: number): number {
    const given = this.#given.get(camera);
    return given?.epoch === epoch && given.clip < clip ? given.next : 1;
  }

  /** Notes the tracks that a clip's scene shows. */
  note(camera: string, epoch: number, clip: number, tracks: readonly number[]): void {
    const next = Math.max(this.of(camera, epoch, clip), ...tracks.map((track) => track + 1));
    this.#given.delete(camera);
    this.#given.set(camera, { epoch, clip, next });
    for (const oldest of this.#given.keys()) {
      if (this.#given.size <= camerasMax) return;
      this.#given.delete(oldest);
    }
  }
}
