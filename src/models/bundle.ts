/** Opens a bundle's folder and believes nothing in it before it was checked. */
import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import type { z } from 'zod';
import { LookaheadError, messageOf } from '../errors.js';
import { CalibrationSchema, ManifestSchema, type Calibration, type Manifest } from './manifest.js';
import { layoutOf } from './segmenter-layouts.js';
import { Tokenizer } from './tokenizer.js';

/** The files of a manifest by their keys, for example `backbone`. */
export type FileKey = keyof Manifest['files'];

/** What stands in `attributes` of every manifest that this version can serve, in this order. */
export const attributeNames = ['x', 'y', 'width', 'height', 'vx', 'vy', 'age'] as const;

/** What stands in every manifest's `trackAttributes`, in this order. */
export const trackAttributeNames = [...attributeNames, 'unseen'] as const;

const manifestBytesMax = 1 << 20;
const fileBytesMax = 2 ** 34;

export interface Bundle {
  readonly dir: string;
  readonly manifest: Manifest;
  /** SHA-256 of `manifest.json`; since that holds every file's hash, it names the whole bundle. */
  readonly sha256: string;
  readonly calibration: Calibration;
  readonly tokenizer: Tokenizer;
  /** @throws Error where the bundle has no such file: ask the manifest first. */
  path(key: FileKey): string;
  /** The embedding table, [vocabulary, languageDim] row by row. */
  embeddings(): Promise<Float32Array>;
}

/**
 * Reads the manifest and checks every file that it names: plain file inside the folder, SHA-256, and that
 * labels, classes, calibration, tokenizer and shapes agree with each other.
 *
 * @throws LookaheadError `bundle_invalid`, with file, value and remedy.
 */
export async function openBundle(dir: string): Promise<Bundle> {
  const manifestBytes = await readPlain(dir, 'manifest.json', manifestBytesMax);
  const manifest = parse(ManifestSchema, 'manifest.json', manifestBytes);
  checkManifest(manifest);
  const contents = new Map<FileKey, Buffer>();
  for (const [key, file] of Object.entries(manifest.files) as [
    FileKey,
    { path: string; sha256: string },
  ][]) {
    const bytes = await readPlain(dir, file.path, fileBytesMax);
    const found = hash(bytes);
    if (found !== file.sha256) {
      throw invalid(
        file.path,
        `${String(bytes.length)} bytes with SHA-256 ${found}, the manifest says ${file.sha256}`,
      );
    }
    if (key === 'calibration' || key === 'tokenizer') contents.set(key, bytes);
    if (key === 'embeddings') checkEmbeddings(manifest, bytes.length);
  }
  const calibration = parse(
    CalibrationSchema,
    manifest.files.calibration.path,
    contents.get('calibration'),
  );
  checkCalibration(manifest, calibration);
  const tokenizer = readTokenizer(manifest, contents.get('tokenizer'));
  const path = (key: FileKey): string => {
    const file = manifest.files[key];
    if (file === undefined) throw new Error(`The bundle ${manifest.name} has no ${key}.`);
    return join(dir, file.path);
  };
  return {
    dir,
    manifest,
    sha256: hash(manifestBytes),
    calibration,
    tokenizer,
    path,
    embeddings: async () => {
      const bytes = await readFile(path('embeddings'));
      // A copy, because a Buffer from the pool may start at an odd address.
      return new Float32Array(new Uint8Array(bytes).buffer);
    },
  };
}

/** A file of the bundle: no symlink anywhere below the folder, nothing outside it, not empty. */
async function readPlain(dir: string, path: string, bytesMax: number): Promise<Buffer> {
  const parts = path.split(/[/\\]/);
  if (
    isAbsolute(path) ||
    path.includes('\0') ||
    parts.some((part) => ['', '.', '..'].includes(part))
  ) {
    throw invalid(
      path,
      'the path leaves the folder or is not plain',
      'Use paths inside the bundle, with "/" between.',
    );
  }
  let at = dir;
  for (const [index, part] of parts.entries()) {
    at = at + sep + part;
    const stat = await lstat(at).catch((error: unknown) => {
      throw invalid(path, `cannot be read in ${dir} (${messageOf(error)})`);
    });
    const last = index === parts.length - 1;
    if (stat.isSymbolicLink())
      throw invalid(path, 'is a symbolic link', 'Put the file itself there.');
    if (last ? !stat.isFile() : !stat.isDirectory()) throw invalid(path, 'is not a plain file');
    if (last && (stat.size === 0 || stat.size > bytesMax)) {
      throw invalid(path, `has ${String(stat.size)} bytes; 1 to ${String(bytesMax)} are allowed`);
    }
  }
  return readFile(at).catch((error: unknown) => {
    throw invalid(path, `cannot be read (${messageOf(error)})`);
  });
}

function parse<T>(schema: z.ZodType<T>, path: string, bytes: Buffer | undefined): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes?.toString('utf8') ?? '');
  } catch (error) {
    throw invalid(path, `is no JSON (${messageOf(error)})`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw invalid(path, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

/** What the schema cannot say: numbers that must agree with each other. */
function checkManifest(manifest: Manifest): void {
  const { geometry, labels, classes, files, language } = manifest;
  const check = (good: boolean, what: string): void => {
    if (!good) throw invalid('manifest.json', what);
  };
  check(
    labels[0]?.type === 'nothing',
    `labels[0].type is "${labels[0]?.type ?? ''}" and must be "nothing"`,
  );
  check(
    labels.filter(({ type }) => type === 'nothing').length === 1,
    'more than one label is "nothing"',
  );
  check(
    new Set(labels.map(({ text }) => text)).size === labels.length,
    'two labels have the same text',
  );
  check(
    manifest.eventThresholds.length === labels.length,
    `eventThresholds has ${String(manifest.eventThresholds.length)} entries for ${String(labels.length)} labels`,
  );
  check(
    classes.length >= 2,
    `classes has ${String(classes.length)} entries; background and one more are needed`,
  );
  check(
    geometry.keyFrame < geometry.framesPerClip,
    `geometry.keyFrame is ${String(geometry.keyFrame)}`,
  );
  check(
    geometry.attributes.join() === attributeNames.join(),
    `geometry.attributes is [${geometry.attributes.join(', ')}], this version computes [${attributeNames.join(', ')}]`,
  );
  check(
    geometry.maskRows % geometry.patchRows === 0 &&
      geometry.maskColumns % geometry.patchColumns === 0,
    'the mask grid is no multiple of the patch grid',
  );
  check(
    language.endOfText < language.vocabulary,
    `language.endOfText is ${String(language.endOfText)}`,
  );
  const lastAxis = (
    key: 'eventHead' | 'objectHead' | 'trackForecaster',
    output: string,
    count: number,
    of: string,
  ): void => {
    const file = files[key];
    const axis = file?.outputs.find(({ name }) => name === output)?.shape.at(-1);
    check(
      axis === count,
      `${file?.path ?? key}: output "${output}" has ${String(axis)} columns for ${String(count)} ${of}`,
    );
  };
  lastAxis('eventHead', 'event_logits', labels.length, 'labels');
  lastAxis('objectHead', 'class_logits', classes.length, 'classes');
  layoutOf(files);
  const { lookFrames, objectAttributes, trackAttributes, place } = geometry;
  lastAxis('objectHead', 'attributes', objectAttributes.length, 'objectAttributes');
  lastAxis('eventHead', 'place_logits', place.length, 'place');
  check(
    lookFrames.at(-1) === geometry.keyFrame &&
      lookFrames.every((frame, index) => index === 0 || frame > (lookFrames[index - 1] ?? 0)),
    `geometry.lookFrames is [${lookFrames.join(', ')}]; it must ascend to keyFrame, ${String(geometry.keyFrame)}`,
  );
  check(
    trackAttributes.join() === trackAttributeNames.join(),
    `geometry.trackAttributes is [${trackAttributes.join(', ')}], this version computes [${trackAttributeNames.join(', ')}]`,
  );
  if (files.trackForecaster) lastAxis('trackForecaster', 'log_chances', labels.length, 'labels');
}

function checkEmbeddings(manifest: Manifest, bytes: number): void {
  const expected = manifest.language.vocabulary * manifest.geometry.languageDim * 4;
  if (bytes !== expected) {
    throw invalid(
      manifest.files.embeddings.path,
      `has ${String(bytes)} bytes, [vocabulary, languageDim] needs ${String(expected)}`,
    );
  }
}

function checkCalibration(
  manifest: Manifest,
  { familiarity, meanPrefix, follow }: Calibration,
): void {
  const { path } = manifest.files.calibration;
  const { mean, whitening, quantiles } = familiarity;
  const { visionDim, queries, languageDim } = manifest.geometry;
  const length = 3 * visionDim;
  if (mean.length !== length)
    throw invalid(
      path,
      `familiarity.mean has ${String(mean.length)} numbers, not ${String(length)}`,
    );
  if (meanPrefix && meanPrefix.length !== queries * languageDim) {
    const wanted = String(queries * languageDim);
    throw invalid(path, `meanPrefix has ${String(meanPrefix.length)} numbers, not ${wanted}`);
  }
  if (whitening.length === 0 || whitening.some((row) => row.length !== length)) {
    throw invalid(path, `familiarity.whitening must have rows of ${String(length)} numbers`);
  }
  const ascending = quantiles.every(
    (value, index) => index === 0 || value >= (quantiles[index - 1] ?? 0),
  );
  if (quantiles.length < 2 || !ascending) throw invalid(path, 'familiarity.quantiles must ascend');
  const events = new Set(manifest.labels.slice(1).map(({ text }) => text));
  const { brings = {}, left = {} } = follow ?? {};
  const named = [...Object.entries(brings), ['', left] as const];
  for (const [first, later] of named) {
    const odd = [...(first === '' ? [] : [first]), ...Object.keys(later)].find(
      (text) => !events.has(text),
    );
    if (odd !== undefined)
      throw invalid(path, `follow names "${odd}", which is no label of an event`);
  }
}

function readTokenizer(manifest: Manifest, bytes: Buffer | undefined): Tokenizer {
  const { path } = manifest.files.tokenizer;
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(bytes?.toString('utf8') ?? '');
  } catch (error) {
    throw invalid(path, `is no tokenizer (${messageOf(error)})`);
  }
  const { vocabulary } = manifest.language;
  if (tokenizer.vocabulary > vocabulary) {
    throw invalid(
      path,
      `knows ${String(tokenizer.vocabulary)} tokens, language.vocabulary is ${String(vocabulary)}`,
    );
  }
  for (const { text } of manifest.labels) {
    if (tokenizer.encode(` ${text}`).length === 0)
      throw invalid(path, `makes no token of the label "${text}"`);
  }
  return tokenizer;
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function invalid(
  path: string,
  what: string,
  remedy = 'Take a complete copy of the bundle, or build it again with training/.',
): LookaheadError {
  return new LookaheadError('bundle_invalid', `${path}: ${what}.`, remedy);
}
