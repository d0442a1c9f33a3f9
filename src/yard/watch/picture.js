/* global document, ImageData, OffscreenCanvas, TextDecoder, devicePixelRatio */
/** Pictures as they come: a head that says what they are, then their bytes. */
import { colourOf, rgbOf } from '/colours.js';

const inside = 105;
const edge = 235;

export function parsePicture(buffer) {
  const headBytes = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headBytes)));
  const pixels = new Uint8ClampedArray(buffer, 4 + headBytes, head.width * head.height * 4);
  return { head, pixels, ids: new Uint8Array(buffer, 4 + headBytes + pixels.length) };
}

export function drawPicture(canvas, { width, height }, pixels) {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0);
}

/** Translucent, with an edge, and the name of its class on each thing. */
export function drawMasks(canvas, { width, height, objects }, ids) {
  const image = new ImageData(width, height);
  const colours = objects.map((object) => rgbOf(object.class));
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at];
    if (id === 0) continue;
    const isEdge =
      ids[at - 1] !== id || ids[at + 1] !== id || ids[at - width] !== id || ids[at + width] !== id;
    image.data.set(colours[id - 1], at * 4);
    image.data[at * 4 + 3] = isEdge ? edge : inside;
  }
  const small = new OffscreenCanvas(width, height);
  small.getContext('2d').putImageData(image, 0, 0);
  const scale = devicePixelRatio;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  for (const object of objects) drawName(context, object, canvas);
}

function drawName(context, { class: name, box: [x, y, width] }, canvas) {
  context.font = '600 12px system-ui, sans-serif';
  const wide = context.measureText(name).width + 8;
  const middle = (x + width / 2) * canvas.clientWidth;
  const left = Math.min(Math.max(0, middle - wide / 2), canvas.clientWidth - wide);
  const top = Math.max(0, y * canvas.clientHeight - 19);
  context.fillStyle = '#000b';
  context.fillRect(left, top, wide, 17);
  context.fillStyle = colourOf(name);
  context.fillRect(left, top, 3, 17);
  context.fillStyle = '#fff';
  context.fillText(name, left + 5.5, top + 12.5);
}

export function clear(canvas) {
  canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
}

export function newThumbnail() {
  const canvas = document.createElement('canvas');
  canvas.width = 160;
  canvas.height = 90;
  return canvas;
}
