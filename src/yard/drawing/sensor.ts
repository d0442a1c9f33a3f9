/** From samples to a picture: four make a pixel, and the sensor adds its noise. */
import { heightPx, widthPx } from '../world/camera.js';
import type { Place } from '../world/place.js';
import { randomBits, RandomStream, stream } from '../world/random.js';
import type { Brush } from './brush.js';
import { cloudGain, pictureGrid, shakeOf } from './weather.js';

const noiseStream = stream('noise at');
const noiseLength = 1 << 18;
const byteFrom = 128;

let unitNoise: Float32Array | undefined;

/** Roughly normal, standard deviation 1; the same for all places. */
function noise(): Float32Array {
  if (unitNoise) return unitNoise;
  const random = new RandomStream(1, 'noise');
  unitNoise = new Float32Array(noiseLength);
  for (let i = 0; i < noiseLength; i++)
    unitNoise[i] =
      (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2) *
      Math.sqrt(3);
  return unitNoise;
}

export class Sensor {
  private readonly place: Place;
  private readonly noise: Int8Array;
  /** The nearest byte to each number from -byteFrom on. */
  private readonly bytes = Uint8ClampedArray.from(
    { length: 256 + 2 * byteFrom },
    (_, i) => i - byteFrom,
  );

  constructor(place: Place) {
    this.place = place;
    this.noise = Int8Array.from(noise(), (value) => Math.round(value * place.appearance.noise));
  }

  /** The picture: rgba, 320 x 180. */
  expose({ colours, width }: Brush, tick: number): Buffer {
    const { place, noise: table, bytes } = this;
    const pixels = new Uint32Array(widthPx * heightPx);
    const shift = shakeOf(place, tick);
    // In 1/256 of a quarter: whole numbers throughout, since every pixel passes here.
    const gain = Math.round(cloudGain(place, tick) * 256);
    let grain = randomBits(place.seed, noiseStream, tick) & (noiseLength - 1);
    let out = 0;
    for (let y = 0; y < heightPx; y++) {
      let at = (2 * y + pictureGrid.padY + shift.y) * width + pictureGrid.padX + shift.x;
      for (let x = 0; x < widthPx; x++, at += 2, out++) {
        const a = colours[at]!;
        const b = colours[at + 1]!;
        const c = colours[at + width]!;
        const d = colours[at + width + 1]!;
        // Red and blue are summed in one word: four of them stay below the next channel.
        const redBlue = (a & 0xff00ff) + (b & 0xff00ff) + (c & 0xff00ff) + (d & 0xff00ff);
        const green = (a & 0xff00) + (b & 0xff00) + (c & 0xff00) + (d & 0xff00);
        const grey = table[grain]! + byteFrom;
        grain = (grain + 1) & (noiseLength - 1);
        // The words of a Uint32Array lie with their lowest byte first: red.
        pixels[out] =
          0xff000000 |
          (bytes[(((redBlue & 0xffff) * gain) >> 10) + grey]! << 16) |
          (bytes[(((green >> 8) * gain) >> 10) + grey]! << 8) |
          bytes[(((redBlue >> 16) * gain) >> 10) + grey]!;
      }
    }
    return Buffer.from(pixels.buffer);
  }
}
