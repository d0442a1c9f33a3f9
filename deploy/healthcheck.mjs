/** Ends with 0 where the engine beside it answers. Not whether it is ready: a camera that is off is no reason to start it again. */
import { get } from 'node:http';

const port = process.env.LOOKAHEAD_HTTP_PORT || '9700';
const fail = () => process.exit(1);
get({ host: '127.0.0.1', port, path: '/livez', timeout: 4_000 }, ({ statusCode }) =>
  process.exit(statusCode === 200 ? 0 : 1),
)
  .on('error', fail)
  .on('timeout', fail);
