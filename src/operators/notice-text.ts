/** What a message says, in one line for somebody who reads it on a telephone. Pure. */
import type { EventMessage, Forecast, Outcome, Score, StateMessage } from '../messages.js';

/** `gate: van enters next within 4 s: 62 %. It is close and moves towards the gate.` */
export function forecastText(forecast: Forecast, label: string, confidence: number): string {
  const { camera, target, horizonMs, calibrated } = forecast;
  const order = target === 'next' ? ' next' : '';
  const what = `${camera}: ${label}${order} within ${seconds(horizonMs)}: ${percent(confidence)}`;
  const why = whyText(forecast, label);
  // The yard's own begin with «because».
  const reason = why === '' ? '.' : /^\p{Ll}/u.test(why) ? `, ${why}` : `. ${why}`;
  return `${what}${reason}${calibrated ? '' : ' Not calibrated.'}`;
}

/** The reason of that event; where it has none, the causal account. Empty in revision 0. */
function whyText({ events, explanation }: Forecast, label: string): string {
  const event = events.find((one) => one.label === label && one.justification !== '');
  const steps = event
    ? [{ text: event.justification, verified: event.justificationVerified }]
    : explanation;
  return steps
    .map(({ text, verified }) => `${tidy(text)}${verified === false ? ' (unverified)' : ''}.`)
    .join(' ');
}

/** @param confidence the chance that had been given to the label */
export function outcomeText(outcome: Outcome, label: string, confidence: number): string {
  const { camera, verdict, observed, onsetAfterMs, because, calibrated } = outcome;
  const given = `${percent(confidence)} had been given${calibrated === false ? ', not calibrated' : ''}.`;
  if (verdict === 'undecidable') {
    const why = because === null || because === undefined ? '' : ` (${because})`;
    return `${camera}: whether ${label} came cannot be told${why}; ${given}`;
  }
  if (outcome.target === 'within') {
    const came = outcome.began?.includes(label) === true;
    return `${camera}: ${label} ${came ? 'came' : 'did not come'}; ${given}`;
  }
  if (observed === label) {
    const after = onsetAfterMs === null ? '' : ` after ${seconds(onsetAfterMs)}`;
    return `${camera}: ${label} came${after}; ${given}`;
  }
  const instead = observed === 'nothing' ? 'nothing began' : `${observed ?? 'something'} came`;
  return `${camera}: ${label} did not come, ${instead}; ${given}`;
}

export function eventText({ camera, label, probability }: EventMessage): string {
  return `${camera}: ${label} has begun (recognised with ${percent(probability)}).`;
}

export function stateText({ camera, state, why }: StateMessage): string {
  return why === '' ? `${camera}: ${state}.` : `${camera}: ${state}: ${why}`;
}

export function scoreText({ camera, periods: { hour } }: Score): string {
  const hits = hour.hitRate === null ? 'nothing could be decided' : `${percent(hour.hitRate)} hits`;
  return `${camera}: last hour: ${hits} (${hour.outcomes} outcomes).`;
}

/** The models' texts have spaces before punctuation, and a full stop at the end or none. */
function tidy(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/ ([,.;:!?])/g, '$1')
    .replace(/\. *$/, '')
    .trim();
}

function percent(chance: number): string {
  return `${Math.round(chance * 100)} %`;
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
