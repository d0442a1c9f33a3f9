/** Configuration of a nats-server, as text: of the one beside the engine, and of the roles in deploy/nats. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { permissionsOf, type NatsPermissions, type NatsRole } from './nats-roles.js';

export interface BesideServerConf {
  readonly site: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** Of the WebSocket listener, on 127.0.0.1. */
  readonly websocketPort: number;
  readonly storeDir: string;
  /** Which the engine hands to pages that are let in. */
  readonly dashboardPassword: string;
}

/** The account with the streams. What earlier servers stored for the account of those without one is moved here. */
export const engineAccount = 'LOOKAHEAD';

/**
 * Whoever is on this machine may do everything over TCP, as there is no secret between its programs; what comes through a
 * browser may only read and ask, and only by the password that a page gets from the engine. Nobody knows the password of the
 * other user, which must have one.
 *
 * Browsers are refused as such, whatever page they show, since one that points its own name here is of this origin too: nobody
 * can have a page at a name that ends with `.invalid` (RFC 6761). The engine passes them on, and says no origin.
 */
export function besideServerConf({
  site,
  port,
  websocketPort,
  storeDir,
  dashboardPassword,
}: BesideServerConf): string {
  const unknown = JSON.stringify(randomBytes(32).toString('base64url'));
  const known = JSON.stringify(dashboardPassword);
  return `# Written by Lookahead whenever it starts this server: changes are lost.
host: "127.0.0.1"
port: ${port}
jetstream { store_dir: ${JSON.stringify(storeDir)} }
no_auth_user: local
accounts {
  ${engineAccount} {
    jetstream: enabled
    users: [{ user: local, password: ${unknown}, allowed_connection_types: [STANDARD] }]
    exports: [
${exportLines(site, '      ')}
    ]
  }
  ${dashboardAccount} {
    users: [{ user: dashboard, password: ${known}, allowed_connection_types: [WEBSOCKET], permissions: {
${permissionLines(permissionsOf('dashboard', site), '      ')}
    } }]
    imports: [
${importLines(site, '      ')}
    ]
  }
}
websocket {
  host: "127.0.0.1"
  port: ${websocketPort}
  no_tls: true
  same_origin: true
  allowed_origins: ["http://nobody.invalid"]
  compression: false
}
`;
}

/** Returns its path. Nobody else may read it. */
export function writeBesideServerConf(conf: BesideServerConf): string {
  const path = join(conf.storeDir, 'nats-server.conf');
  // A new file, because the mode of one that is there would stay as it is.
  rmSync(`${path}.part`, { force: true });
  writeFileSync(`${path}.part`, besideServerConf(conf), { mode: 0o600, flag: 'wx' });
  renameSync(`${path}.part`, path);
  return path;
}

/** deploy/nats/roles.conf: a variable for each role, which holds its permissions; and two for the border of the dashboard. */
export function rolesConf(site: string): string {
  const roles: readonly NatsRole[] = ['pipeline', 'robot', 'dashboard'];
  const blocks = roles.map(
    (role) => `${role.toUpperCase()}: {\n${permissionLines(permissionsOf(role, site), '  ')}\n}\n`,
  );
  return `# What each role may do, for the site "${site}". Made from src/nats-roles.ts; README.md says how to name another site.\n\n${blocks.join('\n')}
# What the dashboard's account has of the engine's.
DASHBOARD_EXPORTS: [
${exportLines(site, '  ')}
]

DASHBOARD_IMPORTS: [
${importLines(site, '  ')}
]
`;
}

/**
 * The dashboard has an account of its own. In that of the engine it could choose the place of an answer, and an empty answer of
 * the server's on `$JS.API.STREAM.PURGE.*` is a command there.
 */
const dashboardAccount = 'LOOKAHEAD_DASHBOARD';

function exportLines(site: string, at: string): string {
  const { streams, services } = sharedWithDashboard(site);
  const to = `accounts: [${dashboardAccount}]`;
  return [
    ...streams.map((subject) => `${at}{ stream: ${JSON.stringify(subject)}, ${to} }`),
    ...services.map((subject) => {
      // An answer of `ask` comes in pieces, and may take as long as the role of the engine may answer.
      const pieces = subject.endsWith('.ask') ? 'response_type: stream, threshold: "15m", ' : '';
      return `${at}{ service: ${JSON.stringify(subject)}, ${pieces}${to} }`;
    }),
  ].join('\n');
}

function importLines(site: string, at: string): string {
  const { streams, services } = sharedWithDashboard(site);
  const line = (kind: string, subject: string): string =>
    `${at}{ ${kind}: { account: ${engineAccount}, subject: ${JSON.stringify(subject)} } }`;
  return [
    ...streams.map((subject) => line('stream', subject)),
    ...services.map((subject) => line('service', subject)),
  ].join('\n');
}

/** All that its role may hear or ask, but for its own inbox. */
function sharedWithDashboard(site: string): {
  readonly streams: readonly string[];
  readonly services: readonly string[];
} {
  const { publish, subscribe } = permissionsOf('dashboard', site);
  return { streams: subscribe.filter((one) => !one.startsWith('_INBOX')), services: publish };
}

function permissionLines({ publish, subscribe, responses }: NatsPermissions, at: string): string {
  const list = (name: string, subjects: readonly string[]): string[] => [
    `${at}${name}: { allow: [`,
    // Quoted: a bare $ would begin a variable.
    ...subjects.map((subject) => `${at}  ${JSON.stringify(subject)}`),
    `${at}] }`,
  ];
  const answering =
    responses === undefined
      ? []
      : [`${at}allow_responses: { max: ${responses.max}, expires: "${responses.expires}" }`];
  return [...list('publish', publish), ...list('subscribe', subscribe), ...answering].join('\n');
}
