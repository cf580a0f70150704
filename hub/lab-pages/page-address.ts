/** Under which origin labs' own pages are served: always another than the hub's. */

export interface PageAddress {
  /** For somebody who reaches the hub at this host (`name:port`); undefined where there is no such origin. */
  origin(host: string): string | undefined
  /** The same for a visit to a lab's own server in this session: one of its own, where the settings leave room for it. */
  forVisit(host: string, sessionId: string): string | undefined
  /** Origins of the hub whose pages may show what is served at this host. */
  framedBy(host: string): string[]
}

export interface PageAddressOptions {
  /**
   * The origin that the settings name: a proxy serves the pages there. With `*` for the first part of its host, each visit
   * to a lab's own server has a host of its own.
   */
  readonly pagesUrl?: string | undefined
  /** The hub's own address, where the settings name it. */
  readonly publicUrl?: string | undefined
  /** Whether the listeners speak TLS themselves. */
  readonly tls: boolean
  readonly hubPort: () => number
  readonly pagesPort: () => number
}

/** Without a setting, the same host on the port of the pages; not behind a proxy with TLS, whose pages may load no plain HTTP. */
export function createPageAddress(options: PageAddressOptions): PageAddress {
  const { pagesUrl, publicUrl, tls, hubPort, pagesPort } = options
  const scheme = tls ? 'https' : 'http'
  const isBehindTls = !tls && publicUrl?.startsWith('https:') === true
  const at = (host: string, port: number): string | undefined => {
    const name = plainName(host)
    return name === undefined ? undefined : new URL(`${scheme}://${name}:${port}`).origin
  }
  const originAs = (name: string) => new URL(pagesUrl ?? '').origin.replace('*', name)
  return {
    origin: (host) => {
      if (pagesUrl !== undefined) return originAs('pages')
      return isBehindTls ? undefined : at(host, pagesPort())
    },
    forVisit: (host, sessionId) => {
      if (pagesUrl !== undefined) return originAs(`s-${sessionId.toLowerCase()}`)
      return isBehindTls ? undefined : at(host, pagesPort())
    },
    framedBy: (host) => {
      const own = publicUrl === undefined ? [] : [new URL(publicUrl).origin]
      const direct = at(host, hubPort())
      return [...new Set([...own, ...(direct === undefined ? [] : [direct])])]
    },
  }
}

/** A name or an IPv4 address that a content security policy can hold; who calls chose it. */
function plainName(host: string): string | undefined {
  const address = `http://${host}`
  if (!URL.canParse(address)) return undefined
  const { hostname } = new URL(address)
  return /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(hostname) ? hostname : undefined
}
