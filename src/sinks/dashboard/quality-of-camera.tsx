/** The quality of one camera in one period: figures with what they mean, diagrams, labels. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import type { PeriodScore, Score } from '../../messages.js';
import type { Length } from './history-filter.js';
import { lengthWords, outcomesMin } from './quality-words.js';
import { LeadPlot, ReliabilityPlot, SkillPlot } from './quality-plots.js';
import { readQuality, type Quality } from './read-quality.js';
import { to } from './route.js';
import { link, natsLink, nowMs, siteOf, type CameraView } from './store.js';
import { Table } from './table.js';
import {
  countText,
  counted,
  markText,
  noMark,
  secondsText,
  shareText,
  timeText,
  whyNot,
} from './page-words.js';

interface Props {
  readonly camera: CameraView;
  readonly period: Length;
}

export function QualityOfCamera({ camera, period }: Props): ComponentChild {
  const score = camera.score.value;
  const marks = score?.periods[period];
  return (
    <section aria-labelledby="quality-of" class="quality">
      <h2 id="quality-of">
        <a href={to('camera', camera.name)}>{camera.name}</a>, {lengthWords[period]}
      </h2>
      {score === undefined || marks === undefined ? (
        <p class="panel quiet">
          There is no score of this camera yet. One comes within a minute of its first outcome.
        </p>
      ) : (
        <>
          <Figures marks={marks} />
          <Change score={score} />
        </>
      )}
      <Diagrams camera={camera} period={period} total={marks?.outcomes} />
      {marks !== undefined && Object.keys(marks.labels).length > 0 && <Labels marks={marks} />}
    </section>
  );
}

interface Figure {
  readonly name: string;
  readonly value: string;
  readonly of: string;
  readonly means: string;
}

function Figures({ marks }: { readonly marks: PeriodScore }): ComponentChild {
  const { outcomes, undecidable, uncalibrated = 0 } = marks;
  const isFew = outcomes < outcomesMin;
  return (
    <>
      <dl class="quality-figures">
        {(isFew ? fewFigures(marks) : figuresOf(marks)).map(({ name, value, of, means }) => (
          <div key={name} class="panel">
            <dt>{name}</dt>
            <dd class="value">
              {value} <small>{of}</small>
            </dd>
            <dd class="quiet">{means}</dd>
          </div>
        ))}
      </dl>
      {isFew && (
        <p class="panel notice">
          {counted(outcomes, 'outcome')}: too few to say how good the forecasts are. From{' '}
          {outcomesMin} on, figures stand here
          {undecidable > 0 && `; ${counted(undecidable, 'more was', 'more were')} undecidable`}.
        </p>
      )}
      {uncalibrated > 0 && (
        <p class="quiet">
          {counted(uncalibrated, 'more outcome')} of forecasts that called themselves not calibrated
          are in no figure.
        </p>
      )}
    </>
  );
}

function fewFigures({ hits, outcomes, undecidable }: PeriodScore): Figure[] {
  return [
    {
      name: 'Hits',
      value: String(hits),
      of: `of ${counted(outcomes, 'outcome')}`,
      means: 'The likeliest answer came true.',
    },
    {
      name: 'Undecidable',
      value: String(undecidable),
      of: `beside ${counted(outcomes, 'outcome')}`,
      means: 'Nobody can tell what happened.',
    },
  ];
}

function figuresOf(marks: PeriodScore): Figure[] {
  const { outcomes, undecidable, tooLate } = marks;
  const all = `of ${counted(outcomes, 'outcome')}`;
  const from = `from ${counted(outcomes, 'outcome')}`;
  const events = Object.entries(marks.labels)
    .filter(([label]) => label !== 'nothing')
    .reduce((sum, [, { hits }]) => sum + hits, 0);
  return [
    {
      name: 'Hits',
      value: shareText(marks.hitRate),
      of: all,
      means: `How often the likeliest answer came true; ${shareText(marks.hitRateLeast)}, were every undecidable one a miss.`,
    },
    {
      name: 'Skill over base rate',
      value: markText(marks.skillOverBaseRate),
      of: from,
      means:
        '1 is perfect; 0 is no better than telling how often each thing comes here, without looking.',
    },
    {
      name: 'Skill over persistence',
      value: markText(marks.skillOverPersistence),
      of: from,
      means: '1 is perfect; 0 is no better than half expecting the last event again.',
    },
    {
      name: 'Brier score',
      value: markText(marks.brier),
      of: from,
      means: 'Squared distance of the chances from what happened: 0 is perfect, 2 the worst.',
    },
    {
      name: 'Calibration error',
      value: markText(marks.calibrationError, 3),
      of: from,
      means: 'Mean gap between a chance and how often what was given it came true.',
    },
    {
      name: 'Median lead time',
      value: marks.leadMs === null ? noMark : secondsText(marks.leadMs),
      of: `from ${counted(events, 'event')}`,
      means: 'Half of the events that were the likeliest answer were told so long ahead or longer.',
    },
    {
      name: 'Too late',
      value: countText(tooLate),
      of: all,
      means: 'The event had begun when the forecast was out.',
    },
    {
      name: 'Undecidable',
      value: countText(undecidable),
      of: `beside ${counted(outcomes, 'outcome')}`,
      means: 'Nobody can tell what happened; they are in none of these figures.',
    },
  ];
}

/** What has changed of late: drift, and what was learned. */
function Change({ score }: { readonly score: Score }): ComponentChild {
  const { drift, recalibration, at } = score;
  return (
    <ul class="changes quiet">
      <li class={drift === null ? '' : 'failure'}>
        {drift === null
          ? 'No drift: skill is what it was.'
          : `Drift since ${timeText(drift.since, nowMs.peek())}: skill over the base rate is ${markText(drift.recent)}, and was ${markText(drift.usual)} before, more than chance explains.`}
      </li>
      <li>
        {recalibration === null
          ? 'Chances are the bundle’s own: nothing was learned on this camera that chance would not explain.'
          : `Recalibrated on this camera, version ${recalibration.version}: temperature ${markText(recalibration.temperature)}, bias of nothing ${markText(recalibration.nothingBias)}.`}
      </li>
      <li>Worked out at {timeText(at, nowMs.peek())}.</li>
    </ul>
  );
}

type Phase =
  | { readonly at: 'reading' }
  | { readonly at: 'failed'; readonly why: string }
  | { readonly at: 'read'; readonly quality: Quality };

interface DiagramsProps extends Props {
  /** Outcomes of the period, where the score tells them. */
  readonly total: number | undefined;
}

function Diagrams({ camera, period, total }: DiagramsProps): ComponentChild {
  const phase = useSignal<Phase>({ at: 'reading' });
  const again = useSignal(0);
  const isOpen = link.value.state === 'open';
  useEffect(() => {
    const nats = natsLink();
    if (!isOpen || nats === undefined) return undefined;
    const leaving = new AbortController();
    const { signal } = leaving;
    phase.value = { at: 'reading' };
    readQuality(nats, siteOf(), camera.name, period, nowMs.peek(), { signal }).then(
      (quality) => (phase.value = { at: 'read', quality }),
      (error: unknown) => {
        if (signal.aborted) return;
        phase.value = { at: 'failed', why: whyNot(error) };
      },
    );
    return () => leaving.abort();
  }, [isOpen, again.value]);

  const now = phase.value;
  const refresh = (
    <button type="button" onClick={() => (again.value += 1)}>
      Read again
    </button>
  );
  if (!isOpen && now.at !== 'read') {
    return (
      <p class="panel quiet">There is no way to NATS now; diagrams come as soon as there is.</p>
    );
  }
  switch (now.at) {
    case 'reading':
      return (
        <p class="panel quiet" role="status">
          Reading outcomes …
        </p>
      );
    case 'failed':
      return (
        <p class="panel failure" role="alert">
          The outcomes could not be read: {now.why} {refresh}
        </p>
      );
    case 'read':
      return <Drawn quality={now.quality} total={total} refresh={refresh} />;
  }
}

interface DrawnProps {
  readonly quality: Quality;
  readonly total: number | undefined;
  readonly refresh: ComponentChild;
}

function Drawn({ quality, total, refresh }: DrawnProps): ComponentChild {
  const { decided, isSample, points, bins, leads } = quality;
  const of =
    isSample && total !== undefined && total > decided
      ? `${counted(decided, 'outcome')} spread evenly over ${countText(total)}`
      : counted(decided, 'outcome');
  const isEnough = decided >= outcomesMin;
  return (
    <>
      {isEnough ? (
        <div class="plots">
          <ReliabilityPlot bins={bins} of={of} />
          {points.length > 1 ? (
            <SkillPlot points={points} nowMs={nowMs.peek()} />
          ) : (
            <p class="panel quiet">
              {counted(points.length, 'score')} in this time: too few to draw skill over time.
            </p>
          )}
          {leads.length > 0 ? (
            <LeadPlot rows={leads} />
          ) : (
            <p class="panel quiet">
              No event of {of} was called the likeliest before it came: there are no lead times.
            </p>
          )}
        </div>
      ) : (
        <p class="panel notice">
          {counted(decided, 'stored outcome')}: too few to draw anything that luck would not draw as
          well.
        </p>
      )}
      <p class="foot">{refresh}</p>
    </>
  );
}

/** Most frequent first, «nothing» last: it is no event. */
function Labels({ marks }: { readonly marks: PeriodScore }): ComponentChild {
  const labels = Object.entries(marks.labels).sort(([a, x], [b, y]) => {
    if ((a === 'nothing') !== (b === 'nothing')) return a === 'nothing' ? 1 : -1;
    return y.observed - x.observed || (a < b ? -1 : 1);
  });
  return (
    <>
      <Table
        caption={`By label, from ${counted(marks.outcomes, 'outcome')}`}
        columns={[
          { title: 'Label' },
          { title: 'Came first', isNumber: true },
          { title: 'Expected', isNumber: true },
          { title: 'Likeliest answer', isNumber: true },
          { title: 'Hits', isNumber: true },
        ]}
        rows={labels.map(([label, { observed, expected, predicted, hits }]) => ({
          key: label,
          cells: [
            label,
            countText(observed),
            expected.toFixed(1),
            countText(predicted),
            countText(hits),
          ],
        }))}
      />
      <p class="quiet">
        Expected is the sum of the chances it was given: where it is far from how often it came, it
        is called too likely or not likely enough.
      </p>
    </>
  );
}
