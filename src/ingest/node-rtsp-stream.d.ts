/** What we use of node-rtsp-stream 0.0.9, which brings no types. */
declare module 'node-rtsp-stream' {
  import type { ChildProcess } from 'node:child_process';
  import type { EventEmitter } from 'node:events';
  import type { ListenOptions, AddressInfo } from 'node:net';

  interface StreamOptions {
    readonly name: string;
    readonly streamUrl: string;
    /** Goes to `net.Server.listen` as it is, so options do as well as a number. */
    readonly wsPort: ListenOptions;
    readonly ffmpegPath: string;
    readonly ffmpegOptions: Readonly<Record<string, string>>;
  }

  class VideoStream extends EventEmitter {
    constructor(options: StreamOptions);
    readonly stream: ChildProcess;
    readonly wsServer: EventEmitter & {
      /** Read at each upgrade request. */
      readonly options: { path?: string };
      address(): AddressInfo;
    };
    stop(): this;
  }

  export = VideoStream;
}
