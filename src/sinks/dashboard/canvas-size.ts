/** A canvas as large as it is shown, in the screen's own pixels. */
export interface Surface {
  readonly context: CanvasRenderingContext2D;
  /** CSS pixels; the context is scaled so that these are what it counts in. */
  readonly width: number;
  readonly height: number;
}

const sizes = new WeakMap<Element, { width: number; height: number }>();
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    sizes.set(target, { width: contentRect.width, height: contentRect.height });
    target.dispatchEvent(new Event('resized'));
  }
});

/** From now on its size is known without asking the layout. It gets the event `resized`. Returns what ends it. */
export function watchSize(canvas: HTMLCanvasElement): () => void {
  observer.observe(canvas);
  return () => {
    observer.unobserve(canvas);
  };
}

/** Cleared. Undefined: it has no size yet. */
export function surfaceOf(canvas: HTMLCanvasElement): Surface | undefined {
  const size = sizes.get(canvas);
  const context = canvas.getContext('2d');
  if (size === undefined || context === null || size.width < 1 || size.height < 1) return undefined;
  const scale = Math.min(devicePixelRatio, 2);
  const [width, height] = [Math.round(size.width * scale), Math.round(size.height * scale)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  return { context, width: size.width, height: size.height };
}
