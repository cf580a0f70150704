/** Keeps other sites' pages from using a person's cookie: an unsafe call that carries one must come from our own page. */
import { refusal } from './problems.ts'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface OriginCheck {
  readonly method: string
  readonly headers: Headers
  /** `Host`, or what a trusted proxy says it was. */
  readonly host: string
  /** Origins that the settings name. */
  readonly ownOrigins: readonly string[]
}

/** Throws `origin-refused` for an unsafe call from another site's page. */
export function checkOrigin({ method, headers, host, ownOrigins }: OriginCheck): void {
  if (safeMethods.has(method)) return
  const origin = headers.get('origin')
  if (origin === null) {
    // Browsers send Origin with every unsafe call; without it and without a cookie it is a program.
    const site = headers.get('sec-fetch-site')
    if (!headers.has('cookie') || site === 'same-origin' || headers.has('authorization')) return
  } else if (ownOrigins.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host)) return
  throw refusal(
    'origin-refused',
    `the call came from ${origin ?? 'a page that does not say where it is from'}, not from this hub's own page`,
    'This call came from another page than the lab’s. Open the lab’s own page and try again.',
  )
}
