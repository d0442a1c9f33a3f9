/** A stored forecast, and its outcome, by its id: ids of one camera grow, so that few reads find one among many. */
import {
  ForecastSchema,
  OutcomeSchema,
  subjects,
  type Forecast,
  type Outcome,
} from '../../messages.js';
import { streamName } from '../streams.js';
import { firstFrom, type StoredMessage, type StoredReader } from './read-history.js';

export interface Found {
  readonly forecast: Forecast;
  readonly outcome: Outcome | undefined;
}

/** An update follows soon after; what follows later is of other forecasts. */
const updatesLookedAt = 4;
/** Outcomes are decided nearly in the order of their forecasts. */
const outcomesLookedAt = 8;

/** Undefined: it is not stored, or not any more. Rejects where NATS does not answer. */
export async function findForecast(
  reader: StoredReader,
  site: string,
  camera: string,
  id: string,
): Promise<Found | undefined> {
  const stored = await storedById(
    reader,
    streamName(site, 'forecast'),
    subjects.of(site, camera, 'forecast'),
    id,
    updatesLookedAt,
  );
  const forecasts = stored.flatMap((value) => ForecastSchema.safeParse(value).data ?? []);
  const forecast = forecasts.toSorted((a, b) => b.rev - a.rev)[0];
  if (forecast === undefined) return undefined;
  const outcomes = await storedById(
    reader,
    streamName(site, 'outcome'),
    subjects.of(site, camera, 'outcome'),
    id,
    outcomesLookedAt,
  );
  return { forecast, outcome: OutcomeSchema.safeParse(outcomes[0]).data };
}

async function storedById(
  reader: StoredReader,
  stream: string,
  subject: string,
  id: string,
  lookedAt: number,
): Promise<readonly unknown[]> {
  const wanted = orderOf(id);
  const last = await reader.last(stream, subject);
  if (wanted === undefined || last === undefined) return [];
  let sequence = await firstFrom(
    reader,
    { stream, subject },
    { first: 1, last: last.sequence },
    (stored) => isBefore(orderOf(idOf(stored)), wanted),
  );
  const found: unknown[] = [];
  for (let looked = 0; looked < lookedAt; looked++) {
    const stored = await reader.next(stream, sequence, subject);
    if (stored === undefined) break;
    if (idOf(stored) === id) found.push(stored.value);
    sequence = stored.sequence + 1;
  }
  return found;
}

type Order = readonly [epoch: number, sequence: number];

function idOf({ value }: Pick<StoredMessage, 'value'>): string {
  const id = (value as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? id : '';
}

/** `<site>-<camera>-<epoch>-<seq>`; those of the target `within` end in their own way. */
function orderOf(id: string): Order | undefined {
  const parts = /-(\d+)-(\d+)(?:-within)?$/.exec(id);
  return parts === null ? undefined : [Number(parts[1]), Number(parts[2])];
}

function isBefore(a: Order | undefined, b: Order): boolean {
  if (a === undefined) return true;
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
