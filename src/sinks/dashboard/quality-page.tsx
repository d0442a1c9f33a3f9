/** How good the forecasts have been: every camera in a line, and one of them whole. */
import type { ComponentChild } from 'preact';
import type { PeriodScore, Score } from '../../messages.js';
import { isLength, lengthsMs, type Length } from './history-filter.js';
import { QualityOfCamera } from './quality-of-camera.js';
import { lengthWords, outcomesMin } from './quality-words.js';
import { route, to } from './route.js';
import { cameras, type CameraView } from './store.js';
import { Table, type Row } from './table.js';
import { countText, markText, secondsText, shareText } from './page-words.js';

export function QualityPage(): ComponentChild {
  const { query } = route.value;
  const asked = query.get('period') ?? '';
  const period: Length = isLength(asked) ? asked : 'hour';
  const known = cameras.value;
  const camera = known?.find(({ name }) => name === query.get('camera')) ?? known?.[0];
  const address = (name: string | undefined, length: Length): string =>
    `${to('quality')}?${new URLSearchParams({ ...(name ? { camera: name } : {}), period: length }).toString()}`;

  return (
    <>
      <h1>Quality</h1>
      <nav class="choices" aria-label="Period">
        {(Object.keys(lengthsMs) as Length[]).map((length) => (
          <a
            key={length}
            href={address(camera?.name, length)}
            aria-current={length === period ? 'true' : undefined}
          >
            {lengthWords[length]}
          </a>
        ))}
      </nav>
      {known === undefined ? (
        <p class="empty">Looking for cameras …</p>
      ) : camera === undefined ? (
        <p class="empty">
          No camera is being watched. <a href={to('manage')}>Add one</a>
        </p>
      ) : (
        <>
          {known.length > 1 && (
            <Table
              caption={`Every camera, ${lengthWords[period]}`}
              class="wide"
              columns={columns}
              rows={known.map((each) => ({
                ...rowOf(each, period, address(each.name, period)),
                kind: each === camera ? 'current' : '',
              }))}
            />
          )}
          <QualityOfCamera key={`${camera.name} ${period}`} camera={camera} period={period} />
        </>
      )}
    </>
  );
}

const columns = [
  { title: 'Camera' },
  { title: 'Outcomes', isNumber: true },
  { title: 'Undecidable', isNumber: true },
  { title: 'Hits', isNumber: true },
  { title: 'At least', isNumber: true },
  { title: 'Skill over base rate', isNumber: true },
  { title: 'Skill over persistence', isNumber: true },
  { title: 'Brier score', isNumber: true },
  { title: 'Calibration error', isNumber: true },
  { title: 'Median lead', isNumber: true },
  { title: 'Drift' },
] as const;

function rowOf(camera: CameraView, period: Length, address: string): Row {
  const { name, score } = camera;
  const link = <a href={address}>{name}</a>;
  const now = score.value;
  if (now === undefined) {
    const none = columns.slice(2).map(() => '');
    return { key: name, cells: [link, 'no score yet', ...none] };
  }
  const marks = now.periods[period];
  return {
    key: name,
    cells: [
      link,
      countText(marks.outcomes),
      countText(marks.undecidable),
      ...markCells(marks),
      driftText(now),
    ],
  };
}

function markCells(marks: PeriodScore): readonly string[] {
  if (marks.outcomes < outcomesMin) {
    const { hits, outcomes } = marks;
    return [`${hits} of ${outcomes}`, 'too few', ...Array.from({ length: 5 }, () => '')];
  }
  return [
    shareText(marks.hitRate),
    shareText(marks.hitRateLeast),
    markText(marks.skillOverBaseRate),
    markText(marks.skillOverPersistence),
    markText(marks.brier),
    markText(marks.calibrationError, 3),
    marks.leadMs === null ? '–' : secondsText(marks.leadMs),
  ];
}

function driftText({ drift }: Score): string {
  return drift === null ? 'none' : `since ${new Date(drift.since).toLocaleString('en-GB')}`;
}
