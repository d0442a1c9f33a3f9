/** The engine's cameras take up what earlier runs left; watching them does not wait for it. */
import { baselinesOf, publishMessage, type Engine } from './cameras.js';
import { messageOf } from './errors.js';
import { isDoubtful } from './operators/doubtful-outcome.js';
import { defaultLimits } from './pipeline-config.js';
import { resumeOutcomes } from './resume.js';

/** Resolves when all is read or could not be, which is told on the console. Never rejects. */
export function resumeCameras(cameras: readonly string[], engine: Engine): Promise<void> {
  const { bus, models, epoch, console, recalibrations } = engine;
  const { labels, geometry } = models.bundle.manifest;
  return resumeOutcomes(bus, {
    ...{ cameras, labels, epoch, now: Date.now },
    slackMs: 500 / geometry.framesPerSecond,
    isDoubtful: (seen) => isDoubtful(seen, defaultLimits.onsetDoubtMs),
    onOutcome: (outcome) => {
      const { camera, observed, target } = outcome;
      recalibrations.remember(outcome);
      if (observed !== null && target !== 'within')
        baselinesOf(engine, camera).noteOutcome(observed);
    },
    onEvent: ({ camera, label, onset }) => {
      const baselines = baselinesOf(engine, camera);
      baselines.noteEvent(baselines.indexOf(label), Date.parse(onset));
    },
    publish: (outcome) => publishMessage(engine, outcome),
  }).then(
    (count) => {
      if (count > 0)
        console.log('info', `${String(count)} forecasts of an earlier run have their outcome now`);
    },
    (error: unknown) => {
      // Closing the engine ends it too.
      if (bus.status.state !== 'closed')
        console.log('warn', `What earlier runs stored was not read: ${messageOf(error)}`);
    },
  );
}
