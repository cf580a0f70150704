import type { Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { createAdaptorServer } from '@hono/node-server'
import { type Listener, listen, trackConnections } from '../broker/listeners.ts'

export interface ListenPagesOptions {
  readonly fetch: (request: Request) => Promise<Response>
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
  const { fetch, host, port, hubPort, tls, log } = options
  const server = createAdaptorServer({
    fetch,
    overrideGlobalObjects: false,
    ...(tls === undefined ? {} : { createServer: createHttpsServer, serverOptions: tls }),
  }) as Server
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
