import type { ServedHub } from '../api/served-hub.ts'

/** The session cookie that an answer sets, as the browser sends it back. */
export const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .find((line) => line.startsWith('fernlab.session_token='))
    ?.split(';')[0] ?? ''

/** A call of the person whose cookie it is, from the hub's own page. */
export const askAs = (hub: ServedHub, cookie: string, method: string, path: string, body?: object): Promise<Response> =>
  fetch(`${hub.url}${path}`, {
    method,
    headers: { cookie, origin: hub.url, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

/** The secret behind the `#` of a one-time link. */
export const secretIn = (link: string | undefined): string =>
  new URLSearchParams(new URL(link ?? '').hash.slice(1)).get('token') ?? ''

/** The secret of the one-time link in a letter. */
export const secretInLetter = (letter: string): string => /#token=([\w-]{43})/.exec(letter)?.[1] ?? ''
