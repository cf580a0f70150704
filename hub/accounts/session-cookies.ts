/**
 * The cookie that carries a sign-in, where scripts of other ports of the host may have set cookies of its name. Pure.
 *
 * Browsers tell cookies of ports apart as little as those of paths, and send all that fit. A name that begins with
 * `__Host-Http-` is for TLS, for this host, for every path and for no script (RFC 6265bis): there can be only one of it.
 */

/** Before the name of a cookie: over HTTPS, nobody but the hub's own answers can set it. */
export const cookiePrefix = (secure: boolean): string => (secure ? '__Host-Http-' : '')

/** The cookie that carries a sign-in. */
export const sessionCookieName = (secure: boolean): string => `${cookiePrefix(secure)}fernlab.session_token`

/** More than any browser keeps for one who is left in peace. */
const MOST = 8

/** What came under the name, each once, as it was sent; nothing of more than anybody has. */
export function valuesOf(header: string | null, name: string): readonly string[] {
  const values = new Set(pairsIn(header).flatMap(([found, value]) => (found === name ? [value] : [])))
  return values.size > MOST ? [] : [...values]
}

/** The header with this as the only value of the name, or without any. */
export function withOnly(header: string | null, name: string, value: string | undefined): string {
  const others = pairsIn(header).filter(([found]) => found !== name)
  const pairs = value === undefined ? others : [...others, [name, value] as const]
  return pairs.map(([found, text]) => `${found}=${text}`).join('; ')
}

function pairsIn(header: string | null): (readonly [string, string])[] {
  return (header ?? '').split(';').flatMap((text) => {
    const at = text.indexOf('=')
    return at === -1 ? [] : [[text.slice(0, at).trim(), text.slice(at + 1).trim()] as const]
  })
}
