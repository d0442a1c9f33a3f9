/** Ends with 0 where the engine beside it answers. Not whether it is ready: a camera that is off is no reason to start it again. */
const port = process.env.LOOKAHEAD_HTTP_PORT || '9700';
try {
  const answer = await fetch(`http://127.0.0.1:${port}/livez`, {
    signal: AbortSignal.timeout(4_000),
  });
  process.exitCode = answer.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
