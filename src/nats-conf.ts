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

/**
 * Whoever is on this machine may do everything over TCP, as there is no secret between its programs; what comes through a
 * browser may only read and ask, and only by the password that a page gets from the engine: a page of another site that
 * makes its name mean this machine has none. Nobody knows the password of the other user, which must have one.
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
authorization {
  users: [
    { user: local, password: ${unknown}, allowed_connection_types: [STANDARD] }
    { user: dashboard, password: ${known}, allowed_connection_types: [WEBSOCKET], permissions: {
${permissionLines(permissionsOf('dashboard', site), '      ')}
    } }
  ]
}
websocket {
  host: "127.0.0.1"
  port: ${websocketPort}
  no_tls: true
  same_origin: true
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

/** deploy/nats/roles.conf: a variable for each role, which holds its permissions. */
export function rolesConf(site: string): string {
  const roles: readonly NatsRole[] = ['pipeline', 'robot', 'dashboard'];
  const blocks = roles.map(
    (role) => `${role.toUpperCase()}: {\n${permissionLines(permissionsOf(role, site), '  ')}\n}\n`,
  );
  return `# What each role may do, for the site "${site}". Made from src/nats-roles.ts; README.md says how to name another site.\n\n${blocks.join('\n')}`;
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
