/** Privacy masks as people write them in the configuration: every fault gets its value and what to write instead. */
import { z } from 'zod';
import { bandsOf, faultOf, type Polygon } from './ingest/privacy-masks.js';

const masksMax = 16;
const cornersMax = 32;
/** Each is a filter in ffmpeg: 256 cost 4 ms for each frame of a Full HD camera on one core. */
const bandsMax = 256;

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const isNoShare = ({ input }: { readonly input?: unknown }): string =>
  `${shown(input)} is no share of the picture; give a number from 0 (left, top) to 1 (right, bottom): pixels divided by the picture's size`;

const ShareSchema = z
  .number({ error: isNoShare })
  .min(0, { error: isNoShare })
  .max(1, { error: isNoShare });

const CornerSchema = z
  .array(ShareSchema)
  .length(2, { error: ({ input }) => `a corner is [x, y], not ${shown(input)}` })
  .transform(([x, y]): [number, number] => [x!, y!]);

const PolygonSchema = z
  .array(CornerSchema)
  .min(3, {
    error: ({ input }) =>
      `a polygon of ${count(input)} corners is none; give 3 or more: [[x, y], [x, y], [x, y]]`,
    abort: true,
  })
  .max(cornersMax, {
    error: ({ input }) =>
      `the polygon has ${count(input)} corners, and ${cornersMax} is the most; divide it into several masks`,
    abort: true,
  })
  .superRefine((polygon, context) => {
    const fault = faultOf(polygon);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `the polygon ${fault}` });
  });

const RectangleSchema = z
  .strictObject({ x: ShareSchema, y: ShareSchema, width: ShareSchema, height: ShareSchema })
  .superRefine(({ x, y, width, height }, context) => {
    const refuse = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (width === 0) refuse('width', '0 hides nothing; give a share above 0');
    if (height === 0) refuse('height', '0 hides nothing; give a share above 0');
    // Not to the last bit: 0.7 and 0.3 may come to a little more than 1.
    if (x + width > 1 + 1e-9) refuse('width', `x and width come to ${x + width}; 1 at most`);
    if (y + height > 1 + 1e-9) refuse('height', `y and height come to ${y + height}; 1 at most`);
  });

const PrivacyMaskSchema = z
  .strictObject({
    name: z.string().min(1).max(64).nullable().default(null).describe('For people.'),
    polygon: PolygonSchema.nullable()
      .default(null)
      .describe('3 to 32 corners [x, y] in order; null: see rectangle.'),
    rectangle: RectangleSchema.nullable()
      .default(null)
      .describe('{ x, y, width, height }; null: see polygon.'),
  })
  .refine(({ polygon, rectangle }) => (polygon === null) !== (rectangle === null), {
    message: 'a mask is either a polygon or a rectangle; give exactly one of the two',
  });

type PrivacyMask = z.infer<typeof PrivacyMaskSchema>;

export const PrivacyMasksSchema = z
  .array(PrivacyMaskSchema)
  .max(masksMax, {
    error: ({ input }) =>
      `there are ${count(input)} masks, and ${masksMax} is the most for a camera; join some of them`,
    abort: true,
  })
  .superRefine((masks, context) => {
    const bands = polygonsOf(masks).flatMap(bandsOf).length;
    if (bands <= bandsMax) return;
    const message = `the masks take ${bands} rectangles to draw, and ${bandsMax} is the most; use fewer slanted edges`;
    context.addIssue({ code: 'custom', message });
  })
  .default([])
  .describe(
    'Areas that are blackened in ffmpeg before any model, message or live view sees the picture. Each is `{ name, polygon: [[x, y], …] }` with 3 to 32 corners in order, or `{ name, rectangle: { x, y, width, height } }`; the name can be left out. All numbers are shares of the picture from 0 to 1, from its left upper corner. At most 16.',
  );

/** What the configuration says, in the one form that the rest of the engine knows. */
export function polygonsOf(masks: readonly PrivacyMask[]): Polygon[] {
  return masks.flatMap(({ polygon, rectangle }) => {
    if (polygon !== null) return [polygon];
    return rectangle === null ? [] : [cornersOf(rectangle)];
  });
}

function cornersOf({ x, y, width, height }: Rectangle): Polygon {
  const [right, bottom] = [Math.min(1, x + width), Math.min(1, y + height)];
  return [
    [x, y],
    [right, y],
    [right, bottom],
    [x, bottom],
  ];
}

function count(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** JSON knows no NaN and no infinity. */
function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
