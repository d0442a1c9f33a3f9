/**
 * `npm run screenshots`: the pictures of docs/dashboard.md, taken by a real browser from a real engine that watches three
 * yard cameras. It takes three minutes, most of them waiting until there is something to see.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { note, SetupError } from './step.mjs';
import { findTools, toolEnv } from './tools.mjs';

/** So long it watches before the first picture: outcomes of all kinds are in the lane, and an hour's score is worth a look. */
const watchMs = 150_000;
const wide = { width: 1280, height: 860 };
const phone = { width: 360, height: 740 };

/** Resolves when all are written to docs/images. */
export async function screenshots(root) {
  const { chromium } = await import('playwright-core');
  const found = await findTools(root, ['ffmpeg', 'nats-server', 'chromium'], { quiet: true });
  const store = mkdtempSync(join(tmpdir(), 'lookahead-screenshots-'));
  const env = { ...process.env };
  for (const [name, path] of Object.entries(found)) env[toolEnv[name]] = path;
  const args = ['start', '--http-port', '0', '--nats-port', '0', '--nats-store', store];
  const engine = spawn(join(root, 'lookahead'), [...args, '--yard-cameras', '3'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => engine.once('close', resolve));
  const browser = await chromium.launch({
    executablePath: found.chromium,
    args: ['--no-sandbox'],
  });
  try {
    const url = await addressOf(engine);
    note('screenshots', `${url} is watched for ${watchMs / 1000} s`);
    await delay(watchMs);
    await takeAll(browser, url, join(root, 'docs/images'));
  } finally {
    await browser.close();
    engine.kill('SIGTERM');
    await ended;
    rmSync(store, { recursive: true, force: true });
  }
}

function addressOf(engine) {
  return new Promise((resolve, reject) => {
    const lines = createInterface(engine.stderr);
    lines.on('line', (line) => {
      const url = /^page +(http:\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    lines.on('close', () => reject(new SetupError('The engine ended before it watched.')));
  });
}

async function takeAll(browser, url, folder) {
  const open = async (hash, { viewport = wide, colorScheme = 'light' } = {}) => {
    const page = await browser.newPage({ viewport, colorScheme });
    await page.goto(`${url}${hash}`);
    await delay(6_000);
    return page;
  };
  const take = async (page, name, { type = 'png', fullPage = false } = {}) => {
    const path = join(folder, `dashboard-${name}.${type === 'png' ? 'png' : 'jpg'}`);
    await page.screenshot({ path, type, fullPage, ...(type === 'jpeg' ? { quality: 82 } : {}) });
    note('screenshots', path);
  };
  const done = async (page, name, options) => {
    await take(page, name, options);
    await page.close();
  };
  await done(await open(''), 'cameras', { type: 'jpeg' });
  await done(await open('', { colorScheme: 'dark' }), 'dark', { type: 'jpeg' });
  await done(await open('', { viewport: phone, colorScheme: 'dark' }), 'phone', { type: 'jpeg' });
  const forecast = await open('#/camera/yard-2');
  await forecast.getByRole('listbox').first().focus();
  for (let step = 0; step < 4; step++) await forecast.keyboard.press('ArrowLeft');
  await forecast.keyboard.press('Enter');
  await delay(5_000);
  await done(forecast, 'forecast', { type: 'jpeg' });
  await done(await open('#/history'), 'history');
  await done(await open('#/quality'), 'quality');
  await done(await open('#/manage'), 'manage');
  await done(await open('#/manage/yard-1'), 'mask', { type: 'jpeg' });
}
