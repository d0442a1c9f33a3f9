/**
 * A pinhole camera above the ground. The ground: x to the right, z away from the camera, y up, all in metres; the camera
 * stands at (x, heightM, 0), turned by `pan` and tilted down by `tilt`.
 */
export const widthPx = 320;
export const heightPx = 180;

export interface Camera {
  readonly xM: number;
  readonly heightM: number;
  /** Radians; positive looks to the right. */
  readonly pan: number;
  /** Radians below the horizon. */
  readonly tilt: number;
  /** Focal length in pixels of the 320-pixel-wide picture. */
  readonly focalPx: number;
}

export interface Point {
  /** Pixels of the 320 x 180 picture, from its left and upper edge. */
  readonly u: number;
  readonly v: number;
  /** Metres along the camera's axis; what is nearer hides what is farther. */
  readonly depthM: number;
}

/** Where a point of the world appears. */
export function project(camera: Camera, x: number, y: number, z: number): Point {
  const sinPan = Math.sin(camera.pan);
  const cosPan = Math.cos(camera.pan);
  const sinTilt = Math.sin(camera.tilt);
  const cosTilt = Math.cos(camera.tilt);
  const dx = x - camera.xM;
  const drop = camera.heightM - y;
  const right = dx * cosPan - z * sinPan;
  const ahead = dx * sinPan + z * cosPan;
  const depthM = ahead * cosTilt + drop * sinTilt;
  return {
    u: widthPx / 2 + (camera.focalPx * right) / depthM,
    v: heightPx / 2 + (camera.focalPx * (drop * cosTilt - ahead * sinTilt)) / depthM,
    depthM,
  };
}

/** The x of the ground points at depth z that the picture's left and right edge cut. */
export function groundRange(camera: Camera, z: number): readonly [left: number, right: number] {
  const at = (u: number): number => {
    const { pan, tilt, focalPx, heightM, xM } = camera;
    const k = u - widthPx / 2;
    const sinPan = Math.sin(pan);
    const cosPan = Math.cos(pan);
    const cosTilt = Math.cos(tilt);
    // f (dx cos - z sin) = k ((dx sin + z cos) cosTilt + height sinTilt), solved for dx.
    const dx =
      (focalPx * z * sinPan + k * (z * cosPan * cosTilt + heightM * Math.sin(tilt))) /
      (focalPx * cosPan - k * sinPan * cosTilt);
    return xM + dx;
  };
  return [at(0), at(widthPx)];
}
