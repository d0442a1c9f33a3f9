/**
 * `npm run screenshots`: the pictures of docs/dashboard.md, taken by a real browser from a real engine that watches three
 * yard cameras. Each is taken when there is something worth seeing, which takes some minutes.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { note, SetupError } from './step.mjs';
import { findTools, toolEnv } from './tools.mjs';

/** After so long a picture is taken as it is. */
const patienceMs = 240_000;
/** A repository keeps every picture that it ever had. */
const bytesMax = 250_000;
const width = 1280;

/** Resolves when all are written to docs/images. */
export async function screenshots(root) {
  const { chromium } = await import('playwright-core');
  const found = await findTools(root, ['ffmpeg', 'nats-server', 'chromium'], { quiet: true });
  const store = mkdtempSync(join(tmpdir(), 'lookahead-screenshots-'));
  const env = { ...process.env };
  for (const [name, path] of Object.entries(found)) env[toolEnv[name]] = path;
  const args = ['start', '--http-port', '0', '--nats-port', '0', '--nats-store', store];
  const main = join(root, 'dist/main.js');
  const engine = spawn(process.execPath, [main, ...args, '--yard-cameras', '3'], {
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
    note('screenshots', `${url} is watched until there is something to see`);
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
  const open = async (hash, height, look = {}) => {
    const page = await browser.newPage({ viewport: { width, height }, ...look });
    page.setDefaultTimeout(patienceMs);
    await page.goto(`${url}${hash}`);
    return page;
  };
  /** Tables as PNG; what holds pictures of cameras as JPEG, a quarter of it. */
  const take = async (page, name, type = 'png') => {
    // Nothing is pointed at, and what was asked for has come.
    await page.mouse.move(0, 0);
    await delay(1_000);
    const path = join(folder, `dashboard-${name}.${type === 'png' ? 'png' : 'jpg'}`);
    await page.screenshot({ path, type, ...(type === 'jpeg' ? { quality: 80 } : {}) });
    const { size } = statSync(path);
    if (size > bytesMax) throw new SetupError(`${path} has ${size} bytes, over ${bytesMax}.`);
    note('screenshots', `${path}, ${Math.round(size / 1000)} kB`);
    await page.close();
  };

  const grid = await open('', 490);
  await until(grid, isWorthSeeing('.tile', 3, 16));
  await take(grid, 'cameras', 'jpeg');
  const dark = await open('', 490, { colorScheme: 'dark' });
  await until(dark, isWorthSeeing('.tile', 3, 16));
  await take(dark, 'dark', 'jpeg');
  const phone = await open('', 740, { colorScheme: 'dark', viewport: { width: 360, height: 740 } });
  await until(phone, isWorthSeeing('.tile', 2, 16));
  await take(phone, 'phone', 'jpeg');

  const camera = await open('#/camera/yard-2', 860);
  await camera.locator('.chip.is-live').waitFor();
  await until(camera, isWorthSeeing('.camera', 4, 40));
  await take(camera, 'camera', 'jpeg');
  await take(await openReasons(open), 'forecast', 'jpeg');

  const history = await open('#/history', 640);
  await history.locator('.outcomes tbody tr').nth(20).waitFor();
  await take(history, 'history');
  const manage = await open('#/manage', 530);
  await manage.locator('.manage tbody tr').nth(2).waitFor();
  await take(manage, 'manage');
  await take(await openMask(open), 'mask', 'jpeg');

  const quality = await open('#/quality?camera=yard-1', 1_310);
  await until(
    quality,
    `document.querySelector('.quality-figures, circle.model') !== null &&
      document.querySelector('circle.model') !== null && !document.body.innerText.includes('too few')`,
  );
  await take(quality, 'quality');
}

/** Of what is on the screen: so many kinds of verdict and forecasts are in the lanes, all pictures are there, and something is likelier than nothing. */
function isWorthSeeing(place, verdicts, forecasts) {
  return `(() => {
    const parts = [...document.querySelectorAll('${place}')]
      .filter((part) => part.getBoundingClientRect().top < innerHeight);
    const kinds = new Set(parts.flatMap((part) =>
      [...part.querySelectorAll('[data-verdict]')].slice(-24).map(({ dataset }) => dataset.verdict)));
    kinds.delete('waiting');
    const isFull = (part) => part.querySelectorAll('[role=option]').length >= ${forecasts};
    return kinds.size >= ${verdicts} && parts.every(isFull) &&
      !document.body.innerText.includes('No outcome has been decided yet') && !parts.some((part) => part.querySelector('.no-picture') !== null) &&
      parts.some((part) => /^Next,/.test(part.querySelector('.likeliest')?.textContent ?? ''));
  })()`;
}

/** Resolves after `patienceMs` too: what there is then has to do. */
async function until(page, condition) {
  const giveUpAt = performance.now() + patienceMs;
  while (performance.now() < giveUpAt) {
    if (await page.evaluate(condition)) return;
    await delay(200);
  }
  note('screenshots', 'it waited long enough; taken as it is');
}

/** A hit that has reasons, and frames that are still kept. */
async function openReasons(open) {
  const giveUpAt = performance.now() + patienceMs;
  const page = await open('#/camera/yard-2', 1_000);
  const hits = page.locator('[role=option][data-verdict=hit][aria-label*=" 9"]');
  while (performance.now() < giveUpAt) {
    await hits.first().waitFor({ state: 'attached' });
    const id = (await hits.last().getAttribute('id'))?.replace('forecast-', '');
    await page.evaluate(`location.hash = '#/camera/yard-2/${id}'`);
    await delay(2_500);
    const isWhole = `document.querySelectorAll('.steps li').length > 1 &&
      document.querySelectorAll('.frames li').length > 5`;
    if (await page.evaluate(isWhole)) return page;
  }
  note('screenshots', 'no forecast had reasons; taken as it is');
  return page;
}

/** One round the door, and one that is just being drawn. */
async function openMask(open) {
  const page = await open('#/manage/yard-1', 720);
  const canvas = page.locator('.mask-canvas');
  await canvas.locator('image').waitFor();
  const { x, y, width: wide, height: tall } = await canvas.boundingBox();
  const corners = async (...all) => {
    for (const [right, down] of all) await page.mouse.click(x + right * wide, y + down * tall);
  };
  await corners([0.5, 0.16], [0.63, 0.16], [0.63, 0.43], [0.5, 0.43]);
  await page.keyboard.press('Enter');
  await corners([0.14, 0.16], [0.36, 0.14], [0.37, 0.42]);
  return page;
}
