/** Asks before a page is left with something on it that would be lost. */
import { useEffect, useRef } from 'preact/hooks';

const question = 'What was changed here is not saved and will be lost. Leave all the same?';

/** While `isUnsaved`, whoever goes to another page, reloads this one or closes it is asked first. */
export function useLeaveGuard(isUnsaved: boolean): void {
  const unsaved = useRef(isUnsaved);
  unsaved.current = isUnsaved;
  useEffect(() => {
    const askBefore = (event: Event): void => {
      if (unsaved.current && event.cancelable && !confirm(question)) event.preventDefault();
    };
    const onClick = (event: MouseEvent): void => {
      const link = event.target instanceof Element ? event.target.closest('a') : null;
      const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
      if (link?.hash.startsWith('#/') !== true || link.hash === location.hash) return;
      if (!isElsewhere) askBefore(event);
    };
    const onNavigate = (event: NavigateEvent): void => {
      if (event.navigationType === 'traverse' && event.hashChange) askBefore(event);
    };
    const onUnload = (event: BeforeUnloadEvent): void => {
      // The browser asks in its own words.
      if (unsaved.current) event.preventDefault();
    };
    addEventListener('click', onClick, true);
    addEventListener('beforeunload', onUnload);
    // For back and forward; not every browser has it.
    const navigation = (window as Partial<Window>).navigation;
    navigation?.addEventListener('navigate', onNavigate);
    return () => {
      removeEventListener('click', onClick, true);
      removeEventListener('beforeunload', onUnload);
      navigation?.removeEventListener('navigate', onNavigate);
    };
  }, []);
}
