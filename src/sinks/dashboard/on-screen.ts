/** Which elements can be seen: one observer for all. */
import { useEffect, useRef } from 'preact/hooks';
import { signal, useSignal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { RefObject } from 'preact';

const watchers = new Map<Element, Set<(isOnScreen: boolean) => void>>();
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      watchers.get(target)?.forEach((tell) => tell(isIntersecting));
    }
  },
  { rootMargin: '80px' },
);

/** Tells soon, then at every change. Returns what ends it. */
export function observe(element: Element, tell: (isOnScreen: boolean) => void): () => void {
  const known = watchers.get(element);
  const all = known ?? new Set();
  all.add(tell);
  watchers.set(element, all);
  // Observed anew, so that one who comes later is told too.
  observer.unobserve(element);
  observer.observe(element);
  return () => {
    all.delete(tell);
    if (all.size > 0) return;
    watchers.delete(element);
    observer.unobserve(element);
  };
}

/** Whether people look at the page at all. */
export const isPageVisible: Signal<boolean> = signal(document.visibilityState === 'visible');
document.addEventListener('visibilitychange', () => {
  isPageVisible.value = document.visibilityState === 'visible';
});

export function useOnScreen<T extends Element>(): readonly [
  RefObject<T | null>,
  ReadonlySignal<boolean>,
] {
  const element = useRef<T>(null);
  const isOnScreen = useSignal(false);
  useEffect(
    () =>
      element.current === null
        ? undefined
        : observe(element.current, (now) => (isOnScreen.value = now)),
    [],
  );
  return [element, isOnScreen];
}
