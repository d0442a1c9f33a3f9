/** How each thing looks: every function paints one thing with its foot at (x, y). Pixels of the 320 x 180 picture. */
import type { SKRSContext2D } from '@napi-rs/canvas';
import type { VanColour } from './place.js';
import { sizes } from './things.js';

type Context = SKRSContext2D;

const paint: Record<VanColour, { body: string; dark: string }> = {
  blue: { body: '#2456c8', dark: '#17388a' },
  red: { body: '#c42a22', dark: '#861a15' },
  white: { body: '#e6e6e0', dark: '#a9aaa6' },
};

function fillRound(
  ctx: Context,
  x: number,
  y: number,
  width: number,
  height: number,
  r: number,
): void {
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, r);
  ctx.fill();
}

function disc(ctx: Context, x: number, y: number, r: number): void {
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 2 * Math.PI);
  ctx.fill();
}

export interface VanLook {
  readonly colour: VanColour;
  readonly braking: boolean;
  /** Distance driven, for the wheels. */
  readonly driven: number;
  /** 1 drives to the right, -1 to the left; between them it is turning. */
  readonly facing: number;
}

/** A van from its side; it drives to where `facing` points. */
export function paintVanSide(ctx: Context, x: number, y: number, look: VanLook): void {
  const { width, height } = sizes.van;
  const colours = paint[look.colour];
  const facing = Math.abs(look.facing) < 0.3 ? 0.3 * Math.sign(look.facing || 1) : look.facing;
  ctx.save();
  ctx.translate(x, y);
  ctx.scale(facing, 1);
  ctx.fillStyle = colours.body;
  ctx.beginPath();
  ctx.moveTo(-width / 2, -6);
  ctx.lineTo(-width / 2, -height + 3);
  ctx.quadraticCurveTo(-width / 2, -height, -width / 2 + 4, -height);
  ctx.lineTo(width / 2 - 22, -height);
  ctx.lineTo(width / 2 - 7, -height + 15);
  ctx.lineTo(width / 2, -height + 19);
  ctx.lineTo(width / 2, -6);
  ctx.closePath();
  ctx.fill();
  ctx.fillStyle = colours.dark;
  ctx.fillRect(-width / 2, -12, width, 5);
  ctx.fillRect(-8, -height + 5, 1, height - 14);
  ctx.fillStyle = '#1d2830';
  ctx.beginPath();
  ctx.moveTo(width / 2 - 32, -height + 4);
  ctx.lineTo(width / 2 - 23, -height + 4);
  ctx.lineTo(width / 2 - 11, -height + 16);
  ctx.lineTo(width / 2 - 32, -height + 16);
  ctx.closePath();
  ctx.fill();
  ctx.fillStyle = look.braking ? '#ff3020' : '#6d1712';
  ctx.fillRect(-width / 2, -height + 12, look.braking ? 5 : 3, 9);
  ctx.fillStyle = '#fff3b8';
  ctx.fillRect(width / 2 - 4, -16, 4, 5);
  for (const wheel of [-width / 2 + 16, width / 2 - 17]) {
    ctx.fillStyle = '#15161a';
    disc(ctx, wheel, -7, 7.5);
    ctx.fillStyle = '#9a9ea4';
    disc(ctx, wheel, -7, 3.2);
    ctx.fillStyle = '#15161a';
    const turn = look.driven / 7;
    disc(ctx, wheel + 4.6 * Math.cos(turn), -7 + 4.6 * Math.sin(turn), 1.5);
  }
  ctx.restore();
}

/** A van from behind, as it drives away from the camera. */
export function paintVanRear(
  ctx: Context,
  x: number,
  y: number,
  colour: VanColour,
  scale: number,
): void {
  const colours = paint[colour];
  ctx.save();
  ctx.translate(x, y);
  ctx.scale(scale, scale);
  ctx.fillStyle = '#15161a';
  ctx.fillRect(-20, -8, 9, 8);
  ctx.fillRect(11, -8, 9, 8);
  ctx.fillStyle = colours.body;
  fillRound(ctx, -23, -38, 46, 34, 4);
  ctx.fillStyle = colours.dark;
  ctx.fillRect(-23, -11, 46, 5);
  ctx.fillRect(-0.5, -36, 1, 26);
  ctx.fillStyle = '#1d2830';
  ctx.fillRect(-18, -33, 15, 10);
  ctx.fillRect(3, -33, 15, 10);
  ctx.fillStyle = '#d3301f';
  ctx.fillRect(-23, -20, 4, 8);
  ctx.fillRect(19, -20, 4, 8);
  ctx.restore();
}

export interface PersonLook {
  readonly shirt: string;
  readonly trousers: string;
  readonly hair: string;
  /** Distance walked; the legs swing with it. */
  readonly walked: number;
  readonly moving: boolean;
  /** To the right or left, or 0: away from the camera. */
  readonly facing: number;
  readonly scale: number;
}

export function paintPerson(ctx: Context, x: number, y: number, look: PersonLook): void {
  const { height } = sizes.person;
  const swing = look.moving ? Math.sin(look.walked / 4) : 0;
  ctx.save();
  ctx.translate(x, y);
  ctx.scale(look.scale, look.scale);
  ctx.lineCap = 'round';
  ctx.strokeStyle = look.trousers;
  ctx.lineWidth = 5.5;
  const stride = look.facing === 0 ? 1.5 : 6;
  const lift = look.facing === 0 ? 3 * swing : 0;
  ctx.beginPath();
  ctx.moveTo(-2, -18);
  ctx.lineTo(-2.5 + stride * swing, -3 + Math.min(0, lift));
  ctx.moveTo(2, -18);
  ctx.lineTo(2.5 - stride * swing, -3 - Math.max(0, lift));
  ctx.stroke();
  ctx.strokeStyle = look.shirt;
  ctx.lineWidth = 4.5;
  ctx.beginPath();
  ctx.moveTo(-6, -31);
  ctx.lineTo(-7 - stride * 0.6 * swing, -20);
  ctx.moveTo(6, -31);
  ctx.lineTo(7 + stride * 0.6 * swing, -20);
  ctx.stroke();
  ctx.fillStyle = look.shirt;
  fillRound(ctx, -7, -35, 14, 19, 4);
  ctx.fillStyle = '#d9a27a';
  disc(ctx, 0, -height + 6, 5.6);
  ctx.fillStyle = look.hair;
  ctx.beginPath();
  if (look.facing === 0) ctx.arc(0, -height + 5.5, 5.8, 0, 2 * Math.PI);
  else ctx.arc(-look.facing, -height + 5, 5.8, Math.PI * 0.95, Math.PI * 2.05);
  ctx.fill();
  ctx.restore();
}

export interface DogLook {
  readonly fur: string;
  readonly dark: string;
  readonly facing: number;
  readonly running: boolean;
  readonly sitting: boolean;
  readonly step: number;
}

export function paintDog(ctx: Context, x: number, y: number, look: DogLook): void {
  ctx.save();
  ctx.translate(x, y);
  ctx.scale(look.facing, 1);
  ctx.lineCap = 'round';
  ctx.strokeStyle = look.dark;
  ctx.lineWidth = 3.4;
  ctx.beginPath();
  if (look.sitting) {
    ctx.moveTo(6, -9);
    ctx.lineTo(7, -2);
    ctx.moveTo(-6, -4);
    ctx.lineTo(-1, -2);
  } else {
    const reach = look.running ? 6 : 3;
    for (const [hip, phase] of [
      [-8, 0],
      [-6, Math.PI],
      [6, Math.PI / 2],
      [8, -Math.PI / 2],
    ] as const) {
      ctx.moveTo(hip, -8);
      ctx.lineTo(hip + reach * Math.sin(look.step + phase), -2);
    }
  }
  ctx.moveTo(-10, -10);
  ctx.lineTo(-15, look.running ? -11 : -16);
  ctx.stroke();
  ctx.fillStyle = look.fur;
  ctx.save();
  if (look.sitting) {
    ctx.translate(0, -8);
    ctx.rotate(-0.6);
    fillRound(ctx, -11, -5, 21, 10, 5);
  } else fillRound(ctx, -12, -14, 23, 9, 4.5);
  ctx.restore();
  const headY = look.sitting ? -17 : -15;
  const headX = look.sitting ? 8 : 12;
  disc(ctx, headX, headY, 4.6);
  fillRound(ctx, headX + 1, headY - 1, 7, 4.5, 2);
  ctx.fillStyle = look.dark;
  fillRound(ctx, headX - 4, headY - 3, 3.6, 6, 1.5);
  ctx.restore();
}

export function paintBall(
  ctx: Context,
  x: number,
  y: number,
  hue: number,
  rolled: number,
  scale: number,
): void {
  const r = (sizes.ball.width / 2) * scale;
  ctx.save();
  ctx.translate(x, y - r);
  ctx.fillStyle = `hsl(${String(hue)} 95% 52%)`;
  disc(ctx, 0, 0, r);
  ctx.rotate(rolled / 6.5);
  ctx.fillStyle = '#fdfdf5';
  ctx.fillRect(-r * 0.85, -1.3 * scale, r * 1.7, 2.6 * scale);
  ctx.restore();
}

/** The sliding gate: bars in a frame. */
export function paintGate(
  ctx: Context,
  left: number,
  footY: number,
  width: number,
  hue: number,
): void {
  ctx.fillStyle = `hsl(${String(hue)} 30% 27%)`;
  ctx.fillRect(left, footY - 36, width, 36);
  ctx.fillStyle = `hsl(${String(hue)} 26% 44%)`;
  for (let x = left + 3; x < left + width - 4; x += 6) ctx.fillRect(x, footY - 33, 3, 29);
  ctx.fillStyle = `hsl(${String(hue)} 30% 22%)`;
  ctx.fillRect(left, footY - 20, width, 3);
}

/** The leaf of the door; `share` 1 stands wide open. */
export function paintDoor(
  ctx: Context,
  left: number,
  footY: number,
  width: number,
  hue: number,
  share: number,
): void {
  const leaf = width * (1 - 0.78 * share);
  ctx.fillStyle = `hsl(${String(hue)} 45% 32%)`;
  ctx.fillRect(left, footY - 50, leaf, 50);
  ctx.fillStyle = `hsl(${String(hue)} 40% 42%)`;
  ctx.fillRect(left + leaf * 0.16, footY - 45, leaf * 0.68, 17);
  ctx.fillRect(left + leaf * 0.16, footY - 23, leaf * 0.68, 18);
  ctx.fillStyle = '#e8cf6a';
  ctx.fillRect(left + leaf * 0.84, footY - 25, 2, 4);
}

/** A soft shadow on the ground. */
export function paintShadow(
  ctx: Context,
  x: number,
  y: number,
  width: number,
  shiftPx: number,
): void {
  ctx.fillStyle = 'rgba(10, 12, 25, 0.34)';
  ctx.beginPath();
  ctx.ellipse(x + shiftPx * 0.6, y - 1, width / 2 + Math.abs(shiftPx) * 0.3, 4, 0, 0, 2 * Math.PI);
  ctx.fill();
}
