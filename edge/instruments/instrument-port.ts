/** An instrument's way to its port: the node's own, or with firmware to keep and tools to lend it to. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { readFirmware } from '@fernlab/firmware-bridge/flashing/firmware-file'
import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import type { InstrumentEntry } from '@fernlab/shared/contracts/node-file'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { type BaselineFirmware, keepBaselineFirmware } from './baseline-firmware.ts'
import { lendPort } from './lent-port.ts'

export interface InstrumentPortOptions {
  readonly name: string
  readonly entry: InstrumentEntry
  readonly openTransport: OpenTransport
  readonly configFolder: string
  /** Why the instrument's port can not be lent to a tool now. */
  readonly inUse: () => string | undefined
  readonly clock: Clock
  readonly log: Log
}

export interface InstrumentPort {
  readonly openTransport: OpenTransport
  /** Begins what the port does by itself; returns at once. */
  start(): void
  close(): Promise<void>
}

/** Reads the firmware that the entry names; rejects with a configuration-kind LabError whose path is that of the entry. */
export async function instrumentPort(options: InstrumentPortOptions): Promise<InstrumentPort> {
  const { entry, openTransport, inUse, clock, log } = options
  const firmware = entry.firmware === undefined ? undefined : await baselineOf(options, entry.firmware)
  const lent =
    entry.forward === undefined
      ? undefined
      : lendPort({
          port: entry.forward,
          openTransport: firmware?.openTransport ?? openTransport,
          openForTool: openTransport,
          inUse: () => (firmware?.isAtWork() ? 'the board is being given its firmware' : inUse()),
          clock,
          log,
        })
  return {
    openTransport: lent?.openTransport ?? firmware?.openTransport ?? openTransport,
    start: () => {
      lent?.start().catch((thrown: unknown) => {
        log.error({ error: asLabError(thrown).message }, 'a port can not be lent')
      })
    },
    close: async () => {
      await Promise.all([lent?.close(), firmware?.close()])
    },
  }
}

async function baselineOf(
  { name, openTransport, configFolder, clock, log }: InstrumentPortOptions,
  { board, hex }: { readonly board: string; readonly hex: string },
): Promise<BaselineFirmware> {
  const kind = await at(`instruments.${name}.firmware.board`, async () => boardKind(board))
  const image = await at(`instruments.${name}.firmware.hex`, async () => {
    const bytes = await readFile(resolve(configFolder, hex)).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is no such file' : `can not be read (${error.code})`
      throw new LabError({ code: 'firmware-file-wrong', kind: 'configuration', message: `${hex}: ${why}` })
    })
    return readFirmware(bytes, kind, hex)
  })
  return keepBaselineFirmware({ board: kind, image, openTransport, clock, log })
}

async function at<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    const cause = asLabError(thrown)
    if (cause.kind !== 'configuration') throw cause
    throw new LabError({
      code: 'configuration-invalid',
      kind: 'configuration',
      message: `${path}: ${cause.message}`,
      issues: [{ path, message: cause.message }],
      cause,
    })
  }
}
