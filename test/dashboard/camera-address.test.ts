/** Addresses and names as people type them. */
import { describe, expect, it } from 'vitest';
import { faultOfName, readAddress } from '../../src/sinks/dashboard/camera-address.js';

describe('an address', () => {
  it('without a login stays as it is', () => {
    const url = 'rtsps://cam.example:8554/a/b?channel=1';
    expect(readAddress(`  ${url} `)).toEqual({ url, login: null });
    expect(readAddress('RTSP://10.0.0.7')).toEqual({ url: 'rtsp://10.0.0.7', login: null });
  });

  it('gives its login away, also one with signs that addresses are cut at', () => {
    const url = 'rtsp://10.0.0.7:554/stream';
    for (const [written, username, password] of [
      ['rtsp://admin:secret@10.0.0.7:554/stream', 'admin', 'secret'],
      ['rtsp://admin:p%40ss@10.0.0.7:554/stream', 'admin', 'p@ss'],
      ['rtsp://admin:a#b/c?d@10.0.0.7:554/stream', 'admin', 'a#b/c?d'],
      ['rtsp://admin@10.0.0.7:554/stream', 'admin', ''],
    ] as const)
      expect(readAddress(written)).toEqual({ url, login: { username, password } });
  });

  it('is refused with what is wrong and what to write, without a word of the password', () => {
    expect(readAddress('')).toMatch(/empty.*rtsp:\/\/HOST\/PATH/);
    expect(readAddress('http://10.0.0.7/')).toMatch(/Use rtsp:\/\//);
    expect(readAddress('file:/etc/passwd')).toMatch(/recording is not added here/);
    const told = readAddress('rtsp://admin:geheim@10.0.0.7:99999/');
    expect(told).toMatch(/port from 1 to 65535/);
    expect(told).not.toMatch(/geheim/);
  });
});

describe('a name', () => {
  it('is good where a subject can hold it and no camera has it', () => {
    expect(faultOfName('gate_2-b', ['gate'])).toBe('');
  });

  it('is refused with its value and what to write instead', () => {
    expect(faultOfName('', [])).toMatch(/empty/);
    expect(faultOfName('a b', [])).toMatch(/"a b".*letters, digits/);
    expect(faultOfName('svc', [])).toMatch(/reserved/);
    expect(faultOfName('gate', ['gate'])).toMatch(/"gate" already/);
  });
});
