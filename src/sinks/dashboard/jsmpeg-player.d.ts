/** What of it is used here; the package has no types of its own. */
declare module '@cycjimmy/jsmpeg-player' {
  export interface Destination {
    write(data: ArrayBuffer): void;
  }

  /** Where the bytes come from. */
  export interface Source {
    readonly streaming: boolean;
    readonly established: boolean;
    readonly progress: number;
    connect(destination: Destination): void;
    start(): void;
    resume(headroomS: number): void;
    destroy(): void;
  }

  export interface PlayerOptions {
    readonly canvas: HTMLCanvasElement;
    readonly audio: boolean;
    readonly disableWebAssembly: boolean;
    readonly pauseWhenHidden: boolean;
    readonly source: new (url: string) => Source;
    readonly onVideoDecode?: () => void;
  }

  class Player {
    constructor(url: string, options: PlayerOptions);
    destroy(): void;
  }

  const JSMpeg: { readonly Player: typeof Player };
  export default JSMpeg;
}
