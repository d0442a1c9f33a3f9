/** Small whole values of every type that passes through a pipeline, and ports that write down what they were told. */
import { EMPTY, of } from 'rxjs';
import { messageOf } from '../../src/errors.js';
import type { Forecast } from '../../src/messages.js';
import { forecastMessage, type ForecastFacts } from '../../src/operators/forecast-message.js';
import { defaultLimits, type PipelineConfig } from '../../src/pipeline-config.js';
import type {
  Clip,
  Explanation,
  Frame,
  Ports,
  Reasoning,
  RecognisedEvent,
  Report,
  Scene,
  SceneObject,
} from '../../src/types.js';

export const labels = [
  { type: 'nothing', actor: null, target: null, text: 'nothing happens', baseRate: 0.4 },
  { type: 'enters', actor: 'van', target: null, text: 'van enters', baseRate: 0.3 },
  { type: 'opens', actor: 'gate', target: null, text: 'gate opens', baseRate: 0.15 },
  { type: 'leaves', actor: 'van', target: null, text: 'van leaves', baseRate: 0.1 },
  { type: 'meets', actor: 'person', target: 'person', text: 'person meets person', baseRate: 0.04 },
  { type: 'falls', actor: 'box', target: null, text: 'box falls', baseRate: 0.01 },
];

/** Two frames of 10 ms a clip, three clips a window, a forecast every clip, a horizon of two clips. */
export const geometry: PipelineConfig['manifest']['geometry'] = {
  framesPerSecond: 100,
  framesPerClip: 2,
  clipsPerWindow: 3,
  forecastEveryClips: 1,
  horizonMs: 40,
  keyFrame: 1,
  patchRows: 1,
  patchColumns: 1,
  maskRows: 1,
  maskColumns: 1,
  visionDim: 1,
  languageDim: 1,
  queries: 1,
  objectsPerClipMax: 10,
  attributes: [],
  lookFrames: [1],
  objectAttributes: [],
  trackAttributes: [],
  place: [],
  trackErrors: [],
};

export function fakeConfig(change: Partial<PipelineConfig> = {}): PipelineConfig {
  return {
    site: 'yard',
    epoch: 7,
    manifest: {
      name: 'fake',
      version: '1.0.0',
      geometry,
      labels,
      eventThresholds: labels.map(() => 0.5),
      domain: { description: 'the tests', familiarityMin: 0.2 },
    },
    bundleSha256: '0'.repeat(64),
    clock: 'arrival',
    limits: { ...defaultLimits, frameGapMaxMs: 15, reconnectJitter: 0, onsetDoubtMs: 0 },
    now: () => 0,
    random: () => 0.5,
    ...change,
  };
}

/** A picture of 4 x 4 pixels with a corner that tells the frames apart; `shade` null: one flat colour. */
export function fakeFrame(capturedAtMs: number, shade: number | null = capturedAtMs % 251): Frame {
  const pixels = new Uint8Array(48).fill(100);
  if (shade !== null) pixels.set([shade, 0, 255], 21);
  return { camera: 'gate', sequence: Math.round(capturedAtMs / 10), capturedAtMs, pixels };
}

/** Clips of 20 ms: number n covers frames at 20 n and 20 n + 10. */
export function fakeClip(index: number): Clip {
  const frames = [fakeFrame(index * 20), fakeFrame(index * 20 + 10)];
  return { camera: 'gate', index, fromMs: index * 20, toMs: index * 20 + 10, frames };
}

export function fakeScene(clip: number, change: Partial<Scene> = {}): Scene {
  return {
    camera: 'gate',
    clip,
    fromMs: clip * 20,
    toMs: clip * 20 + 10,
    objects: [],
    events: [],
    place: {},
    familiarity: 0.6,
    tokens: {
      global: new Float32Array(1),
      objects: new Float32Array(0),
      attributes: new Float32Array(0),
    },
    stagesMs: { backbone: 3 },
    ...change,
  };
}

export function fakeObject(track: number, className: string): SceneObject {
  return {
    track,
    class: className,
    classProbability: 0.9,
    box: { x: 0.1, y: 0.2, width: 0.3, height: 0.4 },
    velocity: { x: 0, y: 0 },
    ageClips: 2,
    mask: { size: [1, 1], counts: [0, 1] },
    predictedIou: 0.8,
    attributes: {},
    looks: [],
  };
}

export function fakeEvent(label: number, onsetMs: number, probability = 0.9): RecognisedEvent {
  return { label, onsetMs, probability, actors: [3], target: null };
}

export function fakeReasoning(probabilities = [0.2, 0.5, 0.15, 0.1, 0.03, 0.02]): Reasoning {
  return {
    probabilities,
    rawProbabilities: probabilities,
    basis: 'reasoned',
    stagesMs: { fusion: 2 },
  };
}

/** What the cheap head says of the same window. */
export function fakeCarried(probabilities?: number[]): Reasoning {
  return { ...fakeReasoning(probabilities), basis: 'carried', stagesMs: { tracks: 1 } };
}

export function fakeExplanation(change: Partial<Explanation> = {}): Explanation {
  return {
    justifications: [{ label: 1, text: 'because it slows down at the gate .', verified: true }],
    steps: [
      {
        text: 'the gate opens , because the van enters .',
        label: 2,
        causes: [{ label: 1, onsetMs: 5 }],
        verified: true,
        evidence: { tracks: [3], fromMs: 0, toMs: 10 },
      },
    ],
    grounded: true,
    absentNamed: 0,
    stagesMs: { explain: 30 },
    ...change,
  };
}

/** The scene of a clip, as a perceiver would make it. */
export const sceneOf = ({ index, fromMs, toMs }: Clip): Scene => fakeScene(index, { fromMs, toMs });

/** A report that keeps one line for everything it is told but frames, clips, scenes, windows and decisions. */
export function recordReport(): Report & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    frame: () => undefined,
    clip: () => undefined,
    scene: () => undefined,
    window: () => undefined,
    decided: () => undefined,
    dropped: (stage, reason, count) => void lines.push(`${stage} dropped ${count}: ${reason}`),
    failed: (stage, error) => void lines.push(`${stage} failed: ${messageOf(error)}`),
    state: (state, why) => void lines.push(`${state}: ${why}`),
  };
}

/** Ports that answer at once; a test replaces the one that it is about. */
export function fakePorts(change: Partial<Ports> & Pick<Ports, 'frames'>): Ports {
  return {
    perceive: (clip) => of(sceneOf(clip)),
    score: () => of(fakeReasoning()),
    carry: () => of(fakeCarried()),
    explain: () => EMPTY,
    publish: () => of({ ackedAtMs: 0 }),
    report: recordReport(),
    ...change,
  };
}

export const origin = { site: 'yard', camera: 'gate', epoch: 7 };

export const facts: ForecastFacts = {
  labels,
  domain: { description: 'the tests', familiarityMin: 0.2 },
  framesPerClip: geometry.framesPerClip,
  horizonMs: geometry.horizonMs,
  bundle: { name: 'fake', version: '1.0.0', sha256: '0'.repeat(64) },
  clock: 'arrival',
  gapMaxMs: 15,
  clipMaxMs: 12.5,
};

/** A forecast from the window that ends with the given clip. */
export function fakeForecast(probabilities?: number[], clip = 2, sequence = clip): Forecast {
  const window = [fakeScene(clip)];
  const issue = { sequence, issuedAtMs: clip * 20 + 12, isPictureGood: true };
  return forecastMessage(origin, facts, window, fakeReasoning(probabilities), issue);
}
