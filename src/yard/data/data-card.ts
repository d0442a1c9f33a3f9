/** README.md of a data set: what it is and how it was made, for whoever meets it without this repository. */
import { yardLabels } from '../world/labels.js';
import { baseRates } from './dataset-file.js';
import { framesPerSecond, futuresCount, horizonMs } from './film-scene.js';
import type { Recording, Totals } from './schema.js';
import { splits, splitTexts } from './splits.js';

export function dataCard(recording: Recording, totals: Totals): string {
  const { split, seed, scenes, secondsPerScene, texts, bayesCount, bayesEvery } = recording;
  const { worldVersion, ffmpeg } = recording;
  const rates = baseRates(totals);
  const count = (value: number): string => value.toLocaleString('en-US');
  const percent = (value: number, of: number): string =>
    of === 0 ? 'none to count' : `${((100 * value) / of).toFixed(1)} %`;
  const isJudged = totals.judged > 0;
  return `# The yard, split ${split}

Scenes of a simulated yard before a fixed camera: vans at a gate, deliveries, a traffic light, children and a dog on a lawn, a forklift at a dock, bicycles.
Each comes as the video that a camera would give, with what is in it, what happened, why, and how likely it was. It is made to train and to test programs that say
what is about to happen.

## How it was made

\`\`\`
${commandOf(recording)}
\`\`\`

Everything is drawn by Lookahead's own simulator from seeds; no picture and no word of it comes from the world outside, and no person is in it. The video
is H.264, 320 x 180, ${String(framesPerSecond)} pictures a second, encoded by ffmpeg ${ffmpeg ?? ''}; the world's rules are version ${String(worldVersion)}.
The same command gives the same bytes on the same versions.
No random number is drawn before it takes effect, so re-simulating from a moment gives the true chances of what follows.
The form of the files is \`${recording.schema}\`, told in \`docs/yard-data.md\` of Lookahead; \`src/yard/data/schema.ts\` checks every line.

## Splits

| split | what it is for |
| --- | --- |
${splits.map((name) => `| ${name}${name === split ? ' (this one)' : ''} | ${splitTexts[name]} |`).join('\n')}

No seed serves two splits.

## Counts

| what | how many |
| --- | --- |
| scenes | ${count(scenes)}, each of ${String(secondsPerScene)} s |
| clips, and windows | ${count(totals.clips)} |
| events | ${count(totals.events)} |
| lines of texts.jsonl | ${count(texts)} |
| windows followed by nothing within ${String(horizonMs / 1000)} s | ${percent(totals.next[0] ?? 0, totals.windows)} |
| windows with pBayes | ${isJudged ? `${count(totals.judged)}: every ${ordinal(bayesEvery)}, from ${count(bayesCount)} futures` : 'none'} |
${
  isJudged
    ? `| of these, nothing is the likeliest | ${percent(totals.nothingLikeliest, totals.judged)} |
| of these, the two likeliest differ by less than 0.1 | ${percent(totals.nearEven, totals.judged)} |
`
    : ''
}${
    recording.causesPairs > 0
      ? `| causes by intervention | ${count(totals.causes)} |
| links of the rules that are causes too | ${percent(totals.linksThatCause, totals.links)} of ${count(totals.links)} |
`
      : ''
  }
## Base rates

How often each label is the first to begin: in ${String(futuresCount)} re-simulated futures of every window, and in what did happen; and how often it begins at all.

| label | first, in futures | first, as it happened | at all, in futures |
| --- | --- | --- | --- |
${yardLabels
  .map((label, index) => {
    const within = percent(totals.futuresWithin[index] ?? 0, totals.windows * futuresCount);
    return `| ${label.text} | ${percent(rates[index] ?? 0, 1)} | ${percent(totals.next[index] ?? 0, totals.windows)} | ${within} |`;
  })
  .join('\n')}

## Limits

Pictures are simple and drawn, one camera looks at one kind of place, and its rules are few. What a program learns here says how well it reads such rules from
video, not how well it would do before a real camera.

## Licence

Apache-2.0, as Lookahead itself. Seed of this recording: ${String(seed)}.
`;
}

/** The whole command, also what was left at its default. */
function commandOf(recording: Recording): string {
  const { split, scenes, secondsPerScene, seed, texts, bayesCount, bayesEvery } = recording;
  const flags = {
    split,
    scenes,
    seconds: secondsPerScene,
    seed,
    texts,
    'bayes-count': bayesCount,
    'bayes-every': Math.max(1, bayesEvery),
    'causes-pairs': recording.causesPairs,
    out: 'DIR',
  };
  return `./lookahead yard record ${Object.entries(flags)
    .map(([name, value]) => `--${name} ${String(value)}`)
    .join(' ')}`;
}

function ordinal(n: number): string {
  const ending = ['th', 'st', 'nd', 'rd'];
  return `${String(n)}${n % 100 > 10 && n % 100 < 14 ? 'th' : (ending[n % 10] ?? 'th')}`;
}
