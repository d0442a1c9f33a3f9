/** What a running engine makes of its outcomes: scores of each camera, and chances that are mended by them. */
import { Recalibrations, type Recalibrating } from './recalibrate.js';
import { scoreCameras, type Scores, type Scoring } from './scores-of-cameras.js';

type Following = Scoring & Pick<Recalibrating, 'bus'>;

/** Must be called before the first camera is watched. Ends with the closers. */
export function followOutcomes(engine: Following): {
  readonly recalibrations: Recalibrations;
  readonly scores: Scores;
} {
  const { bus, messages, metrics, console, closers, models, config, cameras } = engine;
  const recalibrations = new Recalibrations({
    ...{ bus, messages, metrics, console, closers, now: Date.now },
    bundleSha256: () => models.bundle.sha256,
    enabled: config.recalibration.enabled,
    isWatched: (camera) => cameras.has(camera),
  });
  return { recalibrations, scores: scoreCameras({ ...engine, recalibrations }) };
}
