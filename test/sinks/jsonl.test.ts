import { spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openJsonl } from '../../src/sinks/jsonl.js';
import { forecast } from '../support/messages.js';

describe('openJsonl', () => {
  it('writes each message on a line of its own, and acknowledges it', async () => {
    const output = new PassThrough();
    const written = text(output);
    const { publish } = openJsonl(output);
    const receipt = await publish(forecast(1));
    await publish(forecast(2));
    output.end();
    expect(receipt.ackedAtMs).toBeGreaterThan(0);
    const lines = (await written).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([forecast(1), forecast(2)]);
  });

  it('a reader that leaves ends the sink, not the process', async () => {
    const reader = spawn(process.execPath, ['-e', 'process.stdin.destroy()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const { publish, closed } = openJsonl(reader.stdin);
    const writeUntilRefused = async (): Promise<never> => {
      for (;;) await publish(forecast(1));
    };
    await expect(writeUntilRefused()).rejects.toMatchObject({ code: 'publish_failed' });
    await closed;
    await expect(publish(forecast(2))).rejects.toMatchObject({ code: 'publish_failed' });
    reader.kill();
  });
});
