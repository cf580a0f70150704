/** The transport port: a two-way stream of bytes to one device. */
import * as z from 'zod'
import type { ModemLines } from '../emulated/wire-device.ts'
import { usbtmcConfigSchema } from './usbtmc/config.ts'

/** Where a device is, as in node.yaml. */
export const transportConfigSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('serial').describe('A serial line.'),
      path: z.string().describe('The device, best by the name that stays the same: /dev/serial/by-id/… or by-path/….'),
      baudRate: z.number().int().positive().default(9600).describe('In bits per second. Default: 9600.'),
      dataBits: z
        .union([z.literal(7), z.literal(8)])
        .default(8)
        .describe('Default: 8.'),
      parity: z.enum(['none', 'even', 'odd']).default('none').describe('Default: none.'),
      stopBits: z
        .union([z.literal(1), z.literal(2)])
        .default(1)
        .describe('Default: 1.'),
      flowControl: z.enum(['none', 'rtscts', 'xonxoff']).default('none').describe('Default: none.'),
    }),
    z.strictObject({
      kind: z.literal('tcp').describe('A socket.'),
      host: z.string().describe('Name or address of the instrument.'),
      port: z.number().int().min(1).max(65535).default(5025).describe('Default: 5025.'),
    }),
    z.strictObject({
      kind: z.literal('emulated').describe('An emulated instrument in this process.'),
      world: z
        .string()
        .describe(
          'The circuit that emulated instruments share: rc, rc-2, diode, diode-2 …, or an Arduino Uno with a heated block: uno, uno-2 …, or things that are hot: heat, or a balance: weigh, or a board that speaks Firmata: firmata, or a board that is only flashed: leonardo, esp32, esp32-s3, esp32-c3.',
        ),
      device: z
        .string()
        .describe(
          'Which instrument of the circuit: psu, dmm, fgen, voltmeter, ammeter; of an Uno, a Leonardo, an ESP32 or of firmata: board; of heat: hotplate, modbus; of weigh: balance.',
        ),
    }),
  ])
  .meta({ id: 'Transport' })

/** The same, and instruments whose wire carries whole messages. */
export const messageTransportConfigSchema = z
  .discriminatedUnion('kind', [...transportConfigSchema.options, usbtmcConfigSchema])
  .meta({ id: 'MessageTransport' })
export type TransportConfig = z.infer<typeof messageTransportConfigSchema>

export interface Transport {
  /**
   * Resolves when the bytes are handed to the operating system. `answerMs` is how long the sender waits for that, and
   * then for an answer: wires on which an answer must be fetched wait for it as long.
   */
  write(bytes: Uint8Array, answerMs?: number): Promise<void>
  /** Called with every piece that arrives, split anywhere. */
  onData(listener: (bytes: Uint8Array) => void): void
  /** Called after the last piece of each message; absent where the wire does not say where messages end. */
  onMessageEnd?(listener: () => void): void
  /** Called once when the connection has ended, with the reason when it was not `close`. */
  onClose(listener: (reason: Error | undefined) => void): void
  /** Sets modem lines; absent where there are none. Resolves when they are set. */
  setLines?(lines: ModemLines): Promise<void>
  /** Changes the speed of a line that has one; absent where there is none. Bytes that are under way may be lost. */
  setBaudRate?(baudRate: number): Promise<void>
  close(): Promise<void>
}

/** Opens a connection; rejects with a link-kind LabError that names the path or address and says what to do. */
export type OpenTransport = (config: TransportConfig, signal: AbortSignal) => Promise<Transport>
