/** A canvas as large as it is shown, drawn anew as often as it needs. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { surfaceOf, watchSize, type Surface } from './canvas-size.js';
import { drawOften, type DrawingHandle } from './draw-loop.js';

export interface CanvasDrawing {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  /** Draws at the next frame. */
  readonly ask: () => void;
}

/**
 * @param draw onto what has been cleared
 * @param everyMs read anew after every drawing
 * @param inputs what the two depend on, beside what they peek at
 */
export function useDrawing(
  draw: (surface: Surface) => void,
  everyMs: () => number,
  inputs: readonly unknown[],
): CanvasDrawing {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<DrawingHandle | undefined>(undefined);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const onto = (): void => {
      const surface = surfaceOf(element);
      if (surface !== undefined) draw(surface);
    };
    const stopSizing = watchSize(element);
    const handle = drawOften(element, onto, everyMs);
    drawing.current = handle;
    element.addEventListener('resized', handle.ask);
    return () => {
      element.removeEventListener('resized', handle.ask);
      stopSizing();
      handle.stop();
      drawing.current = undefined;
    };
  }, inputs);
  return { canvas, ask: () => drawing.current?.ask() };
}
