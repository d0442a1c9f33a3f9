/** Kept windows as a recording in the yard's schema, marked as recognised, so that training can read them and nobody takes them for truth. */
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { LookaheadError, messageOf } from '../errors.js';
import { addTotals, baseRates, noTotals } from '../yard/data/dataset-file.js';
import { framesPerClip, framesPerSecond, horizonMs } from '../yard/data/film-scene.js';
import { json, jsonLines, sceneFolder } from '../yard/data/record-scene.js';
import { dataSchema, type Dataset, type Recording, type Totals } from '../yard/data/schema.js';
import { recognisedSplit, splits, splitTexts } from '../yard/data/splits.js';
import { partialOf, writeWhole } from '../yard/data/write-whole.js';
import { attributes } from '../yard/truth/look.js';
import { yardClasses, yardLabels } from '../yard/world/labels.js';
import { itemFiles, type Item } from './item-schema.js';
import { readKeptScenes } from './read-items.js';
import { recognisedScene, type RecognisedScene } from './recognised-scene.js';

/** What is told of ffmpeg and of the world, which nobody knows of a kept window. */
const unknown = { worldVersion: 0, ffmpeg: 'unknown' } as const;

/**
 * One scene for each item, in the order given; dataset.json comes last, so that a folder that has it is whole.
 *
 * @param items at least one, all with pictures of one size
 * @param outDir a new or an empty folder
 * @throws LookaheadError usage, harvest_unusable
 */
export async function exportItems(
  dir: string,
  items: readonly Item[],
  outDir: string,
): Promise<void> {
  const { picture, secondsPerScene } = commonOf(items);
  // What cannot be told is found before anything is written.
  for (const item of items) await readScene(dir, item, 0);
  await makeEmpty(outDir);
  try {
    await writeAll(dir, items, outDir, { picture, secondsPerScene });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause) || cause instanceof LookaheadError)
      throw cause;
    throw new LookaheadError(
      'harvest_unusable',
      `${outDir} could not be written whole: ${messageOf(cause)}.`,
      'Delete it, see that there is room, and export again; the engine may have deleted a window meanwhile.',
      { cause },
    );
  }
}

async function writeAll(
  dir: string,
  items: readonly Item[],
  outDir: string,
  { picture, secondsPerScene }: Common,
): Promise<void> {
  const recording: Recording = {
    ...{ schema: dataSchema, tracks: false, split: recognisedSplit, seed: 0 },
    ...{ scenes: items.length, secondsPerScene, texts: 0 },
    ...{ bayesCount: 0, bayesEvery: 0, causesPairs: 0, ...unknown },
  };
  await writeWhole(join(outDir, 'recording.json'), json(recording));
  let totals = noTotals();
  const templates = new Set<string>();
  for (const [index, item] of items.entries()) {
    const read = await readScene(dir, item, index);
    await writeScene(join(dir, item.name, itemFiles.video), read, join(outDir, sceneFolder(index)));
    totals = addTotals(totals, read.scene.totals);
    templates.add(read.scene.template);
  }
  await writeWhole(join(outDir, 'README.md'), cardOf(items));
  const dataset = datasetOf(recording, totals, [...templates].sort(), picture);
  await writeWhole(join(outDir, 'dataset.json'), json(dataset));
}

async function readScene(dir: string, item: Item, index: number): Promise<RecognisedScene> {
  return recognisedScene(index, item, await readKeptScenes(dir, item));
}

interface Common {
  readonly picture: { readonly width: number; readonly height: number };
  readonly secondsPerScene: number;
}

/** A recording has one size of picture and one length of scene. */
function commonOf(items: readonly Item[]): Common {
  const [first] = items;
  if (!first) throw new TypeError('There is no item to export.');
  const shapeOf = ({ geometry: { picture }, clips, windowClips }: Item): string =>
    `pictures of ${picture.width} x ${picture.height}, ${windowClips} clips and ${clips - windowClips} of the horizon`;
  const other = items.find((item) => shapeOf(item) !== shapeOf(first));
  if (other)
    throw new LookaheadError(
      'harvest_unusable',
      `${first.name} has ${shapeOf(first)}, but ${other.name} has ${shapeOf(other)}: one recording cannot hold both.`,
      'Export the cameras one by one, with --camera NAME.',
    );
  const seconds = (first.clips * framesPerClip) / framesPerSecond;
  return { picture: first.geometry.picture, secondsPerScene: Math.round(seconds) };
}

async function makeEmpty(outDir: string): Promise<void> {
  let names: string[];
  try {
    await mkdir(outDir, { recursive: true });
    names = await readdir(outDir);
  } catch (cause) {
    throw new LookaheadError(
      'usage',
      `${outDir} cannot be written to: ${messageOf(cause)}.`,
      'Give a folder that may be written to, or the name of a new one.',
      { cause },
    );
  }
  if (names.length > 0)
    throw new LookaheadError(
      'usage',
      `${outDir} holds other files.`,
      'Give a new or an empty folder.',
    );
}

async function writeScene(
  video: string,
  { scene, clips, events, windows, ids }: RecognisedScene,
  folder: string,
): Promise<void> {
  const partial = partialOf(folder);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  await copyFile(video, join(partial, 'video.h264'));
  const write = (name: string, content: string | Buffer): Promise<void> =>
    writeFile(join(partial, name), content);
  await write('ids.u8.gz', gzipSync(ids));
  await write('clips.jsonl', jsonLines(clips));
  await write('events.jsonl', jsonLines(events));
  await write('windows.jsonl', jsonLines(windows));
  await write('scene.json', jsonLines([scene]));
  await rename(partial, folder);
}

function datasetOf(
  { seed, scenes, secondsPerScene }: Recording,
  totals: Totals,
  templates: readonly string[],
  picture: { readonly width: number; readonly height: number },
): Dataset {
  const rates = baseRates(totals);
  return {
    ...{ schema: dataSchema, split: recognisedSplit, truth: 'recognised' },
    ...{ seed, scenes, secondsPerScene, framesPerSecond, framesPerClip },
    ...{ widthPx: picture.width, heightPx: picture.height, horizonMs },
    classes: yardClasses,
    labels: yardLabels.map((label, index) => ({ ...label, baseRate: rates[index] ?? 0 })),
    attributes,
    templates: templates.map((name) => ({ name })),
    splits: splits.map((name) => ({ name, text: splitTexts[name] })),
    versions: { world: unknown.worldVersion, ffmpeg: unknown.ffmpeg },
  };
}

/** For whoever meets the folder without this repository. */
function cardOf(items: readonly Item[]): string {
  const tally = (of: (item: Item) => string): string => {
    const counts = new Map<string, number>();
    for (const item of items) counts.set(of(item), (counts.get(of(item)) ?? 0) + 1);
    return [...counts].map(([name, count]) => `| ${name} | ${count} |`).join('\n');
  };
  return `# Recognised, not true

${items.length} windows of live cameras that surprised a forecaster or left it in doubt, kept with the consent of whoever runs the cameras. **Real people and places may be seen in them.**

Labels, tracks, masks, events and what came next are what Lookahead's models recognised. Nobody has checked them: they are to learn from, not to measure by. They are no fair sample either: what surprises was chosen.
The form of the files is \`${dataSchema}\`, told in \`docs/yard-data.md\` and \`docs/harvest.md\` of Lookahead; \`scene.json\` says where each scene comes from.

| camera | windows |
| --- | --- |
${tally(({ camera }) => camera)}

| kept because | windows |
| --- | --- |
${tally(({ why }) => why.join(', '))}

| bundle | windows |
| --- | --- |
${tally(({ forecast: { bundle } }) => `${bundle.name} ${bundle.version}, ${bundle.sha256.slice(0, 8)}`)}

| privacy masks | windows |
| --- | --- |
${tally(({ privacyMasks }) => (privacyMasks ? 'yes' : 'no'))}
`;
}
