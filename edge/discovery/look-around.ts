/** The whole look at this machine, as `fernlab doctor` has it; `discovery.ts` decides. */
import { builtInDrivers } from '../drivers/drivers.ts'
import { lookAtBroker } from './broker.ts'
import { discover } from './discovery.ts'
import type { Finding } from './find.ts'
import { readNodeUse, usualNodeFile } from './node-use.ts'
import { ownPerson, type Person } from './person.ts'
import { machineRoot } from './root.ts'

export interface LookAroundOptions {
  /** The node.yaml; where none is given, `/etc/fernlab/node.yaml` or the one in this folder, if there is one. */
  readonly nodeFile?: string
  /** Instead of `/`. */
  readonly rootFolder?: string
  readonly person?: Person
  readonly arch?: string
}

/** What is here, what of it a node uses, and what to do; changes nothing. Rejects only where something is amiss here. */
export async function lookAround(options: LookAroundOptions): Promise<Finding[]> {
  const root = machineRoot(options.rootFolder)
  const file = options.nodeFile ?? (await usualNodeFile(root))
  const node = file === undefined ? undefined : await readNodeUse(file, builtInDrivers())
  const found = await discover({
    root,
    person: options.person ?? ownPerson(),
    arch: options.arch ?? process.arch,
    ...(node === undefined ? {} : { node }),
  })
  const way = node?.hubUrl === undefined ? [] : await lookAtBroker(node.hubUrl)
  const after = found.findLastIndex(({ group }) => group === 'Node') + 1
  return [...found.slice(0, after), ...way, ...found.slice(after)]
}
