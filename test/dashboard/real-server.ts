/** What the page needs of an engine, as the engine has it: its HTTP server, and the NATS server beside it. Ports are made up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LivePictures } from '../../src/http/pictures.js';
import type { Stills } from '../../src/http/ports.js';
import { startHttp, type HttpServer } from '../../src/http/server.js';
import { startNatsServer } from '../../src/nats-server.js';
import { dashboardDir } from '../../src/places.js';
import { natsServerPath } from '../support/nats-server.js';

export interface RealServer {
  /** Of the page. */
  readonly url: string;
  /** For who speaks as the engine. */
  readonly natsUrl: string;
  readonly viewers: () => number;
  /** Ends every connection and answers nothing, or goes on. */
  readonly shut: (isShut: boolean) => Promise<void>;
  close(): Promise<void>;
}

export interface RealServerOptions {
  readonly site: string;
  readonly viewersMax: number;
  readonly stills: Stills;
  readonly pictures?: LivePictures;
}

const dashboardPassword = 'of-the-dashboard';

export async function startRealServer(options: RealServerOptions): Promise<RealServer> {
  const { site } = options;
  const storeDir = mkdtempSync(join(tmpdir(), 'lookahead-dashboard-'));
  const nats = await startNatsServer({
    ...{ path: natsServerPath(), port: 0, websocketPort: 0 },
    ...{ storeDir, site, dashboardPassword },
  });
  const way = { url: nats.websocketUrl, user: 'dashboard', password: dashboardPassword };
  const start = (port: number): Promise<HttpServer> =>
    startHttp({
      ...{ host: '127.0.0.1', port, password: null, token: null, publicUrl: null },
      ...{ version: '0.1.0', dashboardDir, ...options },
      metrics: { contentType: 'text/plain', text: () => Promise.resolve('') },
      hindrances: () => [],
      natsGate: { address: () => way },
    });
  let http = await start(0);
  const { url } = http;
  return {
    url,
    natsUrl: nats.url,
    viewers: () => http.viewers,
    shut: async (isShut) => {
      if (isShut) await http.close();
      else http = await start(Number(new URL(url).port));
    },
    close: async () => {
      await http.close();
      await nats.close();
      rmSync(storeDir, { recursive: true, force: true });
    },
  };
}
