import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createProcessDriver } from '@fernlab/edge/drivers/process/process'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { guides } from '../../support/doc-blocks.ts'
import { driverContract } from '../driver-contract.ts'

const examples = fileURLToPath(new URL('../../../edge/drivers/process/examples/', import.meta.url))

/** The contract on an oven; `prepare` puts its program into the folder and says how it is run there. */
function ovenContract(name: string, prepare: (folder: string) => Promise<[string, ...string[]]>): void {
  const make = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fernlab-oven-'))
    return { folder, command: await prepare(folder) }
  }
  let made: ReturnType<typeof make> | undefined
  driverContract(
    name,
    async () => {
      made ??= make()
      const { folder, command } = await made
      return {
        driver: createProcessDriver(),
        config: { command, settings: { roomCel: 22 } },
        context: {
          name: 'oven-1',
          clock: systemClock,
          log: silentLog,
          openTransport: createOpenTransport({ clock: systemClock, log: silentLog }),
          configFolder: folder,
        },
        settable: { name: 'heater', values: [2.5, 12] as const },
        readable: ['heater', 'temperature'],
        action: 'cool',
        release: async () => {},
      }
    },
    async () => {
      if (made !== undefined) await rm((await made).folder, { recursive: true, force: true })
    },
  )
}

ovenContract('process, the guide’s example in Python', async (folder) => {
  const blocks = guides().find(({ path }) => path === 'docs/lab-builders.md')?.blocks ?? []
  await writeFile(join(folder, 'oven.py'), blocks.find(({ file }) => file === 'oven/oven.py')?.text ?? '')
  return ['python3', './oven.py']
})

ovenContract('process, the example in C', async (folder) => {
  const flags = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-O2']
  await promisify(execFile)('cc', [...flags, '-o', join(folder, 'oven'), join(examples, 'oven.c')])
  return ['./oven']
})
