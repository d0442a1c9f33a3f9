/** `evaluate forecasts`: what the bundle forecasts and explains of held-out yard scenes, from H.264 through ffmpeg, and what that costs. */
import { writeFile } from 'node:fs/promises';
import { LookaheadError } from '../errors.js';
import { openBundle } from '../models/bundle.js';
import { followTable, withinChances } from '../outcomes/within.js';
import { ExplanationSums } from '../yard/scoring/explanation-sums.js';
import {
  cheapBy,
  forecastReport,
  sights,
  tracksOnly,
  withoutLanguage,
  type ForecastParts,
} from '../yard/scoring/forecast-report.js';
import type { ForecastedWindow } from '../yard/scoring/forecast-results.js';
import { ForecastSums, own } from '../yard/scoring/forecast-sums.js';
import { textLines } from '../yard/scoring/forecast-texts.js';
import { forecastRow, markdownForecasts, printForecasts } from '../yard/scoring/print-forecasts.js';
import { WithinSums } from '../yard/scoring/within-sums.js';
import { truthWindowOf } from '../yard/scoring/recorded-truth.js';
import type { TruthWindow } from '../yard/scoring/truth-window.js';
import type { RecordedTruth } from '../yard/data/read-recording.js';
import { jsonLines } from '../yard/data/record-scene.js';
import type { Split } from '../yard/data/splits.js';
import { examClips } from '../yard/truth/exam.js';
import { yardLabels } from '../yard/world/labels.js';
import { worldVersion } from '../yard/world/version.js';
import type { EvaluateTools } from './evaluate.js';
import { openForecastModels, type ForecastModels } from './forecast-models.js';
import { forecastScenes, type Asking, type Sight } from './forecast-scenes.js';
import { heldOutScenes, progressOf } from './held-out-scenes.js';
import { readOptions, wholeNumber, wholeNumberOr, type Options } from './options.js';

const partNames = [
  'main',
  'calibration',
  'tracks',
  'masks',
  'templates',
  'appearance',
  'text-only',
] as const;
type PartName = (typeof partNames)[number];

const usage =
  './lookahead evaluate forecasts --seed N [--windows 720] [--bundle DIR] [--without-language DIR] ' +
  `[--parts ${partNames.join(',')}] [--every 2] [--texts FILE] [--json | --markdown | --row NAME]`;

const flags = {
  bundle: { type: 'string' },
  seed: { type: 'string' },
  windows: { type: 'string', default: '720' },
  'without-language': { type: 'string' },
  parts: { type: 'string' },
  every: { type: 'string' },
  texts: { type: 'string' },
  row: { type: 'string' },
  json: { type: 'boolean', default: false },
  markdown: { type: 'boolean', default: false },
} as const;

/** The exam's last window of a scene ends with its clip 39. */
const secondsPerScene = 40;
const lastClip = secondsPerScene - 1;
/** Those of the exam: full windows that overlap by half, each with pBayes from 1,024 futures. */
const usualClips: readonly number[] = examClips;
/** More windows than this are for calibration alone: explanations, causes and the other splits would gain little by them. */
const windowsMax = 2000;
const usualWindows = 720;
/** Words are a small effect; fewer windows could not show it. */
const textOnlyWindows = 500;
/** The definition's own number (docs/yard-data.md). */
const causesPairs = 1000;

export interface Plan {
  readonly main: number;
  /** 0: `main` has enough, or as many as were asked for. */
  readonly calibration: number;
  /** Of each of the other parts. */
  readonly half: number;
  readonly textOnly: number;
}

/** How many windows each part gets of the `windows` that were asked for. */
export function planOf(windows: number): Plan {
  const main = windows <= windowsMax ? windows : usualWindows;
  const half = Math.ceil(main / 2);
  return {
    main,
    calibration: windows > main ? windows : 0,
    half,
    textOnly: main >= usualWindows ? Math.max(textOnlyWindows, half) : half,
  };
}

/** Last clips of the windows that calibration asks for: every `every`-th from the exam's first on. */
export function calibrationClips(every: number): readonly number[] {
  const first = usualClips[0] ?? 0;
  const count = Math.floor((lastClip - first) / every) + 1;
  return Array.from({ length: count }, (_, index) => lastClip - (count - 1 - index) * every);
}

/**
 * @param args what follows `evaluate forecasts`
 * @throws LookaheadError usage, bundle_invalid, recording_unusable, ffmpeg_missing, ffmpeg_failed, model_failed
 */
export async function evaluateForecastsCommand(
  args: readonly string[],
  tools: EvaluateTools,
): Promise<number> {
  const options = readOptions(args, flags, usage, 0);
  const { bundle: given, json, markdown, row, texts } = options.values;
  const plan = planOf(wholeNumber(options, 'windows', usage, 1));
  const seed = wholeNumberOr(options, 'seed', 1, usage);
  const every = wholeNumberOr(options, 'every', 2, usage, 1);
  const asked = partsOf(options, plan);
  const other = options.values['without-language'];
  const bundle = await openBundle(typeof given === 'string' ? given : tools.bundleDir);
  const otherBundle = typeof other === 'string' ? await openBundle(other) : null;
  const models = await openForecastModels(bundle);
  const otherModels = otherBundle && (await openForecastModels(otherBundle));
  try {
    const run = new Run(seed, models, tools);
    const written: object[] = [];
    const { clipsPerWindow } = bundle.manifest.geometry;
    const table = followTable({
      calibration: bundle.calibration,
      manifest: { labels: yardLabels },
    });
    const parts = {
      ...{ main: null, explanations: null, within: null, calibration: null, sights: null },
      ...{ templates: null, appearance: null, textOnly: null },
    } as { -readonly [Key in keyof ForecastParts]: ForecastParts[Key] };

    const seen = new Map<Sight, ReadonlyMap<string, Said>>();
    if (asked.has('main')) {
      const sums = new ForecastSums(yardLabels);
      const within = new WithinSums(yardLabels);
      let explanations: ExplanationSums | null = null;
      const kept = new Map<string, Said>();
      const asking = { part: 'main', windows: plan.main, isExplained: true, causesPairs } as const;
      await run.each(asking, (said, dataset) => {
        explanations ??= new ExplanationSums(dataset, clipsPerWindow);
        explanations.add(said.truth, said.forecast);
        sums.add(said.window, saidBy(said.forecast));
        within.add(said.window, withinChances(said.forecast.chances, table).chances);
        if (kept.size < plan.half) kept.set(keyOf(said.window), said);
        if (texts !== undefined)
          written.push(...textLines(said.truth, said.forecast, dataset.labels));
      });
      parts.main = sums;
      parts.within = within;
      parts.explanations = explanations;
      seen.set('pixels', kept);
    }
    for (const [part, sight] of [
      ['tracks', 'trueTracks'],
      ['masks', 'trueMasks'],
    ] as const) {
      if (!asked.has(part)) continue;
      const kept = new Map<string, Said>();
      // The main part's scenes, so that what is lost on the way can be told window by window.
      const of = { windows: plan.half, sceneWindows: plan.main, causesPairs };
      await run.each({ part, sight, ...of }, (said) => kept.set(keyOf(said.window), said));
      seen.set(sight, kept);
    }
    if (asked.has('tracks') || asked.has('masks')) parts.sights = joinSights(seen);
    if (asked.has('calibration') && plan.calibration > 0) {
      const sums = (parts.calibration = new ForecastSums(yardLabels));
      const clips = calibrationClips(every);
      const asking = { part: 'calibration', windows: plan.calibration, clips, bayesEvery: every };
      await run.each(asking, ({ window, forecast }) => {
        sums.add(window, { [own]: forecast.chances });
      });
    }
    for (const [part, split] of [
      ['templates', 'template'],
      ['appearance', 'appearance'],
    ] as const) {
      if (!asked.has(part)) continue;
      const sums = (parts[part] = new ForecastSums(yardLabels));
      await run.each({ part, split, windows: plan.half }, ({ window, forecast }) => {
        sums.add(window, { [own]: forecast.chances });
      });
    }
    if (asked.has('text-only')) {
      const asking = { part: 'text-only', split: 'text-only', windows: plan.textOnly } as const;
      const without = new Map<string, Said>();
      if (otherModels)
        await new Run(seed, otherModels, tools).each(asking, (said) =>
          without.set(keyOf(said.window), said),
        );
      const sums = (parts.textOnly = new ForecastSums(yardLabels));
      await run.each(asking, ({ window, forecast }) => {
        const beside = without.get(keyOf(window));
        sums.add(window, {
          [own]: forecast.chances,
          ...(beside && { [withoutLanguage]: beside.forecast.chances }),
        });
      });
    }

    if (typeof texts === 'string') await writeFile(texts, jsonLines(written));
    const report = forecastReport(bundle, { seed, world: worldVersion }, parts);
    if (json === true) tools.out.write(`${JSON.stringify(report)}\n`);
    else if (markdown === true) tools.out.write(markdownForecasts(report));
    else if (typeof row === 'string') tools.out.write(forecastRow(report, row));
    else tools.out.write(printForecasts(report));
    return 0;
  } finally {
    await models.dispose();
    await otherModels?.dispose();
  }
}

function partsOf({ values }: Options, plan: Plan): ReadonlySet<PartName> {
  if (values['parts'] === undefined) return new Set(partNames);
  const names = String(values['parts']).split(',');
  const wrong = names.find((name) => !partNames.some((it) => it === name));
  if (wrong !== undefined)
    throw new LookaheadError(
      'usage',
      `--parts names ${JSON.stringify(wrong)}, which is none of ${partNames.join(', ')}.`,
      usage,
    );
  if (names.includes('calibration') && plan.calibration === 0)
    throw new LookaheadError(
      'usage',
      `--parts names "calibration", which is a part of its own from ${String(windowsMax + 1)} windows on.`,
      'Give --windows 10000, or leave that part out: the main part tells calibration too.',
    );
  return new Set(names as PartName[]);
}

/** One window with its truth and what was said of it. */
interface Said {
  readonly truth: RecordedTruth;
  readonly window: TruthWindow;
  readonly forecast: ForecastedWindow;
}

const keyOf = ({ scene, clip }: TruthWindow): string => `${String(scene)} ${String(clip)}`;

function saidBy({ chances, tracksOnly: cheap }: ForecastedWindow) {
  return { [own]: chances, ...(cheap && { [tracksOnly]: cheap }) };
}

/** The windows that all asked sights know. */
function joinSights(seen: ReadonlyMap<Sight, ReadonlyMap<string, Said>>): ForecastSums {
  const sums = new ForecastSums(yardLabels);
  const [first = new Map<string, Said>()] = [...seen.values()];
  for (const [key, { window }] of first) {
    const said = sights.flatMap((sight) => {
      const own = seen.get(sight)?.get(key);
      if (!own) return [];
      const { chances, tracksOnly: cheap } = own.forecast;
      return [[sight, chances] as const, ...(cheap ? [[cheapBy(sight), cheap] as const] : [])];
    });
    sums.add(window, Object.fromEntries(said));
  }
  return sums;
}

interface PartAsked extends Partial<Omit<Asking, 'heldOut'>> {
  readonly part: string;
  readonly windows: number;
  readonly split?: Split;
  /** Windows that its scenes were drawn for, where another part has drawn them; `windows` unless told. */
  readonly sceneWindows?: number;
  readonly bayesEvery?: number;
  readonly causesPairs?: number;
}

/** One bundle over the scenes of one seed. */
class Run {
  readonly #seed: number;
  readonly #models: ForecastModels;
  readonly #tools: EvaluateTools;

  constructor(seed: number, models: ForecastModels, tools: EvaluateTools) {
    this.#seed = seed;
    this.#models = models;
    this.#tools = tools;
  }

  /** Tells `onWindow` each window of the part, in order. */
  async each(
    { part, windows, split = 'test', ...asked }: PartAsked,
    onWindow: (said: Said, dataset: Asking['heldOut']['dataset']) => void,
  ): Promise<void> {
    const { clips = usualClips, sight = 'pixels', isExplained = false } = asked;
    const { bayesEvery, causesPairs: pairs } = asked;
    const scenesFor = (count: number): number => Math.ceil(count / clips.length);
    const drawn = {
      ...{ split, seconds: secondsPerScene, seed: this.#seed },
      scenes: scenesFor(asked.sceneWindows ?? windows),
      ...(bayesEvery !== undefined && { bayesEvery }),
      ...(pairs !== undefined && { causesPairs: pairs }),
    };
    const heldOut = await heldOutScenes(drawn, this.#models.bundle.manifest, this.#tools);
    const scenes = scenesFor(windows);
    const progress = progressOf(this.#tools.err, scenes, `scenes of ${part} forecast`);
    let count = 0;
    let done = 0;
    try {
      const asking = { heldOut, sight, clips, isExplained };
      for await (const { truth, windows: forecasts } of forecastScenes(
        ...([asking, scenes] as const),
        ...([this.#models, this.#tools] as const),
      )) {
        for (const forecast of forecasts) {
          const line = truth.windows.find(({ clip }) => clip === forecast.clip);
          const window = line && truthWindowOf(line, truth, heldOut.dataset);
          if (!window || count >= windows) continue;
          count++;
          onWindow({ truth, window, forecast }, heldOut.dataset);
        }
        progress.note(++done);
      }
    } finally {
      progress.end();
    }
  }
}
