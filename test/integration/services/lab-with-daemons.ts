/** A folder with a lab builder's services, its daemons as processes, and a client of them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { MOST_CALLS } from '@fernlab/edge/services/daemons/daemon-calls'
import {
  type CreateDaemonsOptions,
  createDaemons,
  type Daemons,
  type DaemonsConfig,
} from '@fernlab/edge/services/daemons/daemons'
import { daemonsSchema, ownServicesSchema } from '@fernlab/shared/contracts/own-services'
import { localLinks } from '@fernlab/shared/links/local/local-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { recordingLog } from '@fernlab/shared/primitives/log'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import { serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import type { Lingering } from '@fernlab/shared/rpc/peer/lingering'
import { createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'

export interface LabWithDaemons {
  readonly folder: string
  readonly daemons: Daemons
  /** node.yaml says that from now on. */
  write(config: DaemonsConfig): void
  /** Reloads what node.yaml would say then. */
  reload(config: DaemonsConfig): ReturnType<Daemons['reload']>
  readonly log: ReturnType<typeof recordingLog>
  /** A client with a connection of its own; what lingers is to be taken over by the next that has the same. */
  client(person?: string, lingering?: Lingering): Peer
  /** Resolves when it holds; looked at again at each change, and often besides: what is written is no change. */
  until(holds: () => boolean): Promise<void>
  close(): Promise<void>
}

export const configOf = (daemons: object, own: object): DaemonsConfig => ({
  daemons: daemonsSchema.parse(daemons),
  services: { own: ownServicesSchema.parse(own) },
})

export async function labWithDaemons(
  files: Readonly<Record<string, string>>,
  config: DaemonsConfig,
  lockOf: CreateDaemonsOptions['lockOf'] = () => undefined,
): Promise<LabWithDaemons> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-daemons-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  await mkdir(join(folder, 'data'))
  const log = recordingLog()
  const clock = systemClock
  let written = config
  const readConfig = async () => written
  const daemons = await createDaemons({
    config,
    readConfig,
    configFolder: folder,
    dataFolder: join(folder, 'data'),
    lockOf,
    clock,
    log,
  })
  const waiting = new Set<() => void>()
  daemons.onChange(() => {
    for (const look of [...waiting]) look()
  })
  return {
    folder,
    daemons,
    write: (next) => {
      written = next
    },
    reload: (next) => {
      written = next
      return daemons.reload()
    },
    log,
    client: (person = 'anna', lingering?: Lingering) => {
      const [near, far] = localLinks()
      const node = createPeer({
        link: far,
        clock,
        owner: () => person,
        ...(lingering === undefined ? {} : { lingering }),
        serve: serveServices((name) => daemons.find(name, caller), matchesPattern),
      })
      const caller = { person, onEnd: (listener: () => void) => node.onEnd(listener) }
      return createPeer({ link: near, clock })
    },
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (!holds()) return
          waiting.delete(look)
          clearInterval(often)
          resolve()
        }
        const often = setInterval(look, 20)
        waiting.add(look)
        look()
      }),
    close: async () => {
      await daemons.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** The state of a daemon, and its process. */
export const daemonOf = ({ daemons }: LabWithDaemons, name: string) =>
  daemons.report().find(({ daemon }) => daemon === name)

export const isUp = (lab: LabWithDaemons, ...names: string[]) =>
  names.every((name) => daemonOf(lab, name)?.state === 'up')

/** Resolves when a daemon has written that. */
export async function untilWritten({ daemons }: LabWithDaemons, daemon: string, words: string): Promise<void> {
  while (!daemons.lines([daemon], 2000).some(({ text }) => text.includes(words))) await systemClock.sleep(20)
}

/** Somebody has as much under way as they may; only they are told, also by another connection, and only until it has ended. */
export async function takesTheirShare(
  lab: LabWithDaemons,
  service: string,
  { action, args }: { readonly action: string; readonly args: object },
): Promise<void> {
  const [first, second, other] = [lab.client('hans'), lab.client('hans'), lab.client('ines')]
  const given = Array.from({ length: MOST_CALLS }, () => new AbortController())
  const waiting = given.map(({ signal }) => rejection(first.call(`${service}/${action}`, args, { signal })))
  const refused = await rejection(second.call(`${service}/add`))
  assert.equal([refused.code, refused.retry], ['link-busy', 'later'])
  assert.type(await other.call(`${service}/add`), 'number')
  for (const one of given) one.abort()
  await Promise.all(waiting)
  while (await isBusy(second.call(`${service}/add`)));
  await Promise.all([first.close(), second.close(), other.close()])
}

async function isBusy(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return false
  } catch (thrown) {
    assert.is(asLabError(thrown).code, 'link-busy')
    return true
  }
}
