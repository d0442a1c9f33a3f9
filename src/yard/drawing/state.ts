import type { World } from '../world/world.js';

/** What of a world can be seen. */
export type YardState = Readonly<
  Pick<
    World,
    | 'place'
    | 'tick'
    | 'vehicles'
    | 'people'
    | 'child'
    | 'dog'
    | 'ball'
    | 'bicycle'
    | 'forklift'
    | 'parcel'
    | 'gate'
    | 'door'
    | 'dock'
    | 'light'
    | 'stack'
  >
>;
