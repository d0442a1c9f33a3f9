/** The three diagrams of quality. */
import type { ComponentChild } from 'preact';
import type { LeadRow } from '../../outcomes/report-sums.js';
import { Line, Plot, plotLeft, plotRight, Words } from './plot.js';
import type { SkillPoint } from './read-quality.js';
import type { ReliabilityBin } from './reliability.js';
import { countText, counted, markText, secondsText, timeText } from './page-words.js';

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

/** Of what was called so likely, how much came. Points on the diagonal are right. */
export function ReliabilityPlot({
  bins,
  of,
}: {
  readonly bins: readonly ReliabilityBin[];
  /** How many outcomes that is. */
  readonly of: string;
}): ComponentChild {
  const [top, bottom] = [8, 268];
  const x = (share: number): number => plotLeft + share * (plotRight - plotLeft);
  const y = (share: number): number => bottom - share * (bottom - top);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const wordsOf = ({ said, came, low, high, pairs }: ReliabilityBin): string =>
    `Said ${percent(said)}, came ${percent(came)} (${percent(low)} to ${percent(high)}) of ${counted(pairs, 'chance')}.`;
  return (
    <Plot
      title="Are the chances true?"
      means={`Points on the dashed line are: of what was called 30 % likely, 30 % came. Lines up and down are what luck allows. From ${of}.`}
      height={bottom + 36}
      says={`Reliability: ${bins.map(wordsOf).join(' ')}`}
      points={bins.map((bin) => ({ x: x(bin.said), y: y(bin.came), says: wordsOf(bin) }))}
      columns={[
        { title: 'Said' },
        { title: 'Came', isNumber: true },
        { title: 'By luck from – to', isNumber: true },
        { title: 'Chances', isNumber: true },
      ]}
      rows={bins.map((bin, index) => ({
        key: String(index),
        cells: [
          percent(bin.said),
          percent(bin.came),
          `${percent(bin.low)} – ${percent(bin.high)}`,
          countText(bin.pairs),
        ],
      }))}
    >
      {ticks.map((tick) => (
        <g key={tick}>
          <Line kind="grid" from={[plotLeft, y(tick)]} to={[plotRight, y(tick)]} />
          <Words at={[plotLeft - 5, y(tick) + 4]} anchor="end">
            {tick * 100}
          </Words>
          <Words at={[x(tick), bottom + 15]}>{tick * 100}</Words>
        </g>
      ))}
      <Line kind="ideal" from={[x(0), y(0)]} to={[x(1), y(1)]} />
      {bins.map((bin, index) => (
        <g key={index}>
          <Line kind="whisker" from={[x(bin.said), y(bin.low)]} to={[x(bin.said), y(bin.high)]} />
          <circle class="model" cx={x(bin.said)} cy={y(bin.came)} r={4} />
        </g>
      ))}
      <Words at={[(plotLeft + plotRight) / 2, bottom + 31]}>chance that was said, %</Words>
      <text transform={`translate(11 ${(top + bottom) / 2}) rotate(-90)`} text-anchor="middle">
        came true, %
      </text>
    </Plot>
  );
}

/** Where there is no skill to tell, the lines break. */
export function SkillPlot({
  points,
  nowMs,
}: {
  readonly points: readonly SkillPoint[];
  readonly nowMs: number;
}): ComponentChild {
  const [top, bottom] = [10, 232];
  const skills = points.flatMap(({ overBaseRate, overPersistence }) =>
    [overBaseRate, overPersistence].filter((skill) => skill !== null),
  );
  // One bad hour must not press all others together.
  const least = Math.max(-1, Math.min(0, ...skills.map((skill) => Math.floor(skill * 4) / 4)));
  const times = points.map(({ at }) => Date.parse(at));
  const [first, last] = [times[0] ?? 0, times.at(-1) ?? 0];
  const x = (index: number): number =>
    plotLeft +
    6 +
    ((times[index]! - first) / Math.max(1, last - first)) * (plotRight - plotLeft - 12);
  const y = (skill: number): number =>
    bottom - ((Math.max(least, skill) - least) * (bottom - top)) / (1 - least);
  const step = least < -0.5 ? 0.5 : 0.25;
  const ticks = Array.from(
    { length: Math.round((1 - least) / step) + 1 },
    (_, index) => least + index * step,
  );
  const runs = (of: (point: SkillPoint) => number | null): string[] => {
    const lines: string[][] = [[]];
    points.forEach((point, index) => {
      const skill = of(point);
      if (skill === null) lines.push([]);
      else lines.at(-1)!.push(`${x(index)},${y(skill)}`);
    });
    return lines.filter((line) => line.length > 0).map((line) => line.join(' '));
  };
  const wordsOf = (point: SkillPoint): string =>
    `${timeText(point.at, nowMs)}: ${markText(point.overBaseRate)} over base rate, ${markText(point.overPersistence)} over persistence, in the hour before, from ${counted(point.outcomes, 'outcome')}.`;
  return (
    <Plot
      title="Is it worth its cost?"
      means={
        <>
          Skill over two forecasters who see nothing: 1 is perfect, 0 is no better.{' '}
          <span class="key base-rate">over base rate</span>{' '}
          <span class="key persistence">over persistence</span>
        </>
      }
      height={bottom + 24}
      says={`Skill over time, ${counted(points.length, 'point')}, from ${markText(Math.min(...skills))} to ${markText(Math.max(...skills))}.`}
      points={points.map((point, index) => ({
        x: x(index),
        y: y(point.overBaseRate ?? 0),
        says: wordsOf(point),
      }))}
      columns={[
        { title: 'At' },
        { title: 'Over base rate', isNumber: true },
        { title: 'Over persistence', isNumber: true },
        { title: 'Outcomes', isNumber: true },
      ]}
      rows={points.map((point) => ({
        key: point.at,
        cells: [
          timeText(point.at, nowMs),
          markText(point.overBaseRate),
          markText(point.overPersistence),
          countText(point.outcomes),
        ],
      }))}
    >
      {ticks.map((tick) => (
        <g key={tick}>
          <Line
            kind={tick === 0 ? 'axis' : 'grid'}
            from={[plotLeft, y(tick)]}
            to={[plotRight, y(tick)]}
          />
          <Words at={[plotLeft - 5, y(tick) + 4]} anchor="end">
            {markText(tick)}
          </Words>
        </g>
      ))}
      {points.length > 0 && (
        <>
          <Words at={[plotLeft, bottom + 16]} anchor="start">
            {timeText(points[0]!.at, nowMs)}
          </Words>
          {points.length > 1 && (
            <Words at={[plotRight, bottom + 16]} anchor="end">
              {timeText(points.at(-1)!.at, nowMs)}
            </Words>
          )}
        </>
      )}
      {runs(({ overPersistence }) => overPersistence).map((line) => (
        <polyline key={line} class="persistence" points={line} />
      ))}
      {runs(({ overBaseRate }) => overBaseRate).map((line) => (
        <polyline key={line} class="base-rate" points={line} />
      ))}
    </Plot>
  );
}

/** How long before an event it was called the likeliest. */
export function LeadPlot({
  rows,
}: {
  /** One at least. */
  readonly rows: readonly LeadRow[];
}): ComponentChild {
  const [top, bottom] = [16, 226];
  const hits = rows.reduce((sum, row) => sum + row.hits, 0);
  const most = Math.max(1, ...rows.map((row) => row.hits));
  const wide = (plotRight - plotLeft) / Math.max(1, rows.length);
  const every = Math.max(1, Math.ceil(rows.length / 6));
  const nameOf = ({ fromMs, toMs }: LeadRow): string =>
    toMs <= 0
      ? `${secondsText(-toMs)} to ${secondsText(-fromMs)} late`
      : `${secondsText(fromMs)} to ${secondsText(toMs)} ahead`;
  return (
    <Plot
      title="Does it come in time?"
      means={`How long before an event it was called the likeliest: ${counted(hits, 'event')}. Bars left of 0 came too late.`}
      height={bottom + 38}
      says={`Lead times of ${counted(hits, 'hit')}: ${rows.map((row) => `${nameOf(row)}: ${row.hits}`).join('; ')}.`}
      points={rows.map((row, index) => ({
        x: plotLeft + (index + 0.5) * wide,
        y: bottom - (row.hits * (bottom - top)) / most,
        says: `${nameOf(row)}: ${counted(row.hits, 'hit')} of ${countText(hits)}.`,
      }))}
      columns={[{ title: 'Lead time' }, { title: 'Hits', isNumber: true }]}
      rows={rows.map((row) => ({
        key: String(row.fromMs),
        cells: [nameOf(row), countText(row.hits)],
      }))}
    >
      <Line kind="grid" from={[plotLeft, top]} to={[plotRight, top]} />
      <Line
        kind="grid"
        from={[plotLeft, (top + bottom) / 2]}
        to={[plotRight, (top + bottom) / 2]}
      />
      <Words at={[plotLeft - 5, top + 4]} anchor="end">
        {countText(most)}
      </Words>
      <Words at={[plotLeft - 5, bottom + 4]} anchor="end">
        0
      </Words>
      {rows.map((row, index) => {
        const high = (row.hits * (bottom - top)) / most;
        const left = plotLeft + index * wide;
        return (
          <g key={row.fromMs}>
            <rect
              class={row.toMs <= 0 ? 'late' : 'model'}
              x={left + 1}
              y={bottom - high}
              width={Math.max(1, wide - 2)}
              height={high}
            />
            {index % every === 0 && (
              <Words at={[left, bottom + 16]}>{secondsText(row.fromMs)}</Words>
            )}
          </g>
        );
      })}
      <Line kind="axis" from={[plotLeft, bottom]} to={[plotRight, bottom]} />
      <Words at={[(plotLeft + plotRight) / 2, bottom + 32]}>from forecast to event</Words>
    </Plot>
  );
}
