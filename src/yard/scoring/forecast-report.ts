import type { Bundle } from '../../models/bundle.js';
import type { Calibration } from './calibration.js';
import type { ExplanationSums } from './explanation-sums.js';
import { forecastGoals, type ForecastMeasure } from './forecast-goals.js';
import { own, type ForecastSums } from './forecast-sums.js';
import { judge, type JudgedMeasure } from './goals.js';
import type { Measure } from './scene-sums.js';
import type { WithinSums } from './within-sums.js';

/** Of a smaller number luck alone would make an error of calibration look like one. */
export const calibrationWindowsMin = 10_000;

/** Forecasters beside `own`, where they spoke. */
export const tracksOnly = 'tracksOnly';
export const withoutLanguage = 'withoutLanguage';
export const sights = ['pixels', 'trueMasks', 'trueTracks'] as const;
type SightName = (typeof sights)[number];
/** The cheap head by that sight. */
export const cheapBy = (sight: SightName): string => `${tracksOnly} ${sight}`;

/** What was measured; null: that part was left out. */
export interface ForecastParts {
  /** `own` and, where the bundle has a cheap head, `tracksOnly`. */
  readonly main: ForecastSums | null;
  readonly explanations: ExplanationSums | null;
  /** Of the same windows as `main`. */
  readonly within: WithinSums | null;
  /** More windows than `main` for calibration alone. */
  readonly calibration: ForecastSums | null;
  /** The same windows by each of `sights` that was asked for. */
  readonly sights: ForecastSums | null;
  readonly templates: ForecastSums | null;
  readonly appearance: ForecastSums | null;
  /** `own` and `withoutLanguage`. */
  readonly textOnly: ForecastSums | null;
}

export type JudgedForecastMeasure = JudgedMeasure & {
  /** That it was measured on. */
  readonly windows: number;
  /** What to mind when reading it. */
  readonly note?: string;
};

export interface ForecastDetail {
  /** Skill and log score as published, of the same windows as `skill`. Null: it did not speak. */
  readonly forecasters: Readonly<
    Record<string, { readonly skill: Measure | null; readonly logScore: Measure | null }>
  >;
  /** Skill by sight, all on the same windows, and that of the cheap head beside it. */
  readonly sights: Readonly<
    Record<SightName, { readonly skill: Measure | null; readonly tracksOnlySkill: Measure | null }>
  >;
  /**
   * Where skill is lost, on the same windows: by the reasoner even from true tracks (`language`), by what is read off the
   * pictures with true masks (`pixels`), by the segmenter (`masks`). They sum to 1 - skill of those windows.
   */
  readonly lost: Readonly<Record<'language' | 'pixels' | 'masks', Measure | null>>;
  readonly calibration: Omit<Calibration, 'ece' | 'eceBayes'> | null;
  /** Brier scores of what begins at all, beside `brierWithin`. */
  readonly brierWithin: Readonly<Record<'prior' | 'bayes', Measure | null>>;
  readonly causal: Readonly<
    Record<'precisionWithUnverified' | 'recallWithUnverified', Measure | null>
  >;
  readonly absentNamedInReferences: Measure | null;
  readonly explanations: ReturnType<ExplanationSums['counts']> | null;
}

export type ForecastReport = Readonly<Record<ForecastMeasure, JudgedForecastMeasure>> & {
  readonly bundle: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly seed: number;
  readonly world: number;
  readonly detail: ForecastDetail;
};

const leftOut = 'that part was left out by --parts';

export function forecastReport(
  {
    manifest,
    sha256,
  }: Pick<Bundle, 'sha256'> & {
    readonly manifest: Pick<Bundle['manifest'], 'name' | 'version'>;
  },
  { seed, world }: { readonly seed: number; readonly world: number },
  parts: ForecastParts,
): ForecastReport {
  const { main, explanations, textOnly, within } = parts;
  const judged = (
    name: ForecastMeasure,
    sums: { readonly windows: number } | null,
    measure: Measure | null | undefined,
    reason = sums ? 'there was no case' : leftOut,
  ): JudgedForecastMeasure => ({
    ...judge(forecastGoals[name], measure ?? null, reason),
    windows: sums?.windows ?? 0,
  });
  const calibrated = parts.calibration ?? main;
  const calibration = calibrated?.calibration() ?? null;
  const few = (calibrated?.windows ?? 0) < calibrationWindowsMin;
  const noted = (judgement: JudgedForecastMeasure): JudgedForecastMeasure =>
    few && judgement.value !== null
      ? {
          ...judgement,
          note: `meant for ${String(calibrationWindowsMin)} windows; luck alone gives ${(calibration?.eceOfPerfect ?? 0).toFixed(3)} to ece here`,
        }
      : judgement;
  const ofSight = (name: SightName): Measure | null => parts.sights?.skill(name) ?? null;
  const sightSums = (name: 'trueMasks' | 'trueTracks') =>
    ofSight(name) === null ? null : parts.sights;
  const lost = (from: SightName | 'bayes', to: SightName) =>
    parts.sights?.skillGain(from, to) ?? null;
  const explained = explanations && { windows: explanations.counts().explained };
  const noCauses = explanations ? 'the scenes have no causes, or no link was stated' : leftOut;
  const others = [own, tracksOnly, 'persistence', 'prior', 'bayes'];
  return {
    bundle: { name: manifest.name, version: manifest.version, sha256 },
    ...{ seed, world },
    skill: judged('skill', main, main?.skill(own)),
    skillTrueTracks: judged('skillTrueTracks', sightSums('trueTracks'), ofSight('trueTracks')),
    skillTrueMasks: judged('skillTrueMasks', sightSums('trueMasks'), ofSight('trueMasks')),
    skillTemplates: judged('skillTemplates', parts.templates, parts.templates?.skill(own)),
    skillAppearance: judged('skillAppearance', parts.appearance, parts.appearance?.skill(own)),
    skillWithin: judged('skillWithin', within, within?.skill()),
    brierWithin: judged('brierWithin', within, within?.brier('own')),
    top1Share: judged('top1Share', main, main?.topShare(1)),
    top3Share: judged('top3Share', main, main?.topShare(3)),
    ece: noted(judged('ece', calibrated, calibration?.ece)),
    eceBayes: noted(judged('eceBayes', calibrated, calibration?.eceBayes)),
    causalPrecision: judged(
      'causalPrecision',
      explained,
      explanations?.causalPrecision(),
      noCauses,
    ),
    causalRecall: judged('causalRecall', explained, explanations?.causalRecall(), noCauses),
    textOnlyGain: judged(
      'textOnlyGain',
      textOnly,
      textOnly?.skillGain(own, withoutLanguage),
      textOnly
        ? 'give --without-language DIR, the same bundle with a language model that was not pre-trained'
        : leftOut,
    ),
    absentNamed: judged('absentNamed', explained, explanations?.absentNamed()),
    scoreCpuMs: judged('scoreCpuMs', main, explanations?.scoreCpuMs()),
    explainCpuMs: judged('explainCpuMs', explained, explanations?.explainCpuMs()),
    detail: {
      forecasters: Object.fromEntries(
        others.map((name) => [
          name,
          { skill: main?.skill(name) ?? null, logScore: main?.logScore(name) ?? null },
        ]),
      ),
      sights: Object.fromEntries(
        sights.map((name) => [
          name,
          {
            skill: ofSight(name),
            tracksOnlySkill: parts.sights?.skill(cheapBy(name)) ?? null,
          },
        ]),
      ) as ForecastDetail['sights'],
      lost: {
        language: lost('bayes', 'trueTracks'),
        pixels: lost('trueTracks', 'trueMasks'),
        masks: lost('trueMasks', 'pixels'),
      },
      calibration: calibration && {
        pairs: calibration.pairs,
        eceOfPerfect: calibration.eceOfPerfect,
        reliability: calibration.reliability,
      },
      brierWithin: {
        prior: within?.brier('prior') ?? null,
        bayes: within?.brier('bayes') ?? null,
      },
      causal: {
        precisionWithUnverified: explanations?.causalPrecision('all') ?? null,
        recallWithUnverified: explanations?.causalRecall('all') ?? null,
      },
      absentNamedInReferences: explanations?.absentNamedInReferences() ?? null,
      explanations: explanations?.counts() ?? null,
    },
  };
}
