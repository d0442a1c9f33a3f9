/** Colours are numbers 0xRRGGBB: cheap to keep, to mix and to write into a picture. */
export type Colour = number;

const byte = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value | 0);

/** Channels outside 0 to 255 are cut. */
function rgb(red: number, green: number, blue: number): Colour {
  return (byte(red) << 16) | (byte(green) << 8) | byte(blue);
}

/** Each channel times its share. */
export function lit(colour: Colour, red: number, green: number, blue: number): Colour {
  return rgb(((colour >> 16) & 255) * red, ((colour >> 8) & 255) * green, (colour & 255) * blue);
}

export const scaled = (colour: Colour, share: number): Colour => lit(colour, share, share, share);

/** `share` 0 gives `from`, 1 gives `to`. */
export function mixed(from: Colour, to: Colour, share: number): Colour {
  const at = (shift: number): number => {
    const low = (from >> shift) & 255;
    return low + (((to >> shift) & 255) - low) * share;
  };
  return rgb(at(16), at(8), at(0));
}

/** Hue 0 to 360, saturation and lightness in %. */
export function hsl(hue: number, saturation: number, lightness: number): Colour {
  const light = lightness / 100;
  const chroma = (saturation / 100) * Math.min(light, 1 - light);
  const channel = (offset: number): number => {
    const k = (((offset + hue / 30) % 12) + 12) % 12;
    return 255 * (light - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return rgb(channel(0), channel(8), channel(4));
}

/** One of a palette, by a share from 0 to 1. */
export function pickColour(palette: readonly [Colour, ...Colour[]], share: number): Colour {
  return palette[Math.min(palette.length - 1, Math.floor(share * palette.length))] ?? palette[0];
}
