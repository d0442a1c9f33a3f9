/** The cameras of a running engine: those of the file, or the yard's, and those that were added while it runs. */
import { Subject, type Observable } from 'rxjs';
import type { CameraSource } from './camera-source.js';

export interface CameraChange {
  /** reopened: the same camera from another source, as other privacy masks make it. */
  readonly kind: 'added' | 'removed' | 'reopened';
  readonly source: CameraSource;
}

/** Whoever watches cameras follows it; it watches none itself. Changes are told in the same instant, each to all. */
export class CameraSet {
  readonly #sources: Map<string, CameraSource>;
  readonly #changes = new Subject<CameraChange>();
  readonly change$: Observable<CameraChange> = this.#changes.asObservable();

  constructor(sources: readonly CameraSource[]) {
    this.#sources = new Map(sources.map((source) => [source.name, source]));
  }

  get sources(): readonly CameraSource[] {
    return [...this.#sources.values()];
  }

  get names(): readonly string[] {
    return [...this.#sources.keys()];
  }

  get size(): number {
    return this.#sources.size;
  }

  has(name: string): boolean {
    return this.#sources.has(name);
  }

  of(name: string): CameraSource | undefined {
    return this.#sources.get(name);
  }

  /** In the place of one of the same name, which is opened anew. */
  put(source: CameraSource): void {
    const kind = this.has(source.name) ? 'reopened' : 'added';
    this.#sources.set(source.name, source);
    this.#changes.next({ kind, source });
  }

  remove(name: string): void {
    const source = this.#sources.get(name);
    if (!source) return;
    this.#sources.delete(name);
    this.#changes.next({ kind: 'removed', source });
  }
}
