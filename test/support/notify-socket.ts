/** The socket that systemd gives a service to speak into: Python opens it, because Node has no datagram sockets of Unix. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const listen = `
import json, os, socket, sys, threading
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
def receive():
    while True:
        # What comes with a message (the barrier of systemd-notify) is closed at once, which is the answer to it.
        text, ancillary, _, _ = server.recvmsg(65536, 1024)
        for level, kind, data in ancillary:
            if kind == socket.SCM_RIGHTS:
                for at in range(0, len(data), 4): os.close(int.from_bytes(data[at:at+4], sys.byteorder))
        print(json.dumps(text.decode()), flush=True)
threading.Thread(target=receive, daemon=True).start()
print('"listening"', flush=True)
sys.stdin.read()
`;

export interface NotifySocket {
  readonly path: string;
  /** Messages so far, each as lines; barriers are left out. */
  readonly messages: readonly (readonly string[])[];
  close(): Promise<void>;
}

export async function openNotifySocket(): Promise<NotifySocket> {
  const folder = mkdtempSync(join(tmpdir(), 'lookahead-notify-'));
  const path = join(folder, 'notify');
  const messages: string[][] = [];
  const child = spawn('python3', ['-c', listen, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error('Python could not open the socket.')));
    createInterface(child.stdout).on('line', (line) => {
      const text = JSON.parse(line) as string;
      if (text === 'listening' && messages.length === 0) resolve();
      else if (text !== 'BARRIER=1') messages.push(text.trim().split('\n'));
    });
  });
  return {
    path,
    messages,
    close: async () => {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
    },
  };
}
