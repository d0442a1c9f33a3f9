/** The forecast that is open: from what the page knows, else from what is stored. */
import { useSignal, useSignalEffect, type ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Forecast, Outcome } from '../../messages.js';
import { findForecast } from './find-forecast.js';
import { link, natsLink, siteOf, type CameraView } from './store.js';

export type OpenForecast =
  /** `unread`: it could not be looked for. */
  | { readonly state: 'none' | 'looking' | 'gone' | 'unread' }
  | { readonly state: 'open'; readonly forecast: Forecast; readonly outcome: Outcome | undefined };

const none: OpenForecast = { state: 'none' };

/** What was shown stays, also when the page has forgotten it since. */
export function useForecast(
  camera: CameraView,
  id: string | undefined,
): ReadonlySignal<OpenForecast> {
  const wanted = useSignal(id);
  const shown = useSignal<OpenForecast>(none);
  const shownFor = useRef(id);
  useEffect(() => {
    wanted.value = id;
  }, [id]);
  useSignalEffect(() => {
    const now = wanted.value;
    if (now === undefined) {
      shown.value = none;
      return;
    }
    // What was said of another one does not hold for this.
    const before = shownFor.current === now ? shown.peek() : none;
    shownFor.current = now;
    const kept = before.state === 'open' && before.forecast.id === now ? before : undefined;
    const forecast = camera.forecasts.value.find((one) => one.id === now) ?? kept?.forecast;
    const outcome = camera.outcomes.value.get(now) ?? kept?.outcome;
    if (forecast !== undefined) {
      if (kept?.forecast !== forecast || kept.outcome !== outcome) {
        shown.value = { state: 'open', forecast, outcome };
      }
    } else if (before.state !== 'gone' && before.state !== 'unread')
      shown.value = { state: 'looking' };
  });
  useSignalEffect(() => {
    const now = wanted.value;
    const reader = link.value.state === 'open' ? natsLink() : undefined;
    if (now === undefined || reader === undefined) return;
    if (camera.forecasts.peek().some((one) => one.id === now)) return;
    let isWanted = true;
    const tell = (found: OpenForecast): void => {
      if (isWanted && shown.peek().state !== 'open') shown.value = found;
    };
    findForecast(reader, siteOf(), camera.name, now).then(
      (found) => tell(found === undefined ? { state: 'gone' } : { state: 'open', ...found }),
      () => tell({ state: 'unread' }),
    );
    return () => {
      isWanted = false;
    };
  });
  return shown;
}
