import type { Format } from '../../rpc/formats.ts'

/** What a WebSocket is offered for a format. */
export const subprotocolOf = (format: Format): string => `fernlab.rpc.1.${format.name}`
