/** What a robot does with forecasts of what begins at all within the horizon. No I/O: test it, then copy it. */

/** As `lookahead.v1.<site>.<camera>.within` has it, as far as it matters here. */
export interface Within {
  validUntil: string;
  calibrated: boolean;
  quality: string;
  chances?: Record<string, number>;
}

export type Action = 'drive' | 'stop' | 'slow';

/** Events after which something is in this robot's path. Another robot has another list: see the labels of the bundle. */
export const crosses = [
  'person comes out',
  'person goes in',
  'person crosses road',
  'person gets out',
  'van drives in',
  'gate opens',
  'forklift comes out',
];

/** That one of them begins at all; each is told alone, so they are taken as independent. */
export function chanceOfCrossing(chances: Record<string, number>): number {
  return 1 - crosses.reduce((none, label) => none * (1 - (chances[label] ?? 0)), 1);
}

/**
 * `slow` wherever nothing is known, which is never the same as nothing to fear. Comparisons are written so that a missing or
 * broken value is unknown.
 */
export function decide(
  within: Within | undefined,
  camera: { state: string; heardMsAgo: number },
  nowMs: number,
  threshold: number,
): [action: Action, why: string] {
  if (!(camera.heardMsAgo < 3_000)) return ['slow', 'no heartbeat'];
  if (camera.state !== 'online') return ['slow', `the camera is ${camera.state}`];
  if (within?.chances === undefined) return ['slow', 'no forecast yet'];
  if (!(nowMs < Date.parse(within.validUntil))) return ['slow', 'the forecast is stale'];
  if (!within.calibrated) return ['slow', 'the forecast is not calibrated'];
  if (within.quality === 'corrupt') return ['slow', 'the picture is corrupt'];
  const chance = chanceOfCrossing(within.chances);
  const percent = `${Math.round(chance * 100)} %`;
  if (chance >= threshold) return ['stop', `something may cross: ${percent}`];
  return ['drive', `the path stays free: ${percent} that not`];
}
