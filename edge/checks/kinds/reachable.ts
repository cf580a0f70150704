import * as z from 'zod'
import { checkKind } from '../check-kind.ts'
import { takesConnection } from '../takes-connection.ts'

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
  perform: ({ host, port }, _bench, signal) => takesConnection(host, port, signal),
})
