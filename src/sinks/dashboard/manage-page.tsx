import type { ComponentChild } from 'preact';

export function ManagePage(): ComponentChild {
  return <p class="empty">Nothing here yet.</p>;
}
