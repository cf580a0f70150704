/**
 * What a lab builder's driver imports as `@fernlab/driver`, and the program that holds it: both are one module, so that the
 * classes which the driver sees are those of the program.
 *
 * INVARIANTS: standard output has messages only, whatever the driver prints; what the driver throws unasked ends this
 * process after the instrument was closed, and its last line says what it was; nothing of it outlives its input.
 */

import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { isMain } from '@fernlab/shared/programs/is-main'
import { loadDriver } from './load-driver.ts'
import { ownOutput } from './own-output.ts'
import { serveDriver } from './serve-driver.ts'

export { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
export { LabError } from '@fernlab/shared/primitives/lab-error'
export * as z from 'zod'
export { driverOf } from '../driver-of.ts'
export { lineSession } from './line-session.ts'

const CLOSE_MS = 1000

async function main([folder = '', name = '']: readonly string[]): Promise<void> {
  const { send, log } = ownOutput()
  const context = {
    name,
    clock: systemClock,
    log,
    openTransport: createOpenTransport({ clock: systemClock, log }),
    configFolder: process.cwd(),
  }
  let close: () => Promise<void> = async () => {}
  const leave = (code: number, words: string) => {
    process.stderr.write(words)
    process.exit(code)
  }
  const end = async (code: number, words = '') => {
    const cancel = systemClock.after(CLOSE_MS, () => leave(code, words))
    await close()
    cancel()
    leave(code, words)
  }
  const fail = (thrown: unknown) => {
    const error = thrown instanceof Error ? thrown : new TypeError(String(thrown))
    process.stderr.write(`${error.stack}\n`)
    // What is said last is the reason that the node tells.
    void end(1, `${error.name}: ${error.message}\n`)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  try {
    const driver = await loadDriver(folder, { configFolder: context.configFolder, surface: import.meta.url })
    const served = serveDriver({ driver, context, send })
    close = served.close
    process.stdin.on('data', served.take)
    process.stdin.once('end', () => void end(0))
  } catch (thrown) {
    process.stderr.write(`${asLabError(thrown).message}\n`)
    process.exit(1)
  }
}

// Not awaited here: the driver imports this module, which would wait for itself.
if (isMain(import.meta.url)) void main(process.argv.slice(2))
