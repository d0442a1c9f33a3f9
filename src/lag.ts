/** From the window's last frame to a moment: its arrival at the broker, or at a reader. Wall clock. */
export function lagMs(
  forecast: { readonly window: { readonly to: string } },
  atMs: number,
): number {
  return atMs - Date.parse(forecast.window.to);
}
