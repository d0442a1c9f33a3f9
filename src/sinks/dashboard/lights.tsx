/** A statement that lights its evidence while the mouse or the focus is on it; a click keeps it lit. */
import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Evidence } from './lighting.js';

export function Lights({
  evidence,
  lit,
  children,
}: {
  readonly evidence: Evidence | undefined;
  readonly lit: Signal<Evidence | undefined>;
  readonly children: ComponentChild;
}): ComponentChild {
  const isKept = useSignal(false);
  useEffect(
    () => () => {
      if (lit.peek() === evidence) lit.value = undefined;
    },
    [evidence, lit],
  );
  if (evidence === undefined) return <span class="statement">{children}</span>;
  const show = (): void => {
    lit.value = evidence;
  };
  const hide = (): void => {
    if (!isKept.peek() && lit.peek() === evidence) lit.value = undefined;
  };
  return (
    <button
      type="button"
      class={lit.value === evidence ? 'statement lights is-lit' : 'statement lights'}
      aria-pressed={isKept.value}
      onPointerEnter={show}
      onPointerLeave={hide}
      onFocus={show}
      onBlur={() => {
        isKept.value = false;
        hide();
      }}
      onClick={() => {
        isKept.value = !isKept.value;
        show();
      }}
    >
      {children}
    </button>
  );
}
