/**
 * Cookies of browsers that are at a lab's own server. Cookies know no ports, so those of the hub, of other labs and of
 * whatever else the machine serves come along with every request.
 *
 * INVARIANTS: a lab's server gets no cookie but those that it set itself in this session, and sets none with a name of
 * the hub's; what no script reads is kept under a name of the session's own.
 */
import { createHash } from 'node:crypto'

export interface LabCookies {
  /** The header for the lab's server from the browser's own. */
  toLab(header: string | undefined): string | undefined
  /** Lines of `Set-Cookie` for the browser from those of the lab's server. */
  toBrowser(lines: readonly string[]): string[]
  /** Lines that take away everything that was set. */
  forget(): string[]
}

/** More than a lab needs, and less than makes a browser drop others. */
const MOST_COOKIES = 40
const MOST_LINE = 4096
/** Of the hub, whichever of its parts. */
const RESERVED = /^(__(host-http|host|http|secure)-)*fernlab/i
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i

/** The name of the cookie that is the visitor's pass; over TLS, no other host can set it. */
export const passName = (secure: boolean): string => `${secure ? '__Host-' : ''}fernlab-visit`

/** The first cookie of the name. */
export function cookieOf(header: string | undefined, name: string): string | undefined {
  return cookiesIn(header).find(([found]) => found === name)?.[1]
}

/** The cookies of one session's lab; `secure`: browsers come over TLS. */
export function createLabCookies(sessionId: string, secure: boolean): LabCookies {
  const own = `fernlab-lab.${createHash('sha256').update(sessionId).digest('hex').slice(0, 16)}.`
  /** By the browser's name and path: what was set, and is not known to be gone. */
  const set = new Map<string, { readonly name: string; readonly path: string | undefined }>()
  return {
    toLab: (header) => {
      const open = new Set([...set.values()].map(({ name }) => name))
      const passed = cookiesIn(header).flatMap(([name, value]) => {
        if (!open.has(name)) return []
        return [`${name.startsWith(own) ? name.slice(own.length) : name}=${value}`]
      })
      return passed.length === 0 ? undefined : passed.join('; ')
    },
    toBrowser: (lines) =>
      lines.flatMap((line) => {
        const [pair = '', ...rest] = line.split(';')
        const [, given = '', value = ''] = /^\s*([^=]*?)\s*=(.*)$/s.exec(pair) ?? []
        if (!NAME.test(given) || line.length > MOST_LINE) return []
        const attributes = rest.map((text) => text.trim()).filter((text) => text !== '')
        const has = (name: string) => attributes.some((text) => text.toLowerCase() === name)
        const isHidden = has('httponly')
        if (!isHidden && RESERVED.test(given)) return []
        const name = isHidden ? `${own}${given}` : given
        const kept = attributes.filter((text) => !/^(domain|secure|partitioned|samesite)\b/i.test(text))
        const sameSite = attributes.find((text) => /^samesite\s*=/i.test(text))
        if (sameSite !== undefined) kept.push(/none/i.test(sameSite) && !secure ? 'SameSite=Lax' : sameSite)
        if (secure) kept.push('Secure')
        const path = attributes.find((text) => /^path\s*=/i.test(text))?.replace(/^path\s*=\s*/i, '')
        const key = `${name}\n${path ?? ''}`
        if (!set.has(key) && set.size >= MOST_COOKIES) return []
        set.set(key, { name, path })
        return [[`${name}=${value.trim()}`, ...kept].join('; ')]
      }),
    forget: () =>
      [...set.values()].map(({ name, path }) =>
        [`${name}=`, 'Max-Age=0', `Path=${path ?? '/'}`, ...(secure ? ['Secure'] : [])].join('; '),
      ),
  }
}

function cookiesIn(header: string | undefined): [string, string][] {
  return (header ?? '').split(';').flatMap((text): [string, string][] => {
    const at = text.indexOf('=')
    return at === -1 ? [] : [[text.slice(0, at).trim(), text.slice(at + 1).trim()]]
  })
}
