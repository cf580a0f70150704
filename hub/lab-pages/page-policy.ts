/**
 * The Content-Security-Policy of labs' own pages. The page is a stranger to the hub and is of no origin (`sandbox`), so
 * what it does inside itself is its own; it loads and calls nothing but files of its own lab, and opens nothing.
 */
export function pagePolicy(framedBy: readonly string[]): string {
  return [
    'sandbox allow-scripts',
    "default-src 'none'",
    "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "media-src 'self' data: blob:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${framedBy.length === 0 ? "'none'" : framedBy.join(' ')}`,
  ].join('; ')
}
