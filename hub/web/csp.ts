/** What the page may load; the hub sends it with every HTML answer. */
export interface PageSources {
  /** Further origins that the page may call, such as `wss://lab.example`; the page's own origin is always there. */
  readonly connect?: readonly string[]
  /** Origins that the page may show in a frame; none unless given. */
  readonly frame?: readonly string[]
}

/**
 * The Content-Security-Policy of the page. Nothing inline and no eval: styles are files (Mantine's variables are
 * written at build time, React sets `style` through the CSSOM), so no nonce is needed and index.html stays static.
 */
export function contentSecurityPolicy(sources: PageSources = {}): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src ${["'self'", ...(sources.connect ?? [])].join(' ')}`,
    `frame-src ${sources.frame === undefined || sources.frame.length === 0 ? "'none'" : sources.frame.join(' ')}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Every header that the page wants beside its policy. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
}
