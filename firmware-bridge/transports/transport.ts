/** The transport port: a two-way stream of bytes to one device. */
import * as z from 'zod'

/** Where a device is, as in node.yaml. */
export const transportConfigSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('serial'),
    /** `/dev/serial/by-id/…` or a pty. */
    path: z.string(),
    baudRate: z.number().int().positive().default(9600),
    dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
    parity: z.enum(['none', 'even', 'odd']).default('none'),
    stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
    flowControl: z.enum(['none', 'rtscts', 'xonxoff']).default('none'),
  }),
  z.strictObject({ kind: z.literal('tcp'), host: z.string(), port: z.number().int().min(1).max(65535).default(5025) }),
  /** An emulated device in this process; `world` names the circuit that devices share. */
  z.strictObject({ kind: z.literal('emulated'), world: z.string(), device: z.string() }),
])
export type TransportConfig = z.infer<typeof transportConfigSchema>

export interface Transport {
  /** Resolves when the bytes are handed to the operating system. */
  write(bytes: Uint8Array): Promise<void>
  /** Called with every piece that arrives, split anywhere. */
  onData(listener: (bytes: Uint8Array) => void): void
  /** Called once when the connection has ended, with the reason when it was not `close`. */
  onClose(listener: (reason: Error | undefined) => void): void
  close(): Promise<void>
}

/** Opens a connection; rejects with a link-kind LabError that names the path or address and says what to do. */
export type OpenTransport = (config: TransportConfig, signal: AbortSignal) => Promise<Transport>
