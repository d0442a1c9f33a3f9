/** A report as one HTML file that needs nothing else: no scripts, no fonts, no addresses. */
import {
  clockText,
  escaped,
  leadPlot,
  percentText,
  reliabilityPlot,
  skillPlot,
} from './report-charts.js';
import type { CameraReport, Report } from './report-sums.js';
import {
  countText,
  labelsOf,
  leadText,
  markText,
  secondsText,
  shareText,
  sideText,
  targetText,
  timeText,
} from './report-tables.js';

const style = `
:root { color-scheme: light dark; --ink: #1d1d1b; --dim: #5c5c58; --grid: #e2e2dd; --page: #fbfbf8; --card: #fff;
  --base-rate: #2a78d6; --persistence: #c2541f; --model: #2a78d6; --late: #c2541f; --count: #b9cfe8; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececea; --dim: #a9a9a4; --grid: #3a3a38; --page: #161615;
  --card: #1f1f1e; --base-rate: #5a9bea; --persistence: #e8834f; --model: #5a9bea; --late: #e8834f; --count: #35506f; } }
* { box-sizing: border-box; }
body { background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; } h3 { font-size: 1rem; margin: 0 0 0.25rem; }
p { margin: 0.25rem 0; } .dim, figcaption { color: var(--dim); font-size: 0.9rem; }
dl { display: grid; gap: 0.5rem; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); margin: 0.75rem 0; }
dl div, figure, .card { background: var(--card); border: 1px solid var(--grid); border-radius: 0.5rem; padding: 0.6rem; }
dt { color: var(--dim); font-size: 0.85rem; } dd { font-size: 1.3rem; margin: 0; }
.plots { display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
figure { margin: 0; min-width: 0; } svg { display: block; height: auto; max-width: 34rem; width: 100%; }
.card { margin-top: 0.75rem; overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: 0.2rem 0.4rem; text-align: right; white-space: nowrap; } thead th { border-bottom: 1px solid var(--grid); color: var(--dim); font-weight: normal; }
th:first-child { font-weight: normal; text-align: left; white-space: normal; } caption { font-weight: bold; text-align: left; }
summary { cursor: pointer; font-size: 0.9rem; } :focus-visible { outline: 2px solid var(--base-rate); outline-offset: 2px; }
text { fill: var(--dim); font-size: 11px; } .grid { stroke: var(--grid); } .axis { stroke: var(--dim); }
.ideal { stroke: var(--dim); stroke-dasharray: 4 4; } .whisker { stroke: var(--model); stroke-opacity: 0.6; stroke-width: 2; }
.model { fill: var(--model); } .late { fill: var(--late); } .count { fill: var(--count); }
polyline { fill: none; stroke-width: 2; } polyline.base-rate { stroke: var(--base-rate); } polyline.persistence { stroke: var(--persistence); stroke-dasharray: 6 3; }
.dot.base-rate { fill: var(--base-rate); } .dot.persistence { fill: var(--persistence); }
.key::before { background: currentColor; content: ""; display: inline-block; height: 3px; margin-right: 0.3rem; vertical-align: middle; width: 1.2rem; }
.key.base-rate { color: var(--base-rate); } .key.persistence { color: var(--persistence); } .key { margin-right: 0.75rem; }
@media print { figure, .card { break-inside: avoid; } }
`;

/** `empty`: what to say and to do where there is no outcome. */
export function reportPage(report: Report, empty: readonly string[]): string {
  const { site, from, to, cameras, sliceMs } = report;
  const title = `Forecasts and what came of them: ${site}`;
  const sections = cameras.map((camera) => cameraSection(camera, sliceMs));
  const body =
    sections.length === 0
      ? empty.map((text) => `<p>${escaped(text)}</p>`).join('\n')
      : sections.join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p class="dim">${timeText(from)} to ${timeText(to)} UTC</p>
</header>
<main>
${body}
</main>
</body>
</html>
`;
}

function cameraSection(report: CameraReport, sliceMs: number): string {
  const { camera, target, score, leads, reliability, overTime } = report;
  const id = `${camera}-${target}`;
  return `<section aria-labelledby="${id}">
<h2 id="${id}">${escaped(camera)}: ${targetText[target]}</h2>
${figures(report)}
<div class="plots">
<figure>
<figcaption><h3>Are the chances true?</h3>Points on the dashed line are: of what was called 30 % likely, 30 % came.</figcaption>
${reliabilityPlot(reliability)}
${numbers(
  ['said', 'came', 'chances'],
  reliability.map(({ said, came, pairs }) => [
    percentText(said),
    percentText(came),
    countText(pairs),
  ]),
)}
</figure>
<figure>
<figcaption><h3>Is it worth its cost?</h3>Skill over two forecasters who see nothing: 1 is perfect, 0 no better.<br>
<span class="key base-rate">over base rate</span><span class="key persistence">over persistence</span></figcaption>
${skillPlot(overTime, sliceMs)}
${numbers(
  ['from, UTC', 'over base rate', 'over persistence', 'outcomes'],
  overTime.map(({ from, skillOverBaseRate, skillOverPersistence, outcomes }) => [
    clockText(from, sliceMs),
    markText(skillOverBaseRate),
    markText(skillOverPersistence),
    countText(outcomes),
  ]),
)}
</figure>
<figure>
<figcaption><h3>Does it come in time?</h3>${
    score.leadMs === null
      ? 'No event was called most likely before it came.'
      : `Half of the events that were called most likely were so ${secondsText(score.leadMs)} s ahead or more.`
  }</figcaption>
${leadPlot(leads)}
${numbers(
  ['ahead', 'hits'],
  leads.map((row) => [leadText(row), countText(row.hits)]),
)}
</figure>
</div>
${sideTable(report)}
${labelTable(report)}
</section>`;
}

function figures({ score, undecidableBy }: CameraReport): string {
  const { uncalibrated = 0 } = score;
  const facts: [string, string][] = [
    ['hits', shareText(score.hitRate)],
    ['skill over base rate', markText(score.skillOverBaseRate)],
    ['skill over persistence', markText(score.skillOverPersistence)],
    ['Brier score', markText(score.brier)],
    ['calibration error', markText(score.calibrationError, 3)],
    ['outcomes', countText(score.outcomes)],
    ['undecidable', countText(score.undecidable)],
    ['told too late', countText(score.tooLate)],
    ...(uncalibrated > 0 ? [['not calibrated', countText(uncalibrated)] as [string, string]] : []),
  ];
  const reasons = Object.entries(undecidableBy).map(([reason, n]) => `${reason} ${countText(n)}`);
  const why = reasons.length === 0 ? '' : ` Undecidable because of: ${reasons.join(', ')}.`;
  return `<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>
<p class="dim">Were every undecidable one counted against us: hits ${shareText(score.hitRateLeast)}, skill over base rate ${markText(score.skillOverBaseRateLeast)}.${escaped(why)}</p>`;
}

function sideTable({ sideBySide }: CameraReport): string {
  if (sideBySide === null)
    return '<p class="dim">No outcome says what the baselines would have scored.</p>';
  const rows = (['forecast', 'baseRate', 'persistence'] as const).map((name) => {
    const { hitRate, brier, logScore } = sideBySide[name];
    return [sideText[name], shareText(hitRate), markText(brier), markText(logScore)];
  });
  return card('Side by side', ['', 'hits', 'Brier', 'log score'], rows);
}

function labelTable({ score }: CameraReport): string {
  const rows = labelsOf(score.labels).map(
    ([label, { observed, expected, predicted, hits, brier }]) => [
      label,
      countText(observed),
      expected.toFixed(1),
      countText(predicted),
      countText(hits),
      markText(brier, 3),
    ],
  );
  return card('By label', ['label', 'came', 'expected', 'most likely', 'hits', 'Brier'], rows);
}

type Rows = readonly (readonly string[])[];

/** Wide tables scroll within their card, with the keyboard too. */
function card(caption: string, heading: readonly string[], rows: Rows): string {
  return `<div class="card" role="region" aria-label="${escaped(caption)}" tabindex="0">${table(heading, rows, caption)}</div>`;
}

/** What a plot shows, for whoever cannot see it or wants to copy it. */
function numbers(heading: readonly string[], rows: Rows): string {
  return `<details><summary>Numbers</summary>${table(heading, rows)}</details>`;
}

function table(heading: readonly string[], rows: Rows, caption?: string): string {
  const head = heading.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('');
  const body = rows.map(([first = '', ...rest]) => {
    const cells = rest.map((cell) => `<td>${escaped(cell)}</td>`).join('');
    return `<tr><th scope="row">${escaped(first)}</th>${cells}</tr>`;
  });
  const name = caption === undefined ? '' : `<caption>${escaped(caption)}</caption>`;
  return `<table>${name}<thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}
