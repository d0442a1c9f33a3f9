import type { ComponentChild } from 'preact';

export function AskPanel({ camera }: { readonly camera: string }): ComponentChild {
  return <p class="quiet">Ask {camera} …</p>;
}
