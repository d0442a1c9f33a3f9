/** A camera takes up what earlier runs left; watching it does not wait for it. */
import { baselinesOf, publishMessage, type Engine, type Watch } from './cameras.js';
import { messageOf } from './errors.js';
import type { Outcome } from './messages.js';
import { isDoubtful } from './operators/doubtful-outcome.js';
import { defaultLimits } from './pipeline-config.js';
import { resumeOutcomes } from './resume.js';

/**
 * One reading for all that learns from it. Resolves when all is read or could not be, which is told on the console. Never
 * rejects.
 */
export function resumeCamera({ camera, epoch, signal }: Watch, engine: Engine): Promise<void> {
  const { bus, models, console, recalibrations, scores } = engine;
  const { labels, geometry } = models.bundle.manifest;
  const noteOutcome = ({ observed, target }: Outcome): void => {
    if (observed !== null && target !== 'within') baselinesOf(engine, camera).noteOutcome(observed);
  };
  return resumeOutcomes(bus, {
    ...{ cameras: [camera], labels, epoch, now: Date.now, signal },
    slackMs: 500 / geometry.framesPerSecond,
    isDoubtful: (seen) => isDoubtful(seen, defaultLimits.onsetDoubtMs),
    onOutcome: (outcome) => {
      recalibrations.remember(outcome);
      scores.remember(outcome);
      noteOutcome(outcome);
    },
    onEvent: ({ label, onset }) => {
      const baselines = baselinesOf(engine, camera);
      baselines.noteEvent(baselines.indexOf(label), Date.parse(onset));
    },
    publish: (outcome) => {
      noteOutcome(outcome);
      return publishMessage(engine, outcome); // Which recalibrations and scores hear.
    },
  }).then(
    (count) => {
      if (count > 0)
        console.log(
          'info',
          `${camera}: ${String(count)} forecasts of an earlier run have their outcome now`,
        );
    },
    (error: unknown) => {
      // Closing the engine ends it too.
      if (bus.status.state !== 'closed')
        console.log(
          'warn',
          `${camera}: what earlier runs stored was not read: ${messageOf(error)}`,
        );
    },
  );
}
