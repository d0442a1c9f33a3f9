import { LookaheadError } from '../errors.js';
import type { Bundle } from '../models/bundle.js';
import { TrackForecaster } from '../models/track-forecaster.js';

/** Of one core, for measures that run hours in seconds. @throws LookaheadError bundle_invalid: the bundle has none */
export async function openTrackForecaster(bundle: Bundle): Promise<TrackForecaster> {
  const model = await TrackForecaster.open(bundle, { threads: 1 });
  if (model) return model;
  throw new LookaheadError(
    'bundle_invalid',
    `The bundle ${bundle.manifest.name} has no track forecaster.`,
    'Give --bundle with one that has.',
  );
}
