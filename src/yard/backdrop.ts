/** What stands still in one place, drawn once: sky, house, wall, pavements, road, grass. */
import { createCanvas } from '@napi-rs/canvas';
import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import { heightPx, widthPx } from './place.js';
import type { Place } from './place.js';
import { RandomStream } from './random.js';

/** Grains of slightly lighter and darker colour over a band of the picture. */
function grain(
  ctx: SKRSContext2D,
  random: RandomStream,
  top: number,
  bottom: number,
  count: number,
  strength: number,
): void {
  for (let i = 0; i < count; i++) {
    const light = random.chance(0.5) ? 255 : 0;
    ctx.fillStyle = `rgba(${String(light)}, ${String(light)}, ${String(light)}, ${String(strength * random.uniform())})`;
    const size = random.between(1, 3);
    ctx.fillRect(random.between(0, widthPx), random.between(top, bottom - 1), size * 1.6, size);
  }
}

function drawHouse(ctx: SKRSContext2D, place: Place, random: RandomStream): void {
  const { wallY, doorX, gateX, gateWidth, hues } = place;
  const onRight = doorX > gateX;
  const edge = onRight
    ? Math.max(gateX + gateWidth / 2 + 8, doorX - 60)
    : Math.min(gateX - gateWidth / 2 - 8, doorX + 60);
  const left = onRight ? edge : 0;
  const width = onRight ? widthPx - edge : edge;
  ctx.fillStyle = `hsl(${String(hues.house)} 30% 68%)`;
  ctx.fillRect(left, 10, width, wallY - 10);
  ctx.fillStyle = `hsl(${String(hues.house)} 35% 30%)`;
  ctx.fillRect(left - 3, 5, width + 6, 7);
  for (let x = left + 10; x < left + width - 16; x += 30) {
    if (Math.abs(x + 8 - doorX) < place.doorWidth / 2 + 12) continue;
    ctx.fillStyle = '#f2efe6';
    ctx.fillRect(x, 24, 17, 21);
    ctx.fillStyle = random.chance(0.3) ? '#d9c98a' : '#5d7488';
    ctx.fillRect(x + 2, 26, 13, 17);
    ctx.fillStyle = '#f2efe6';
    ctx.fillRect(x + 8, 26, 1, 17);
  }
  ctx.fillStyle = '#f2efe6';
  ctx.fillRect(doorX - place.doorWidth / 2 - 3, wallY - 53, place.doorWidth + 6, 53);
  ctx.fillStyle = '#17130f';
  ctx.fillRect(doorX - place.doorWidth / 2, wallY - 50, place.doorWidth, 50);
}

function drawGateway(ctx: SKRSContext2D, place: Place): void {
  const { wallY, gateX, gateWidth, hues } = place;
  const left = gateX - gateWidth / 2;
  ctx.fillStyle = `hsl(${String(hues.grass)} 30% 62%)`;
  ctx.fillRect(left, wallY - 42, gateWidth, 26);
  ctx.fillStyle = '#b9b2a2';
  ctx.beginPath();
  ctx.moveTo(left, wallY);
  ctx.lineTo(left + gateWidth * 0.18, wallY - 18);
  ctx.lineTo(left + gateWidth * 0.82, wallY - 18);
  ctx.lineTo(left + gateWidth, wallY);
  ctx.fill();
  ctx.fillStyle = `hsl(${String(hues.wall)} 18% 38%)`;
  ctx.fillRect(left - 6, wallY - 47, 6, 47);
  ctx.fillRect(left + gateWidth, wallY - 47, 6, 47);
}

/** The background of a place, 320 x 180. */
export function drawBackdrop(place: Place): Canvas {
  const random = new RandomStream(place.seed, 'backdrop');
  const canvas = createCanvas(widthPx, heightPx);
  const ctx = canvas.getContext('2d');
  const { wallY, roadTop, roadBottom, hues, roadGrey } = place;

  const sky = ctx.createLinearGradient(0, 0, 0, wallY);
  sky.addColorStop(0, '#8fb4dc');
  sky.addColorStop(1, '#d5e2ea');
  ctx.fillStyle = sky;
  ctx.fillRect(0, 0, widthPx, wallY);
  for (let i = 0; i < 7; i++) {
    ctx.fillStyle = `hsl(${String(hues.grass + random.between(-8, 20))} 28% ${String(random.between(24, 38))}%)`;
    ctx.beginPath();
    ctx.arc(random.between(0, widthPx), wallY - 34, random.between(10, 22), 0, 2 * Math.PI);
    ctx.fill();
  }

  ctx.fillStyle = `hsl(${String(hues.wall)} 22% 56%)`;
  ctx.fillRect(0, wallY - 42, widthPx, 42);
  ctx.fillStyle = `hsl(${String(hues.wall)} 20% 49%)`;
  for (let row = 0; row < 6; row++)
    for (let x = (row % 2) * 9 - 4; x < widthPx; x += 18) {
      ctx.fillRect(x, wallY - 42 + row * 7, 1, 7);
      ctx.fillRect(x, wallY - 42 + row * 7, 18, 1);
    }
  drawGateway(ctx, place);
  drawHouse(ctx, place, random);

  ctx.fillStyle = '#a8a59d';
  ctx.fillRect(0, wallY, widthPx, roadTop - wallY);
  ctx.fillStyle = `hsl(220 5% ${String(roadGrey)}%)`;
  ctx.fillRect(0, roadTop, widthPx, roadBottom - roadTop);
  grain(ctx, random, roadTop, roadBottom, 900, 0.08);
  ctx.fillStyle = '#c9c7bf';
  ctx.fillRect(0, roadTop - 2, widthPx, 2);
  ctx.fillRect(0, roadBottom, widthPx, 2);
  ctx.fillStyle = 'rgba(235, 235, 225, 0.6)';
  for (let x = random.between(0, 30); x < widthPx; x += 40)
    ctx.fillRect(x, (roadTop + roadBottom) / 2 - 1, 20, 2);
  ctx.fillStyle = '#b2aea4';
  ctx.fillRect(0, roadBottom + 2, widthPx, 15);
  ctx.fillStyle = '#98948b';
  for (let x = 0; x < widthPx; x += 16) ctx.fillRect(x, roadBottom + 2, 1, 15);
  ctx.fillStyle = `hsl(${String(hues.grass)} 38% 36%)`;
  ctx.fillRect(0, roadBottom + 17, widthPx, heightPx - roadBottom - 17);
  grain(ctx, random, roadBottom + 17, heightPx, 500, 0.18);
  grain(ctx, random, wallY, roadTop, 250, 0.08);
  return canvas;
}
