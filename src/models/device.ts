/** What graphs run on. `cuda`: the first NVIDIA card that is visible; what CUDA has no kernel for still runs on the CPU. */
export const devices = ['cpu', 'cuda'] as const;
export type Device = (typeof devices)[number];
