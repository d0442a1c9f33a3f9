/** Whether an address means this machine alone. */
import { isIP } from 'node:net';

/** `localhost`, 127.0.0.0/8 or ::1, also as IPv6 writes IPv4; with or without brackets. A name that begins so is none. */
export function isLoopback(address: string): boolean {
  const bare = address.toLowerCase().replace(/^\[|\]$/g, '');
  if (bare === 'localhost' || bare === '::1') return true;
  const v4 = bare.replace(/^::ffff:/, '');
  return isIP(v4) === 4 && v4.startsWith('127.');
}
