import type { Vehicle } from '../world/things.js';
import { drawCar } from './cars.js';
import { Frame } from './pen.js';
import type { Pen } from './pen.js';
import { drawVan } from './vans.js';
import type { VehicleLook } from './vehicle-parts.js';

/** 0 to the right; the world counts from the road's direction. */
export function angleOf({ heading }: Vehicle, direction: 1 | -1): number {
  return direction === 1 ? heading : Math.PI - heading;
}

export function drawVehicle(pen: Pen, look: VehicleLook): void {
  const { vehicle, direction } = look;
  const frame = new Frame(vehicle.x, vehicle.z, angleOf(vehicle, direction));
  if (vehicle.kind === 'car') drawCar(pen, frame, look);
  else drawVan(pen, frame, look);
}
