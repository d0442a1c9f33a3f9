import type { Bundle } from './bundle.js';
import { softmax } from './confidence.js';
import { openSession, type Session, type SessionOptions } from './session.js';
import { floats } from './tensor.js';
import {
  historyShapeOf,
  trackHistory,
  type HistoryScene,
  type HistoryShape,
} from './track-history.js';

/** Chances of what comes next from a window's tracks alone: no pixel, no language. */
export class TrackForecaster {
  readonly #session: Session;
  readonly #shape: HistoryShape;

  constructor(session: Session, shape: HistoryShape) {
    this.#session = session;
    this.#shape = shape;
  }

  /**
   * Null where the bundle has no such graph.
   *
   * @throws LookaheadError `bundle_invalid` where the graph does not load or fit the manifest.
   */
  static async open(
    { manifest, path }: Pick<Bundle, 'manifest' | 'path'>,
    options: SessionOptions,
  ): Promise<TrackForecaster | null> {
    const graph = manifest.files.trackForecaster;
    if (!graph) return null;
    const session = await openSession(path('trackForecaster'), graph, options);
    return new TrackForecaster(session, historyShapeOf(manifest));
  }

  /**
   * @param window scenes of one camera, oldest first
   * @returns one for each of the manifest's labels; they sum to 1
   * @throws LookaheadError `model_failed`
   */
  async chances(window: readonly HistoryScene[]): Promise<number[]> {
    const outputs = await this.#session.run(trackHistory(window, this.#shape));
    return softmax(floats(outputs, 'log_chances'));
  }

  async dispose(): Promise<void> {
    await this.#session.dispose();
  }
}
