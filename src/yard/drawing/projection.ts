import { heightPx, widthPx } from '../world/camera.js';
import type { Camera } from '../world/camera.js';

/**
 * What `project` of world/camera.ts says, to the last bits, for thousands of points a frame: the camera's turn is worked out
 * once, and the answer lies in fields instead of a new object.
 */
export class Projection {
  /** Pixels of the 320 x 180 picture. */
  u = 0;
  v = 0;
  /** 1 / depth in metres. */
  nearness = 0;
  private readonly camera: Camera;
  private readonly sinPan: number;
  private readonly cosPan: number;
  private readonly sinTilt: number;
  private readonly cosTilt: number;

  constructor(camera: Camera) {
    this.camera = camera;
    this.sinPan = Math.sin(camera.pan);
    this.cosPan = Math.cos(camera.pan);
    this.sinTilt = Math.sin(camera.tilt);
    this.cosTilt = Math.cos(camera.tilt);
  }

  see(x: number, y: number, z: number): void {
    const { camera, sinPan, cosPan, sinTilt, cosTilt } = this;
    const dx = x - camera.xM;
    const drop = camera.heightM - y;
    const ahead = dx * sinPan + z * cosPan;
    const nearness = 1 / (ahead * cosTilt + drop * sinTilt);
    const scale = camera.focalPx * nearness;
    this.u = widthPx / 2 + scale * (dx * cosPan - z * sinPan);
    this.v = heightPx / 2 + scale * (drop * cosTilt - ahead * sinTilt);
    this.nearness = nearness;
  }
}
