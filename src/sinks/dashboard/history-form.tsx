/** What of the history is looked at. Each change is a new address. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { isLength, queryOf, verdicts, type HistoryFilter, type Verdict } from './history-filter.js';
import { to } from './route.js';
import { cameras } from './store.js';

const lengthWords = [
  ['', 'any time'],
  ['hour', 'the last hour'],
  ['day', 'the last day'],
  ['week', 'the last week'],
  ['chosen', 'from – to …'],
] as const;

export function HistoryForm({ filter }: { readonly filter: HistoryFilter }): ComponentChild {
  const isChoosing = useSignal(false);
  const change = (changed: Partial<HistoryFilter>): void => {
    location.hash = to('history') + queryOf({ ...filter, ...changed });
  };
  const label = useDraft(filter.label, (text) => change({ label: text }));
  const least = useDraft(filter.min === 0 ? '' : String(Math.round(filter.min * 100)), (percent) =>
    change({ min: Math.min(100, Math.max(0, Number(percent) || 0)) / 100 }),
  );
  const isChosen =
    isChoosing.value || filter.to !== null || (filter.from !== null && !isLength(filter.from));
  const isFiltered = queryOf(filter) !== '';

  return (
    <form class="filters panel" role="search" aria-label="Filters" onSubmit={stay}>
      <label>
        Camera
        <select
          value={filter.camera ?? ''}
          onChange={({ currentTarget: { value } }) => change({ camera: value || null })}
        >
          <option value="">every camera</option>
          {cameraNames(filter.camera).map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        Event
        <input
          {...label}
          list="known-labels"
          maxLength={80}
          placeholder="any, for example enters"
        />
        <datalist id="known-labels">
          {knownLabels().map((label) => (
            <option key={label} value={label} />
          ))}
        </datalist>
      </label>
      <label>
        Verdict
        <select
          value={filter.verdict ?? ''}
          onChange={({ currentTarget: { value } }) =>
            change({ verdict: value === '' ? null : (value as Verdict) })
          }
        >
          <option value="">any</option>
          {verdicts.map((verdict) => (
            <option key={verdict} value={verdict}>
              {verdict}
            </option>
          ))}
        </select>
      </label>
      <label>
        Chance, least %
        <input
          {...least}
          type="number"
          min={0}
          max={100}
          step={5}
          inputMode="numeric"
          placeholder="any"
        />
      </label>
      <label>
        Time
        <select
          value={isChosen ? 'chosen' : (filter.from ?? '')}
          onChange={({ currentTarget: { value } }) => {
            isChoosing.value = value === 'chosen';
            if (value !== 'chosen') change({ from: value || null, to: null });
          }}
        >
          {lengthWords.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {isChosen && (
        <>
          <Moment
            title="From"
            value={filter.from === null || isLength(filter.from) ? null : filter.from}
            onChange={(from) => change({ from })}
          />
          <Moment title="To" value={filter.to} onChange={(until) => change({ to: until })} />
        </>
      )}
      {isFiltered && (
        <button
          type="button"
          onClick={() => {
            isChoosing.value = false;
            location.hash = to('history');
          }}
        >
          Clear filters
        </button>
      )}
    </form>
  );
}

interface Draft {
  readonly value: string;
  readonly onInput: (event: { readonly currentTarget: HTMLInputElement }) => void;
  readonly onChange: (event: { readonly currentTarget: HTMLInputElement }) => void;
}

/**
 * For a field in which is typed: what is being typed stays, whatever is drawn anew meanwhile.
 *
 * @param onTyped called when the field is left, or Enter is pressed
 */
function useDraft(value: string, onTyped: (value: string) => void): Draft {
  const draft = useSignal<string | undefined>(undefined);
  return {
    value: draft.value ?? value,
    onInput: ({ currentTarget }) => (draft.value = currentTarget.value),
    onChange: ({ currentTarget }) => {
      draft.value = undefined;
      onTyped(currentTarget.value.trim());
    },
  };
}

interface MomentProps {
  readonly title: string;
  readonly value: string | null;
  readonly onChange: (iso: string | null) => void;
}

function Moment({ title, value, onChange }: MomentProps): ComponentChild {
  return (
    <label>
      {title}
      <input
        type="datetime-local"
        value={value === null ? '' : localText(value)}
        onChange={({ currentTarget }) => {
          const at = new Date(currentTarget.value);
          onChange(Number.isNaN(at.getTime()) ? null : at.toISOString());
        }}
      />
    </label>
  );
}

/** As the field takes it: no zone, to the minute. */
function localText(iso: string): string {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function stay(event: Event): void {
  event.preventDefault();
}

/** One that is gone may still have a history. */
function cameraNames(chosen: string | null): readonly string[] {
  const names = (cameras.value ?? []).map(({ name }) => name);
  return chosen === null || names.includes(chosen) ? names : [...names, chosen];
}

function knownLabels(): readonly string[] {
  const labels = (cameras.value ?? []).flatMap(({ score }) =>
    Object.keys(score.value?.periods.week.labels ?? {}),
  );
  return [...new Set(labels)].sort();
}
