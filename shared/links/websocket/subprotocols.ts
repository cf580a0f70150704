/** How the ends of a WebSocket agree on the format: the client offers subprotocols, the server takes its first that it knows. */
import { cborFormat } from '../../rpc/cbor-format.ts'
import { type Format, jsonFormat } from '../../rpc/formats.ts'

const formats: Readonly<Record<string, Format>> = { 'fernlab.rpc.1.cbor': cborFormat, 'fernlab.rpc.1.json': jsonFormat }

/** The first that is known, for `handleProtocols` of a server; false for none. */
export function chosenSubprotocol(offered: Iterable<string>): string | false {
  for (const name of offered) if (Object.hasOwn(formats, name)) return name
  return false
}

/** The format of a connection; undefined when the ends agreed on none. */
export const formatOfSubprotocol = (name: string): Format | undefined =>
  Object.hasOwn(formats, name) ? formats[name] : undefined
