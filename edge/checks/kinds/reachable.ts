import { connect } from 'node:net'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { checkKind } from '../check-kind.ts'

const configSchema = z.strictObject({
  host: z.string().min(1).max(253).describe('The host that must answer: its name or its address.'),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .describe(
      'A TCP port of the host that takes one more connection. Many instruments take a single one on the port that they are driven by.',
    ),
})

/** A host takes a connection. It is opened and closed at once; nothing is sent. */
export const reachableKind = checkKind({
  kind: 'reachable',
  config: configSchema,
  harmless: true,
  findings: () => [],
  perform: async ({ host, port }, _bench, signal) => {
    signal.throwIfAborted()
    const socket = connect({ host, port })
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', () => resolve())
        socket.once('error', (cause) => reject(unreachable(host, port, cause)))
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
    } finally {
      // What comes after the answer no longer matters.
      socket.on('error', () => {})
      socket.destroy()
    }
  },
})

function unreachable(host: string, port: number, cause: Error & { code?: string }): LabError {
  return new LabError({
    code: 'host-unreachable',
    kind: 'link',
    retry: 'later',
    message: `${host}:${port} does not answer (${cause.code ?? cause.message})`,
    details: { host, port },
    cause,
  })
}
