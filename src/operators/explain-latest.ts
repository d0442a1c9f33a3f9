import { defer, EMPTY, switchMap, tap, type Observable, type OperatorFunction } from 'rxjs';
import type { Forecast } from '../messages.js';

export interface ExplainOptions<In, Out> {
  readonly forecastOf: (predicted: In) => Forecast;
  /** By how much the chance of the same likeliest answer must differ from that of the last explained forecast. */
  readonly changeMin: number;
  readonly explain: (predicted: In) => Observable<Out>;
  readonly onDrop: (dropped: In) => void;
}

/**
 * Explains reasoned forecasts whose likeliest answer, or its chance, is notably another than when last explained. The
 * next forecast ends an explanation that is not there yet: the last message of a camera is always of its newest forecast.
 *
 * ```
 * forecasts     a-----b-c-----|       each explanation takes 4 frames
 * explanations  ----A-------C-|       b is dropped
 * ```
 */
export function explainLatest<In, Out>({
  forecastOf,
  changeMin,
  explain,
  onDrop,
}: ExplainOptions<In, Out>): OperatorFunction<In, Out> {
  return (predicted$) =>
    defer(() => {
      let explained: Forecast | null = null;
      return predicted$.pipe(
        switchMap((predicted) => {
          const forecast = forecastOf(predicted);
          if (forecast.basis === 'carried') return EMPTY;
          if (explained !== null && !isNews(explained, forecast, changeMin)) return EMPTY;
          return explain(predicted).pipe(
            tap({ next: () => (explained = forecast), unsubscribe: () => onDrop(predicted) }),
          );
        }),
      );
    });
}

function isNews(before: Forecast, now: Forecast, changeMin: number): boolean {
  const [old, top] = [likeliest(before), likeliest(now)];
  return old.label !== top.label || Math.abs(old.confidence - top.confidence) >= changeMin;
}

function likeliest({ events: [best], nothing }: Forecast): { label: string; confidence: number } {
  return best && best.confidence >= nothing ? best : { label: 'nothing', confidence: nothing };
}
