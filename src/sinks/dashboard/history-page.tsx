import type { ComponentChild } from 'preact';

export function HistoryPage(): ComponentChild {
  return <p class="empty">Nothing here yet.</p>;
}
