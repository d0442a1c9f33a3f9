import type { ComponentChild } from 'preact';

export function QualityPage(): ComponentChild {
  return <p class="empty">Nothing here yet.</p>;
}
