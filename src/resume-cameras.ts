/** The engine's cameras take up what earlier runs left; watching them does not wait for it. */
import { baselinesOf, publishMessage, type Engine } from './cameras.js';
import { messageOf } from './errors.js';
import type { Outcome } from './messages.js';
import { isDoubtful } from './operators/doubtful-outcome.js';
import { defaultLimits } from './pipeline-config.js';
import { resumeOutcomes } from './resume.js';

/**
 * Resolves when all is read or could not be, which is told on the console. Never rejects.
 *
 * @param signal fires when this run is over: nothing more is taken up
 */
export function resumeCameras(
  cameras: readonly string[],
  engine: Engine,
  signal: AbortSignal,
): Promise<void> {
  const { bus, models, epoch, console, recalibrations } = engine;
  const { labels, geometry } = models.bundle.manifest;
  const noteOutcome = ({ camera, observed, target }: Outcome): void => {
    if (observed !== null && target !== 'within') baselinesOf(engine, camera).noteOutcome(observed);
  };
  return resumeOutcomes(bus, {
    ...{ cameras, labels, epoch, now: Date.now, signal },
    slackMs: 500 / geometry.framesPerSecond,
    isDoubtful: (seen) => isDoubtful(seen, defaultLimits.onsetDoubtMs),
    onOutcome: (outcome) => {
      recalibrations.remember(outcome);
      noteOutcome(outcome);
    },
    onEvent: ({ camera, label, onset }) => {
      const baselines = baselinesOf(engine, camera);
      baselines.noteEvent(baselines.indexOf(label), Date.parse(onset));
    },
    publish: (outcome) => {
      noteOutcome(outcome);
      return publishMessage(engine, outcome); // Which the recalibrations hear.
    },
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
