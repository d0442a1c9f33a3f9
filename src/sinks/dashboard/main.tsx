/** The dashboard: a subscriber like any robot, with pictures. */
import { render } from 'preact';
import { z } from 'zod';
import { App } from './app.js';
import { start } from './store.js';
import './style.css';
import './watch.css';
import './pages.css';

// Without it zod would try to compile code, which the page's content policy forbids and the console tells.
z.config({ jitless: true });

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
start();
