import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { newDriver } from '@fernlab/edge/driver-kit/new-driver'
import { createOwnDriver } from '@fernlab/edge/drivers/own/own'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { writeNewFolder } from '@fernlab/shared/storage/new-folder'
import { root } from '../../support/source-files.ts'
import { driverContract } from '../driver-contract.ts'

interface Made {
  readonly folder: string
  readonly settings: object
  readonly end?: () => Promise<void>
}

/** The contract on the driver that `fernlab driver new` makes; `prepare` says where its oven is. */
function ownContract(name: string, prepare: (folder: string) => Promise<Omit<Made, 'folder'>>): void {
  const make = async (): Promise<Made> => {
    const folder = await mkdtemp(join(tmpdir(), 'fernlab-own-contract-'))
    const { files } = await newDriver(join(folder, 'oven'), 'typescript')
    await writeNewFolder(join(folder, 'oven'), files)
    return { folder, ...(await prepare(folder)) }
  }
  let made: Promise<Made> | undefined
  driverContract(
    name,
    async () => {
      made ??= make()
      const { folder, settings } = await made
      return {
        driver: createOwnDriver(),
        config: { folder: './oven', settings },
        context: {
          name: 'oven-1',
          clock: systemClock,
          log: silentLog,
          openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
          configFolder: folder,
        },
        settable: { name: 'power', values: [2.5, 12] as const },
        readable: ['power', 'temperature'],
        action: 'stop',
        release: async () => {},
      }
    },
    async () => {
      if (made === undefined) return
      const { folder, end } = await made
      await end?.()
      await rm(folder, { recursive: true, force: true })
    },
    // Each case compiles it anew.
    { timeoutMs: 120_000, fileTimeoutMs: 900_000 },
  )
}

ownContract('own, the new driver with its emulated oven', async () => ({ settings: { emulated: {} } }))

ownContract('own, the new driver on a serial port', async (folder) => {
  // The oven on a serial port is that of the same driver in Python.
  const { files } = await newDriver(join(folder, 'far'), 'python')
  await writeNewFolder(join(folder, 'far'), files)
  const oven = spawn('python3', [join(root, 'test/support/new-drivers/oven.py'), join(folder, 'far')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const path = await firstLine(oven)
  return {
    settings: { transport: { kind: 'serial', path } },
    end: async () => {
      const gone = new Promise((resolve) => oven.once('exit', resolve))
      oven.stdin?.end()
      await gone
    },
  }
})

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('it says nothing'))
    createInterface(child.stdout).once('line', resolve)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the oven ended with ${code}`)))
  })
}
