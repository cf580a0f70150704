import type { Http2Bindings, HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'

/** An answer that was made of a text, which a Response gives back as a stream only. */
export interface WholeAnswer {
  readonly response: Response
  readonly text: string
}

type Bindings = (HttpBindings | Http2Bindings) & { readonly whole?: WholeAnswer }
type Fetch = (request: Request, env: Bindings) => Response | Promise<Response>

/**
 * Sends answers whose text the app left in `env.whole` with their head in one piece. The adapter reads every body as a
 * stream and so sends head, body and end apart: three system calls and as many packets for a reading of 100 bytes. Other
 * answers, packed and streamed ones among them, pass unchanged.
 */
export function sendWhole(fetch: Fetch): Fetch {
  return async (request, env) => {
    const response = await fetch(request, env)
    if (env.whole?.response !== response) return response
    const { headers, status } = response
    const cookies = headers.getSetCookie()
    const head: Record<string, string | string[]> = Object.fromEntries(headers)
    if (cookies.length > 0) head['set-cookie'] = cookies
    const outgoing = env.outgoing as HttpBindings['outgoing']
    outgoing.writeHead(status, head)
    outgoing.end(env.whole.text)
    return RESPONSE_ALREADY_SENT
  }
}
