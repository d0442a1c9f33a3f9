/** One animation loop for every drawing of the page: each as often as it needs, none off screen, a few milliseconds a frame. */
import { observe } from './on-screen.js';

interface Drawing {
  readonly draw: () => void;
  /** Read anew after every drawing. */
  readonly everyMs: () => number;
  dueMs: number;
  isOnScreen: boolean;
}

const drawings = new Set<Drawing>();
/** What is due but does not fit waits for the next frame, so that no frame takes long. */
const budgetMs = 4;
let frame = 0;

/** Milliseconds between drawings that never come by themselves. */
export const onlyWhenAsked = Infinity;

export interface DrawingHandle {
  /** Draws at the next frame. */
  readonly ask: () => void;
  readonly stop: () => void;
}

/** @param element nothing is drawn while it is off screen */
export function drawOften(
  element: Element,
  draw: () => void,
  everyMs: () => number,
): DrawingHandle {
  const drawing: Drawing = { draw, everyMs, dueMs: 0, isOnScreen: false };
  drawings.add(drawing);
  const stopObserving = observe(element, (isOnScreen) => {
    drawing.isOnScreen = isOnScreen;
    if (isOnScreen) drawing.dueMs = 0;
    wake();
  });
  return {
    ask: () => {
      drawing.dueMs = 0;
      wake();
    },
    stop: () => {
      stopObserving();
      drawings.delete(drawing);
    },
  };
}

function wake(): void {
  if (frame === 0) frame = requestAnimationFrame(drawDue);
}

function drawDue(): void {
  frame = 0;
  const startMs = performance.now();
  const shown = [...drawings].filter(({ isOnScreen }) => isOnScreen);
  const due = shown.filter(({ dueMs }) => dueMs <= startMs).sort((a, b) => a.dueMs - b.dueMs);
  for (const drawing of due) {
    drawing.draw();
    drawing.dueMs = startMs + drawing.everyMs();
    if (performance.now() - startMs > budgetMs) break;
  }
  if (shown.some(({ dueMs }) => dueMs !== Infinity)) wake();
}
