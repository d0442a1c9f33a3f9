/** What the pages need round them: a NATS server with a WebSocket, messages, an engine that is made up, and a browser. */
import { createCanvas } from '@napi-rs/canvas';
import type { Browser, Page } from 'playwright-core';
import { paths, type Session } from '../../src/http/contract.js';
import { connectBus, type Bus } from '../../src/sinks/bus.js';
import type { CameraList } from '../../src/sinks/services.js';
import { heartbeat } from '../support/messages.js';
import { launchBrowser, openPage, type PageLook } from './open-page.js';
import { startRealServer } from './real-server.js';

export { chromiumPath } from './open-page.js';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PagesFixture {
  readonly bus: Bus;
  /** Rows of `cameras.list`; a test may change them. */
  cameras: CameraList['cameras'];
  /** Answers what changes something; a test may put another one in its place. */
  answer: (asked: Asked) => Answer | Promise<Answer>;
  needsLogin: boolean;
  isLoggedIn: boolean;
  /** Ends every connection and answers nothing, or goes on. */
  readonly shut: (isShut: boolean) => Promise<void>;
  /** All that was asked with a body, in order. */
  readonly asked: Asked[];
  /** A page of its own; what it says on its console as an error is kept in `errors`. */
  open(hash: string, look?: PageLook): Promise<FixturePage>;
  close(): Promise<void>;
}

export interface FixturePage {
  readonly page: Page;
  readonly errors: readonly string[];
}

export function rowOf(
  camera: string,
  more: Partial<CameraList['cameras'][number]> = {},
): CameraList['cameras'][number] {
  return {
    camera,
    state: 'online',
    since: new Date().toISOString(),
    why: 'Pictures arrive.',
    origin: 'api',
    host: '192.0.2.7:554',
    privacyMasks: [],
    ...more,
  };
}

/** A picture of 160 by 90 pixels, as the engine's stills are. */
export function stillPng(): Buffer {
  const canvas = createCanvas(160, 90);
  const brush = canvas.getContext('2d');
  brush.fillStyle = '#5a7d5a';
  brush.fillRect(0, 0, 160, 90);
  brush.fillStyle = '#b0b0b0';
  brush.fillRect(0, 55, 160, 20);
  return canvas.toBuffer('image/png');
}

export async function startPages(): Promise<PagesFixture> {
  const png = stillPng();
  const server = await startRealServer({
    ...{ site: 'test', viewersMax: 0 },
    stills: { png: () => Promise.resolve({ png, atMs: Date.now() }) },
  });
  const bus = await connectBus({ servers: [server.natsUrl], site: 'test' });
  await bus.ready(10_000);
  const browser = await launchBrowser();

  const fixture: Omit<PagesFixture, 'open' | 'close' | 'shut'> = {
    bus,
    cameras: [rowOf('gate'), rowOf('yard', { origin: 'file' })],
    answer: () => ({ status: 204 }),
    needsLogin: false,
    isLoggedIn: true,
    asked: [],
  };
  bus.serve('cameras.list', 'The cameras.', () => ({
    schema: 'lookahead.cameras.v1',
    site: 'test',
    cameras: fixture.cameras,
  }));
  let sequence = 0;
  const beating = setInterval(() => {
    const states = Object.fromEntries(fixture.cameras.map(({ camera, state }) => [camera, state]));
    bus.heartbeat(heartbeat(sequence++, { at: new Date().toISOString(), cameras: states }));
  }, 500);

  return Object.assign(fixture, {
    shut: server.shut,
    open: (hash: string, look?: PageLook) =>
      openFor(browser, fixture, `${server.url}${hash}`, look),
    close: async () => {
      clearInterval(beating);
      await browser.close();
      await bus.close(0);
      await server.close();
    },
  });
}

/**
 * What changes something is answered by the test, and so is who we are where it wants a login; all else comes from the real
 * server.
 */
async function answerFor(page: Page, fixture: Answering): Promise<void> {
  await page.route(
    (url) => url.pathname.startsWith('/api/') || url.pathname === paths.login,
    async (route) => {
      const request = route.request();
      const { pathname } = new URL(request.url());
      const asked = {
        method: request.method(),
        path: pathname,
        body: request.postDataJSON() as unknown,
      };
      fixture.asked.push(asked);
      const { status, body, headers = {} } = await fixture.answer(asked);
      await route.fulfill({ status, headers, ...(body === undefined ? {} : { json: body }) });
    },
  );
  await page.route(`**${paths.session}`, async (route) => {
    if (fixture.isLoggedIn) return route.continue();
    const { needsLogin, isLoggedIn } = fixture;
    const session: Session = {
      ...{ schema: 'lookahead.session.v1', needsLogin, isLoggedIn },
      ...{ version: '0.1.0', engine: null },
    };
    await route.fulfill({ json: session });
  });
}

type Answering = Pick<PagesFixture, 'answer' | 'asked' | 'needsLogin' | 'isLoggedIn'>;

async function openFor(
  browser: Browser,
  fixture: Answering,
  url: string,
  look?: PageLook,
): Promise<FixturePage> {
  const { page, problems } = await openPage(browser, url, look, (opened) =>
    answerFor(opened, fixture),
  );
  return {
    page,
    get errors() {
      // A refusal by the engine is told by the browser too, whatever the page does with it.
      const refusal = /^(Failed to load resource|WebSocket connection to)/;
      return problems.filter((problem) => !refusal.test(problem));
    },
  };
}
