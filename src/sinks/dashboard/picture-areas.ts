/** What is known of each camera's picture within the models' frame. */
import { signal, type Signal } from '@preact/signals';
import { pictureArea, wholeFrame, type PictureArea } from './picture-area.js';
import type { SceneMessage } from '../../messages.js';
import type { CameraView } from './store.js';
import { barsOf } from './still-bars.js';

interface Known {
  readonly area: Signal<PictureArea>;
  /** Objects told it; until then it is guessed from black bars. */
  isSure: boolean;
}

const areas = new WeakMap<CameraView, Known>();

function knownOf(camera: CameraView): Known {
  const known = areas.get(camera) ?? { area: signal(wholeFrame), isSure: false };
  areas.set(camera, known);
  return known;
}

/** Once known it stays: scenes without objects tell nothing. */
export function areaOf(camera: CameraView): Signal<PictureArea> {
  return knownOf(camera).area;
}

export function learnFromScene(camera: CameraView, { objects }: SceneMessage): void {
  const told = pictureArea(objects);
  if (told === undefined) return;
  const known = knownOf(camera);
  known.isSure = true;
  tell(known.area, told);
}

export function learnFromStill(camera: CameraView, bitmap: ImageBitmap): void {
  const known = knownOf(camera);
  if (known.isSure) return;
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) return;
  context.drawImage(bitmap, 0, 0);
  tell(known.area, barsOf(context.getImageData(0, 0, width, height).data, width, height));
}

function tell(area: Signal<PictureArea>, now: PictureArea): void {
  const { width, height } = area.peek();
  if (Math.abs(now.width - width) + Math.abs(now.height - height) > 0.004) area.value = now;
}
