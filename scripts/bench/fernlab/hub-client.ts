import { Agent, request } from 'node:http'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** The admin's API token in every benchmark. */
export const adminToken = 'bench-admin-token-0123456789-0123456789'

export interface Answer {
  readonly status: number
  readonly text: string
}

/** Keeps connections open and sends each request at once (TCP_NODELAY), as a client program does. */
export class HubClient {
  readonly #base: URL
  readonly #standing: Readonly<Record<string, string>>
  readonly #agent = new Agent({ keepAlive: true, noDelay: true, maxSockets: 600 })

  /** `standing` goes with every request: the admin’s token unless given. */
  constructor(base: string, standing: Readonly<Record<string, string>> = { authorization: `Bearer ${adminToken}` }) {
    this.#base = new URL(base)
    this.#standing = standing
  }

  ask(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: this.#base.hostname,
          port: this.#base.port,
          method,
          path,
          agent: this.#agent,
          headers: {
            ...this.#standing,
            ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
          )
          response.on('error', reject)
        },
      )
      asked.on('error', reject)
      asked.end(payload)
    })
  }

  /** The answer's JSON; rejects with what the hub said when it is not 2xx. */
  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const { status, text } = await this.ask(method, path, body, headers)
    if (status >= 300) {
      const message = `${method} ${path}: ${status} ${text.slice(0, 500)}`
      throw new LabError({ code: 'bench-refused', kind: 'link', message })
    }
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** One value of the hub's `/metrics`. */
export async function readMetric(client: HubClient, line: string): Promise<number> {
  const { text } = await client.ask('GET', '/metrics')
  const found = text.split('\n').find((each) => each.startsWith(`${line} `))
  return found === undefined ? Number.NaN : Number(found.slice(line.length + 1))
}
