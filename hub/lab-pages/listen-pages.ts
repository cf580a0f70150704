import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { getRequestListener } from '@hono/node-server'
import { type Listener, listen, serveWithoutUpgrade, trackConnections } from '../broker/listeners.ts'
import type { LabVisits } from '../lab-servers/lab-visits.ts'

export interface ListenPagesOptions {
  readonly fetch: (request: Request) => Promise<Response>
  /** Whoever else answers at this origin is asked first. */
  readonly visits: Pick<LabVisits, 'take' | 'upgrade'>
  readonly host: string
  /** As the settings say it. */
  readonly port: number | undefined
  /** The hub's own port as the settings say it; without a port of its own, the next one is taken where it is free. */
  readonly hubPort: number
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  readonly log: Log
}

const SETTING = 'FERNLAB_PAGES_PORT'

/** Listens for labs' own pages: a port is what makes another origin of the same host. */
export async function listenPages(options: ListenPagesOptions): Promise<Listener> {
  const { fetch, visits, host, port, hubPort, tls, log } = options
  const giveFile = getRequestListener(fetch, { overrideGlobalObjects: false })
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (!visits.take(request, response)) void giveFile(request, response)
  }
  const server = tls === undefined ? createServer(answer) : createHttpsServer(tls, answer)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!visits.upgrade(request, socket, head)) serveWithoutUpgrade(server, request, socket, head)
  })
  const cutAll = trackConnections(server)
  const chosen = await (port === undefined ? listenNear() : listen(server, host, port, SETTING))
  return {
    port: chosen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cutAll()
      }),
  }

  async function listenNear(): Promise<number> {
    const next = hubPort === 0 || hubPort === 65_535 ? 0 : hubPort + 1
    try {
      return await listen(server, host, next, SETTING)
    } catch (error) {
      if (next === 0) throw error
      const taken = await listen(server, host, 0, SETTING)
      log.warn(
        { port: taken, reason: asLabError(error).message },
        `labs’ own pages are at port ${taken}; ${SETTING} fixes it`,
      )
      return taken
    }
  }
}
