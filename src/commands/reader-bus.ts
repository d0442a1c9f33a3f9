import type { Config } from '../config.js';
import { addressBeside } from '../nats-address.js';
import { busOptionsOf } from '../sinks/bus-config.js';
import { connectBus, type Bus } from '../sinks/bus.js';

const connectMaxMs = 10_000;

/**
 * Of a command that reads or asks, ready to be used; the server is the configured one, or the one beside an engine here.
 *
 * @param command as the server's list of connections shows it
 * @throws LookaheadError broker_unreachable, broker_refused
 */
export async function openReaderBus(config: Config, command: string): Promise<Bus> {
  const options = busOptionsOf(config, await addressBeside(config));
  const bus = await connectBus({ ...options, role: 'reader', name: `lookahead ${command}` });
  try {
    await bus.ready(connectMaxMs);
    return bus;
  } catch (error) {
    await bus.close(0);
    throw error;
  }
}
