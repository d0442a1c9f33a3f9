/** One colour for each class of things, in masks, bars and log alike; they stand out on light and on dark ground. */
const ofClass = {
  person: '#e8963a',
  child: '#e5484d',
  car: '#4c8dff',
  van: '#1fa7b8',
  forklift: '#c9a400',
  bicycle: '#9b6cff',
  dog: '#b5713a',
  ball: '#f0569c',
  parcel: '#c07f52',
  pallet: '#a3834f',
  stack: '#8b7658',
  gate: '#4fae53',
  door: '#6c7bd9',
  dock: '#6f93ad',
  light: '#d8574a',
};
const other = '#8b98a5';

export const colourOf = (name) => (Object.hasOwn(ofClass, name ?? '') ? ofClass[name] : other);

/** As bytes. */
export function rgbOf(name) {
  const value = parseInt(colourOf(name).slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
