/** What was forecast and what came of it, newest first, as far back as JetStream reaches. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { OutcomeSchema, subjects, type Outcome } from '../../messages.js';
import { streamName } from '../streams.js';
import {
  chanceOf,
  filterOf,
  passes,
  queryOf,
  spanOf,
  type HistoryFilter,
} from './history-filter.js';
import { HistoryForm } from './history-form.js';
import { openHistory, type History } from './read-history.js';
import { route, to } from './route.js';
import { link, natsLink, nowMs, outcomeListeners, siteOf } from './store.js';
import { Table, type Row } from './table.js';
import { verdictGlyphs } from './words.js';
import {
  chanceText,
  counted,
  leadText,
  markText,
  observedWords,
  timeText,
  verdictWords,
  whyNot,
} from './page-words.js';

export function HistoryPage(): ComponentChild {
  const filter = filterOf(route.value.query);
  return (
    <>
      <h1>History</h1>
      <HistoryForm filter={filter} />
      <Found key={queryOf(filter)} filter={filter} />
    </>
  );
}

type Phase =
  | { readonly at: 'reading' }
  | { readonly at: 'failed'; readonly why: string }
  /** More is there; `isPaused`: none of what was read last passed the filters. */
  | { readonly at: 'more'; readonly isPaused: boolean }
  | { readonly at: 'end' };

/** The clock of the engine, as we know it, may be off by so much. */
const clockSlackMs = 2_000;

function Found({ filter }: { readonly filter: HistoryFilter }): ComponentChild {
  const rows = useSignal<readonly Outcome[]>([]);
  const phase = useSignal<Phase>({ at: 'reading' });
  const read = useSignal(0);
  const unseen = useSignal(0);
  const history = useRef<History<Outcome> | undefined>(undefined);
  const leaving = useRef(new AbortController());
  const section = useRef<HTMLElement>(null);
  const isOpen = link.value.state === 'open';

  const older = async (): Promise<void> => {
    const { signal } = leaving.current;
    history.current ??= openOutcomes(filter);
    if (history.current === undefined) return;
    phase.value = { at: 'reading' };
    let count = 0;
    let told = 0;
    const onRead = (): void => {
      count += 1;
      // Not at each: the page has other things to do.
      if (count - told < 100) return;
      told = count;
      read.value = count;
    };
    try {
      const page = await history.current.older({ signal, onRead });
      rows.value = [...rows.value, ...page.rows];
      phase.value = page.isEnd ? { at: 'end' } : { at: 'more', isPaused: page.isPaused };
    } catch (error) {
      if (signal.aborted) return;
      phase.value = { at: 'failed', why: whyNot(error) };
    }
    read.value = 0;
  };
  const begin = (): void => {
    leaving.current.abort();
    leaving.current = new AbortController();
    history.current = undefined;
    rows.value = [];
    unseen.value = 0;
    void older();
  };

  useEffect(() => {
    if (!isOpen) return undefined;
    const openedMs = nowMs.peek() - clockSlackMs;
    const ids = new Set<string>();
    const hear = (outcome: Outcome): void => {
      if (filter.camera !== null && outcome.camera !== filter.camera) return;
      if (filter.to !== null || !passes(outcome, filter) || ids.has(outcome.id)) return;
      if (Date.parse(outcome.decidedAt) < openedMs) return;
      if (rows.peek().some(({ id }) => id === outcome.id)) return;
      ids.add(outcome.id);
      unseen.value += 1;
    };
    // After a lost connection what had been read whole stays, and goes on where it was.
    const { at } = phase.peek();
    if (history.current === undefined || at === 'reading' || at === 'failed') begin();
    outcomeListeners.add(hear);
    return () => outcomeListeners.delete(hear);
  }, [isOpen]);
  useEffect(() => () => leaving.current.abort(), []);

  return (
    <section
      ref={section}
      tabIndex={-1}
      aria-label="Outcomes"
      aria-busy={phase.value.at === 'reading'}
    >
      {unseen.value > 0 && (
        <p class="news" role="status">
          <button
            type="button"
            class="primary"
            onClick={() => {
              begin();
              section.current?.focus();
            }}
          >
            {`${unseen.value} new`}
            <span class="unseen"> since this list was read; show them</span>
          </button>
        </p>
      )}
      {rows.value.length > 0 && (
        <Table
          caption="Outcomes, newest first"
          isCaptionHidden
          class="outcomes"
          columns={columns}
          rows={rows.value.map(rowOf)}
        />
      )}
      <Foot
        phase={phase.value}
        isOpen={isOpen}
        rows={rows.value.length}
        read={read.value}
        isFiltered={queryOf(filter) !== ''}
        onMore={() => void older()}
      />
    </section>
  );
}

interface FootProps {
  readonly phase: Phase;
  readonly isOpen: boolean;
  readonly rows: number;
  readonly read: number;
  readonly isFiltered: boolean;
  readonly onMore: () => void;
}

function Foot({ phase, isOpen, rows, read, isFiltered, onMore }: FootProps): ComponentChild {
  if (!isOpen) {
    return (
      <p class="empty">There is no way to NATS now; what was stored is read as soon as there is.</p>
    );
  }
  switch (phase.at) {
    case 'reading':
      return (
        <p class={rows === 0 ? 'empty' : 'foot quiet'} role="status">
          Reading {read > 0 && `– ${counted(read, 'message')} so far `}…
        </p>
      );
    case 'failed':
      return (
        <p class="foot failure" role="alert">
          What is stored could not be read: {phase.why}{' '}
          <button type="button" onClick={onMore}>
            Try again
          </button>
        </p>
      );
    case 'more':
      return (
        <p class="foot">
          {phase.isPaused && (
            <span role="status">
              {rows === 0
                ? 'Nothing found so far.'
                : `${counted(rows, 'outcome')} found so far.`}{' '}
            </span>
          )}
          <button type="button" onClick={onMore}>
            {phase.isPaused ? 'Search further back' : 'Show older'}
          </button>
        </p>
      );
    case 'end':
      return rows > 0 ? (
        <p class="foot quiet">{counted(rows, 'outcome')}; nothing older is stored.</p>
      ) : (
        <p class="empty">
          {isFiltered
            ? 'No stored outcome passes these filters.'
            : 'No forecast has met its outcome yet. The first comes some seconds after a camera is online.'}
        </p>
      );
  }
}

const columns = [
  { title: 'When' },
  { title: 'Camera' },
  { title: 'Forecast' },
  { title: 'What happened' },
  { title: 'Lead time', isNumber: true },
  { title: 'Brier score', isNumber: true },
] as const;

function rowOf(outcome: Outcome): Row {
  const { id, camera, verdict, predicted, decidedAt, windowTo, leadMs, brier } = outcome;
  const at = windowTo ?? decidedAt;
  const { what, more } = observedWords(outcome);
  return {
    key: id,
    kind: verdict,
    cells: [
      <>
        <span class={`verdict-mark ${verdict}`} role="img" aria-label={verdictWords[verdict]}>
          {verdictGlyphs[verdict]}
        </span>{' '}
        <a class="whole-row" href={to('camera', camera, id)}>
          <time dateTime={at}>{timeText(at, nowMs.peek())}</time>
        </a>
      </>,
      camera,
      <>
        {predicted} <span class="quiet">{chanceText(chanceOf(outcome))}</span>
      </>,
      <>
        {what} <span class="quiet">{more}</span>
      </>,
      leadText(leadMs),
      markText(brier),
    ],
  };
}

/** Undefined: there is no way to NATS. */
function openOutcomes(filter: HistoryFilter): History<Outcome> | undefined {
  const nats = natsLink();
  if (nats === undefined) return undefined;
  const site = siteOf();
  const all = subjects.all(site, 'outcome');
  const subject = filter.camera === null ? all : subjects.of(site, filter.camera, 'outcome');
  return openHistory(
    // The connection may be another one by then.
    {
      last: (...of) => (natsLink() ?? nats).last(...of),
      next: (...of) => (natsLink() ?? nats).next(...of),
    },
    { stream: streamName(site, 'outcome'), subject, all },
    spanOf(filter, nowMs.peek()),
    (value) => {
      const { data } = OutcomeSchema.safeParse(value);
      return data !== undefined && passes(data, filter) ? data : undefined;
    },
  );
}
