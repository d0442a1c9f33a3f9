/** The future lane of a camera: what is forecast right of now, what was forecast and what came left of it. */
import { useComputed, useSignal, useSignalEffect, type ReadonlySignal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Forecast, Outcome } from '../../messages.js';
import { columnAt, columnsOf } from './lane-columns.js';
import { drawLane, scaleOf, type LaneSpan, type LaneView } from './lane-draw.js';
import { msAt } from './lane-scale.js';
import { moved } from './roving.js';
import { engineNowMs, pastMs, type CameraView } from './store.js';
import { isDark, isMotionReduced, isNarrow } from './theme.js';
import { touch } from './touch.js';
import { useDrawing } from './use-drawing.js';
import { forecastWords, stateWords } from './words.js';

export interface FutureLaneProps {
  readonly camera: CameraView;
  readonly isWide: boolean;
  /** The forecast whose details are shown. */
  readonly openId?: string | undefined;
  readonly lit?: ReadonlySignal<LaneSpan | undefined> | undefined;
  readonly onOpen: (forecast: Forecast) => void;
}

const tilePastMs = 20_000;
const aheadDefaultMs = 4_000;

export function FutureLane({
  camera,
  isWide,
  openId,
  lit,
  onOpen,
}: FutureLaneProps): ComponentChild {
  const shownMs = isWide ? (isNarrow.value ? pastMs / 2 : pastMs) : tilePastMs;
  const past = useRef(shownMs);
  past.current = shownMs;
  const columns = useComputed(() => columnsOf(camera.forecasts.value, camera.outcomes.value));
  const activeId = useSignal<string | undefined>(undefined);
  const hoverId = useSignal<string | undefined>(undefined);
  const hasFocus = useSignal(false);
  const open = useRef(openId);
  open.current = openId;

  const view = (): LaneView => {
    const forecasts = camera.forecasts.peek();
    const opened = forecasts.find(({ id }) => id === open.current);
    return {
      columns: columns.peek(),
      events: camera.events.peek(),
      nowMs: engineNowMs(),
      pastMs: past.current,
      aheadMs: forecasts.at(-1)?.horizonMs ?? aheadDefaultMs,
      openId: open.current,
      activeId: hoverId.peek() ?? (hasFocus.peek() ? activeId.peek() : undefined),
      window: opened && {
        fromMs: Date.parse(opened.window.from),
        toMs: Date.parse(opened.window.to),
      },
      horizon: opened && {
        fromMs: Date.parse(opened.window.to),
        toMs: Date.parse(opened.validUntil),
      },
      lit: lit?.peek(),
      note: noteOf(camera),
    };
  };

  const { canvas, ask } = useDrawing(
    (surface) => drawLane(surface, view(), isWide),
    () => (isMotionReduced.peek() || columns.peek().length === 0 ? 1_000 : isWide ? 32 : 96),
    [camera, isWide],
  );

  useSignalEffect(() => {
    touch(columns, camera.events, camera.now, activeId, hoverId, hasFocus, lit, isDark);
    ask();
  });

  useEffect(() => {
    if (openId !== undefined) activeId.value = openId;
    ask();
  }, [openId]);

  const forecastAt = (event: MouseEvent): Forecast | undefined => {
    const area = canvas.current?.getBoundingClientRect();
    if (area === undefined) return undefined;
    const ms = msAt(scaleOf(area.width, view()), event.clientX - area.left);
    const id = columnAt(columns.peek(), ms)?.id;
    return camera.forecasts.peek().find((forecast) => forecast.id === id);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const forecasts = camera.forecasts.peek().filter(isShown(shownMs));
    const ids = forecasts.map(({ id }) => id);
    const at = activeId.peek();
    const next = moved(ids, at, event.key);
    if (next !== undefined) {
      activeId.value = next;
      // While details are open they follow.
      if (open.current !== undefined) openBy(next);
    } else if (event.key === 'Enter' || event.key === ' ') openBy(at ?? ids.at(-1));
    else return;
    event.preventDefault();
  };
  const openBy = (id: string | undefined): void => {
    const forecast = camera.forecasts.peek().find((one) => one.id === id);
    if (forecast !== undefined) onOpen(forecast);
  };

  return (
    <div class={isWide ? 'lane wide' : 'lane'}>
      <canvas
        ref={canvas}
        aria-hidden="true"
        class={hoverId.value === undefined ? '' : 'hit'}
        onPointerMove={(event) => (hoverId.value = forecastAt(event)?.id)}
        onPointerLeave={() => (hoverId.value = undefined)}
        onClick={(event) => {
          const forecast = forecastAt(event);
          if (forecast === undefined) return;
          activeId.value = forecast.id;
          onOpen(forecast);
        }}
      />
      <Options
        camera={camera}
        shownMs={shownMs}
        activeId={activeId}
        takesFocus={openId !== undefined}
        onKeyDown={onKeyDown}
        onFocus={() => {
          hasFocus.value = true;
          const forecasts = camera.forecasts.peek();
          if (!forecasts.some(({ id }) => id === activeId.peek())) {
            activeId.value = forecasts.at(-1)?.id;
          }
        }}
        onBlur={() => (hasFocus.value = false)}
      />
    </div>
  );
}

function isShown(shownMs: number): (forecast: Forecast) => boolean {
  const nowMs = engineNowMs();
  return ({ window }) => nowMs - Date.parse(window.to) < shownMs;
}

function noteOf({ now, forecasts }: CameraView): string {
  const { state } = now.peek();
  if (state !== 'online') return `no forecast: ${stateWords[state]}`;
  return forecasts.peek().length === 0 ? 'first forecast is on its way' : 'no forecast';
}

interface OptionsProps {
  readonly camera: CameraView;
  readonly shownMs: number;
  readonly activeId: ReadonlySignal<string | undefined>;
  /** Whoever opens a forecast goes on from it by keys. */
  readonly takesFocus: boolean;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly onFocus: () => void;
  readonly onBlur: () => void;
}

/** The same for the keyboard and for those who listen: each forecast is a sentence. */
function Options({
  camera,
  shownMs,
  activeId,
  takesFocus,
  ...handlers
}: OptionsProps): ComponentChild {
  const forecasts = camera.forecasts.value.filter(isShown(shownMs));
  const list = useRef<HTMLDivElement>(null);
  const isEmpty = forecasts.length === 0;
  useEffect(() => {
    if (takesFocus && document.activeElement === document.body) {
      list.current?.focus({ preventScroll: true });
    }
  }, [isEmpty]);
  if (isEmpty) {
    return <p class="unseen">No forecast of {camera.name} yet.</p>;
  }
  const outcomes = camera.outcomes.value;
  const active = activeId.value;
  const isThere = forecasts.some(({ id }) => id === active);
  return (
    <div
      ref={list}
      class="options"
      role="listbox"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label={`Forecasts of ${camera.name}, oldest first`}
      aria-activedescendant={isThere ? optionId(active!) : undefined}
      {...handlers}
    >
      {forecasts.map((forecast) => (
        <div
          key={forecast.id}
          id={optionId(forecast.id)}
          role="option"
          aria-selected={forecast.id === active}
          aria-label={wordsOf(forecast, outcomes.get(forecast.id))}
          data-verdict={outcomes.get(forecast.id)?.verdict ?? 'waiting'}
        />
      ))}
    </div>
  );
}

function optionId(id: string): string {
  return `forecast-${id}`;
}

const spoken = new WeakMap<Forecast, { outcome: Outcome | undefined; words: string }>();

function wordsOf(forecast: Forecast, outcome: Outcome | undefined): string {
  const known = spoken.get(forecast);
  if (known !== undefined && known.outcome === outcome) return known.words;
  const words = forecastWords(forecast, outcome);
  spoken.set(forecast, { outcome, words });
  return words;
}
