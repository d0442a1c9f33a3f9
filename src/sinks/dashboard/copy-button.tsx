/** Copies a text. */
import { useSignal } from '@preact/signals';
import type { ComponentChild } from 'preact';

export function CopyButton({ text }: { readonly text: string }): ComponentChild {
  const told = useSignal('');
  const copy = async (element: HTMLElement): Promise<void> => {
    const isCopied = await copyText(text, element);
    told.value = isCopied ? 'Copied' : 'Press Ctrl+C';
    setTimeout(() => (told.value = ''), 2_000);
  };
  return (
    <span class="copy">
      <code>{text}</code>
      <button type="button" onClick={({ currentTarget }) => void copy(currentTarget)}>
        {told.value === '' ? 'Copy' : told.value}
        <span class="unseen" role="status">
          {told.value}
        </span>
      </button>
    </span>
  );
}

/** The clipboard is lent to pages over https and loopback only; elsewhere the text is selected, for the keys to copy. */
async function copyText(text: string, button: HTMLElement): Promise<boolean> {
  if (isSecureContext) {
    const isCopied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    if (isCopied) return true;
  }
  const code = button.parentElement?.querySelector('code');
  if (code != null) getSelection()?.selectAllChildren(code);
  return false;
}
