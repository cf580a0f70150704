import type { Http2Bindings, HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'

type Fetch = (request: Request, env: HttpBindings | Http2Bindings) => Response | Promise<Response>

const json = /^application\/([\w.+-]+\+)?json\b/

/**
 * Sends JSON answers with their head in one piece. The adapter reads every body as a stream and so sends head, body and
 * end apart: three system calls and as many packets for a reading of 100 bytes. Other answers pass unchanged.
 */
export function sendWhole(fetch: Fetch): Fetch {
  return async (request, env) => {
    const response = await fetch(request, env)
    const { body, headers, status } = response
    if (body === null || headers.has('content-encoding')) return response
    if (!json.test(headers.get('content-type') ?? '')) return response
    const bytes = Buffer.from(await response.arrayBuffer())
    const cookies = headers.getSetCookie()
    const head: Record<string, string | string[]> = Object.fromEntries(headers)
    if (cookies.length > 0) head['set-cookie'] = cookies
    head['content-length'] = String(bytes.length)
    const outgoing = env.outgoing as HttpBindings['outgoing']
    outgoing.writeHead(status, head)
    outgoing.end(bytes)
    return RESPONSE_ALREADY_SENT
  }
}
