/** What the page knows: signals that messages fill and views read. Everything has a bound. */
import { batch, computed, signal, type Signal } from '@preact/signals';
import {
  EventMessageSchema,
  ForecastSchema,
  HeartbeatSchema,
  OutcomeSchema,
  SceneMessageSchema,
  ScoreSchema,
  StateMessageSchema,
  subjects,
  type EventMessage,
  type Forecast,
  type Outcome,
  type SceneMessage,
  type Score,
  type StateName,
} from '../../messages.js';
import { CameraListSchema, type CameraList } from '../services.js';
import { streamName } from '../streams.js';
import { openLink, type NatsLink } from './nats-link.js';
import { boundsOf, readRange } from './read-history.js';
import { newestScore } from './read-quality.js';
import { loadSession, session } from './session.js';

/** So much of the past the future lane can show. */
export const pastMs = 60_000;

export interface CameraNow {
  readonly state: StateName;
  readonly since: string;
  readonly why: string;
}

/** As `cameras.list` tells it. */
export type CameraRow = CameraList['cameras'][number];

export interface CameraView {
  readonly name: string;
  readonly now: Signal<CameraNow>;
  readonly row: Signal<CameraRow | undefined>;
  /** Of the last `pastMs`, target `next`, oldest first; the newest revision of each. */
  readonly forecasts: Signal<readonly Forecast[]>;
  /** Of those forecasts, by id. */
  readonly outcomes: Signal<ReadonlyMap<string, Outcome>>;
  readonly events: Signal<readonly EventMessage[]>;
  readonly scene: Signal<SceneMessage | undefined>;
  /** Of the last half minute, oldest first: for what a forecast had seen. No signal: nobody waits for it. */
  readonly scenes: SceneMessage[];
  readonly score: Signal<Score | undefined>;
}

export type LinkState =
  | { readonly state: 'starting' }
  | { readonly state: 'login' }
  /** The engine or NATS is away; it is tried again. */
  | { readonly state: 'lost'; readonly why: string }
  /** Only a person can help. */
  | { readonly state: 'hindered'; readonly why: string }
  | { readonly state: 'open' };

export const link = signal<LinkState>({ state: 'starting' });
/** undefined: not known yet. */
export const cameras = signal<readonly CameraView[] | undefined>(undefined);
/** The engine's clock, four times a second: this machine's may be another. */
export const nowMs = signal(Date.now());
/** When the engine was last heard, or we began to listen. */
export const heartbeatAtMs = signal<number | undefined>(undefined);
/** Three heartbeats are missing: nothing is known any more. */
export const isSilent = computed(
  () => heartbeatAtMs.value !== undefined && nowMs.value - heartbeatAtMs.value > 3_500,
);

/** The engine's clock, for what moves; `nowMs` is for what is written. */
export function engineNowMs(): number {
  return Date.now() - (aheadMs ?? 0);
}

/** The least delay is nearest to the truth, and what moves must not tremble with each heartbeat's. */
function steady(before: number | undefined, now: number): number {
  const isNewClock = before === undefined || now < before || now - before > 5_000;
  return isNewClock ? now : before + (now - before) * 0.02;
}

/** Hear every outcome that comes; whoever puts itself in takes itself out. */
export const outcomeListeners = new Set<(outcome: Outcome) => void>();

const retryMs = 2_000;
const tickMs = 250;
const scenesMax = 32;
/** So much two clocks may differ without anything being missed. */
const clockSlackMs = 5_000;
/** This clock less the engine's. */
let aheadMs: number | undefined;
/** Of the engine's run that was heard last. */
let epoch: number | undefined;
let nats: NatsLink | undefined;

/** For history, questions and the like; undefined while there is no way to NATS. */
export function natsLink(): NatsLink | undefined {
  return nats;
}

/** The last one that was known, while the engine is away. */
let site = '';

export function siteOf(): string {
  site = session.value?.engine?.site ?? site;
  return site;
}

/** Connects, and connects again, for ever. */
export function start(): void {
  setInterval(() => (nowMs.value = engineNowMs()), tickMs);
  void stayConnected();
}

async function stayConnected(): Promise<never> {
  for (;;) {
    link.value = await connectOnce();
    if (link.value.state === 'login') await nextLogin();
    else await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

function nextLogin(): Promise<void> {
  return new Promise((resolve) => {
    const stop = session.subscribe((now) => {
      if (now?.isLoggedIn !== true) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
}

/** Resolves with the state in which the connection ended. */
async function connectOnce(): Promise<LinkState> {
  const now = await loadSession();
  if (now === null) return { state: 'lost', why: 'The engine does not answer.' };
  if (now.engine === null) {
    // Whoever comes next may be somebody else.
    cameras.value = undefined;
    return { state: 'login' };
  }
  if (now.engine.nats === null) {
    return { state: 'hindered', why: now.engine.natsHindrance ?? 'There is no way to NATS.' };
  }
  try {
    const opened = await openLink(now);
    nats = opened;
    listen(opened, now.engine.site);
    batch(() => {
      link.value = { state: 'open' };
      // From here on the engine is waited for, whether it was ever heard or not.
      heartbeatAtMs.value = engineNowMs();
    });
    void fill(opened, now.engine.site);
    await opened.ended;
  } catch (error) {
    const told = error instanceof Error ? ` (${error.message})` : '';
    return { state: 'lost', why: `There is no way to NATS now${told}.` };
  } finally {
    nats = undefined;
  }
  return { state: 'lost', why: 'The connection was lost.' };
}

function listen(to: NatsLink, site: string): void {
  to.listen(subjects.heartbeat(site), (value) => {
    const { data } = HeartbeatSchema.safeParse(value);
    if (data === undefined) return;
    // Another run of the engine, or one that was away: what it said meanwhile is read.
    const isBack = isSilent.peek() || (epoch !== undefined && epoch !== data.epoch);
    epoch = data.epoch;
    const before = engineNowMs();
    aheadMs = steady(aheadMs, Date.now() - Date.parse(data.at));
    // Until now the last minute was looked for at another time.
    const isOtherTime = Math.abs(engineNowMs() - before) > clockSlackMs;
    batch(() => {
      heartbeatAtMs.value = Date.parse(data.at);
      nowMs.value = engineNowMs();
      cameras.value ??= [];
      for (const [name, state] of Object.entries(data.cameras)) {
        const { now } = cameraOf(name);
        if (now.value.state !== state) now.value = { ...now.value, state, since: data.at, why: '' };
      }
      const gone = cameras.value.some(({ name }) => !(name in data.cameras));
      if (gone) cameras.value = cameras.value.filter(({ name }) => name in data.cameras);
    });
    if (isBack || isOtherTime) void fill(to, site);
  });
  for (const kind of ['forecast', 'event', 'outcome', 'scene', 'score', 'state'] as const) {
    to.listen(subjects.all(site, kind), take);
  }
}

/** One message of any kind, live or stored. What is of no known form is passed over. */
function take(value: unknown): void {
  switch ((value as { schema?: unknown } | null)?.schema) {
    case 'lookahead.forecast.v1': {
      const { data } = ForecastSchema.safeParse(value);
      if (data !== undefined) takeForecast(data);
      break;
    }
    case 'lookahead.outcome.v1': {
      const { data } = OutcomeSchema.safeParse(value);
      if (data === undefined || data.target === 'within') break;
      takeOutcome(data);
      for (const hear of outcomeListeners) hear(data);
      break;
    }
    case 'lookahead.event.v1': {
      const { data } = EventMessageSchema.safeParse(value);
      if (data === undefined) break;
      const { events } = cameraOf(data.camera);
      if (events.value.some(({ id }) => id === data.id)) break;
      events.value = recent([...events.value, data], ({ onset }) => onset);
      break;
    }
    case 'lookahead.scene.v1': {
      const { data } = SceneMessageSchema.safeParse(value);
      if (data === undefined) break;
      const { scene, scenes } = cameraOf(data.camera);
      scene.value = data;
      scenes.push(data);
      if (scenes.length > scenesMax) scenes.shift();
      break;
    }
    case 'lookahead.score.v1': {
      const { data } = ScoreSchema.safeParse(value);
      if (data?.target === 'next') cameraOf(data.camera).score.value = data;
      break;
    }
    case 'lookahead.state.v1': {
      const { data } = StateMessageSchema.safeParse(value);
      if (data === undefined) break;
      const { state, since, why } = data;
      cameraOf(data.camera).now.value = { state, since, why };
    }
  }
}

function takeForecast(forecast: Forecast): void {
  if (forecast.target !== 'next') return;
  const { forecasts } = cameraOf(forecast.camera);
  const known = forecasts.value.findIndex(({ id }) => id === forecast.id);
  if (known === -1) {
    forecasts.value = recent([...forecasts.value, forecast], ({ window }) => window.to);
  } else if (forecasts.value[known]!.rev < forecast.rev) {
    forecasts.value = forecasts.value.with(known, forecast);
  }
}

function takeOutcome(outcome: Outcome): void {
  const { outcomes } = cameraOf(outcome.camera);
  const recentOnes = [...outcomes.value].filter(
    ([, { decidedAt }]) => nowMs.value - Date.parse(decidedAt) < 2 * pastMs,
  );
  outcomes.value = new Map([...recentOnes, [outcome.id, outcome]]);
}

function recent<T>(all: readonly T[], at: (item: T) => string): readonly T[] {
  return all
    .filter((item) => nowMs.value - Date.parse(at(item)) < pastMs)
    .sort((a, b) => at(a).localeCompare(at(b)));
}

/** Made where it is new. */
function cameraOf(name: string): CameraView {
  const known = cameras.peek()?.find((camera) => camera.name === name);
  if (known !== undefined) return known;
  const made: CameraView = {
    name,
    now: signal({ state: 'connecting', since: new Date(nowMs.peek()).toISOString(), why: '' }),
    row: signal(undefined),
    forecasts: signal([]),
    outcomes: signal(new Map()),
    events: signal([]),
    scene: signal(undefined),
    scenes: [],
    score: signal(undefined),
  };
  cameras.value = [...(cameras.peek() ?? []), made].sort((a, b) =>
    a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
  return made;
}

/** What was before we came: the cameras, their last score, and the last minute of each. */
async function fill(from: NatsLink, site: string): Promise<void> {
  await loadCameras();
  const names = new Set((cameras.peek() ?? []).map(({ name }) => name));
  // What cannot be read is not shown; what comes from now on is.
  await Promise.allSettled([
    ...(['forecast', 'outcome', 'event'] as const).map((kind) => fillLast(from, site, kind, names)),
    ...[...names].map((name) => fillScore(from, site, name)),
  ]);
}

/** No page is left before it has been read. */
const reading = { signal: new AbortController().signal };

async function fillScore(from: NatsLink, site: string, name: string): Promise<void> {
  const newest = await newestScore(from, site, name, reading);
  if (newest !== undefined) cameraOf(name).score.value = newest;
}

/** Of the cameras that are there: one that was removed a moment ago has its last minute in the stream too. */
async function fillLast(
  from: NatsLink,
  site: string,
  kind: 'forecast' | 'outcome' | 'event',
  names: ReadonlySet<string>,
): Promise<void> {
  const where = { stream: streamName(site, kind), all: subjects.all(site, kind) };
  const bounds = await boundsOf(from, where, { fromMs: nowMs.peek() - pastMs }, reading);
  if (bounds === undefined) return;
  await readRange(from, { ...where, subject: where.all }, bounds, {
    ...reading,
    onRead: ({ value }) => {
      if (names.has(String((value as { camera?: unknown } | null)?.camera))) take(value);
    },
  });
}

/** The list of cameras anew; quietly nothing where the engine does not answer. */
export async function loadCameras(): Promise<void> {
  const reply = await nats?.ask(subjects.service(siteOf(), 'cameras.list'), {}).catch(() => null);
  const { data } = CameraListSchema.safeParse(reply);
  if (data === undefined) return;
  batch(() => {
    for (const row of data.cameras) {
      const camera = cameraOf(row.camera);
      camera.row.value = row;
      camera.now.value = { state: row.state, since: row.since, why: row.why };
    }
    const names = new Set(data.cameras.map(({ camera }) => camera));
    cameras.value = (cameras.peek() ?? []).filter(({ name }) => names.has(name));
  });
}
