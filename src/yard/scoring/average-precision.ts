/** A found mask that is right or wrong; ignored ones are none. */
export interface JudgedMask {
  readonly scene: number;
  readonly score: number;
  readonly isRight: boolean;
}

/**
 * COCO's average precision: the mean, over the recalls 0, 0.01, ... 1, of the best precision at that recall or beyond.
 *
 * @param masks of all pictures, best score first
 * @param truths how many things each scene has to be found
 * @param timesOf how often a scene counts: the bootstrap draws some twice and some not at all
 * @returns 0 to 1; NaN where there is nothing to be found
 */
export function averagePrecision(
  masks: readonly JudgedMask[],
  truths: ReadonlyMap<number, number>,
  timesOf: (scene: number) => number,
): number {
  let total = 0;
  for (const [scene, count] of truths) total += count * timesOf(scene);
  if (total === 0) return NaN;
  const precisions = new Float64Array(masks.length);
  const rights = new Float64Array(masks.length);
  let right = 0;
  let all = 0;
  masks.forEach(({ scene, isRight }, index) => {
    const times = timesOf(scene);
    all += times;
    if (isRight) right += times;
    rights[index] = right;
    precisions[index] = all === 0 ? 0 : right / all;
  });
  for (let index = masks.length - 2; index >= 0; index--)
    precisions[index] = Math.max(precisions[index]!, precisions[index + 1]!);
  let sum = 0;
  let at = 0;
  for (let percent = 0; percent <= 100; percent++) {
    while (at < masks.length && rights[at]! * 100 < percent * total) at++;
    sum += precisions[at] ?? 0;
  }
  return sum / 101;
}
