/** WebSockets of the dashboard: who may open one, and that none outlives its session or the server. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { closeWith } from './close-with.js';
import type { Guard } from './guard.js';
import { faultOf } from './reply.js';
import { loginRequired, nothingHere, type Asked } from './routes.js';

/** Takes the connection over, or rejects: then it is closed with the status of what was thrown. */
export type Upgrade = (asked: Asked, socket: Duplex, head: Buffer) => Promise<void>;

export interface UpgradeOptions {
  readonly upgrades: ReadonlyMap<string, Upgrade>;
  readonly guard: Guard;
  readonly askedOf: (request: IncomingMessage) => Asked;
  readonly onError: (error: unknown) => void;
}

/** Gives the way to end all of them. */
export function answerUpgrades(server: Server, options: UpgradeOptions): () => void {
  const { upgrades, guard, askedOf, onError } = options;
  const open = new Set<Duplex>();

  const admit = (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    guard.checkHost(request);
    guard.checkOrigin(request);
    const asked = askedOf(request);
    const upgrade = upgrades.get(asked.path);
    if (upgrade === undefined) throw nothingHere();
    if (asked.visitor === undefined) throw loginRequired();
    const stay = asked.visitor.whenEnded(() => socket.destroy());
    socket.once('close', stay);
    return upgrade(asked, socket, head);
  };

  server.on('upgrade', (request, socket, head) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => undefined);
    const refuse = (error: unknown): void => {
      const { status } = faultOf(error);
      if (status === 500) onError(error);
      closeWith(socket, status);
    };
    try {
      admit(request, socket, head).catch(refuse);
    } catch (error) {
      refuse(error);
    }
  });

  return () => {
    for (const socket of open) socket.destroy();
  };
}
