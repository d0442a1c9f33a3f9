/** One camera, whole. */
import type { ComponentChild } from 'preact';
import { AskPanel } from './ask-panel.js';
import type { CameraView } from './store.js';

export function CameraPage({ camera }: { readonly camera: CameraView }): ComponentChild {
  return (
    <>
      <h1>{camera.name}</h1>
      <AskPanel camera={camera.name} />
    </>
  );
}
