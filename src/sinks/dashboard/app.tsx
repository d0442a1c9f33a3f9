/** The frame of every page: where one can go, and whether what is shown is alive. */
import { useSignalEffect } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { Login } from './login.js';
import { pageTitle } from './page-title.js';
import { route, to } from './route.js';
import { logOut, session } from './session.js';
import { cameras, isSilent, link, siteOf } from './store.js';
import { CameraPage } from './camera-page.js';
import { CamerasPage } from './cameras-page.js';
import { HistoryPage } from './history-page.js';
import { ManagePage } from './manage-page.js';
import { QualityPage } from './quality-page.js';

const pages: readonly { readonly page: string; readonly title: string }[] = [
  { page: '', title: 'Cameras' },
  { page: 'history', title: 'History' },
  { page: 'quality', title: 'Quality' },
  { page: 'manage', title: 'Manage' },
];

export function App(): ComponentChild {
  useSignalEffect(() => {
    document.title = pageTitle(route.value, siteOf());
  });
  if (link.value.state === 'login') return <Login />;
  return (
    <>
      <a class="skip" href="#main" onClick={toContent}>
        To the content
      </a>
      <header class="top">
        <a class="brand" href={to('')}>
          Lookahead <small>{siteOf()}</small>
        </a>
        <nav aria-label="Pages">
          {pages.map(({ page, title }) => (
            <a href={to(page)} aria-current={route.value.page === page ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        {session.value?.needsLogin === true && (
          <button type="button" onClick={() => void logOut()}>
            Log out
          </button>
        )}
      </header>
      <Banner />
      <main id="main" tabIndex={-1}>
        <Page />
      </main>
    </>
  );
}

/** The address says which page is shown: following the link would leave it. */
function toContent(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Page(): ComponentChild {
  const { page, rest } = route.value;
  switch (page) {
    case '':
      return <CamerasPage cameras={cameras.value} />;
    case 'camera': {
      const camera = cameras.value?.find(({ name }) => name === rest[0]);
      if (camera !== undefined) return <CameraPage key={camera.name} camera={camera} />;
      return cameras.value === undefined ? (
        <p class="empty">Looking for {rest[0]} …</p>
      ) : (
        <Missing what={`camera ${rest[0] ?? ''}`} />
      );
    }
    case 'history':
      return <HistoryPage />;
    case 'quality':
      return <QualityPage />;
    case 'manage':
      return <ManagePage />;
    default:
      return <Missing what="page" />;
  }
}

function Missing({ what }: { readonly what: string }): ComponentChild {
  return (
    <p class="empty">
      There is no such {what}. <a href={to('')}>To the cameras</a>
    </p>
  );
}

/** Says, and never hides, that what is below may be old. */
function Banner(): ComponentChild {
  const now = link.value;
  const text =
    now.state === 'lost'
      ? `${now.why} It is tried again; what is shown may be old.`
      : now.state === 'hindered'
        ? now.why
        : now.state === 'open' && isSilent.value
          ? 'The engine has not been heard for more than three seconds; what is shown may be old.'
          : '';
  return (
    <p class={`banner ${now.state}`} role="status" aria-live="polite">
      {text}
    </p>
  );
}
