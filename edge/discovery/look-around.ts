/** The whole look at this machine, as `fernlab doctor` has it; `discovery.ts` decides. */

import { createI2cBuses } from '@fernlab/firmware-bridge/i2c/buses'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { builtInDrivers } from '../drivers/drivers.ts'
import { scanOf } from '../drivers/i2c/scan.ts'
import { type Added, type AddInstrument, addInstrument } from './add-instrument.ts'
import { addedBeside } from './added-beside.ts'
import { lookAtBroker } from './broker.ts'
import { discover } from './discovery.ts'
import type { Finding } from './find.ts'
import { readNodeUse, usualNodeFile } from './node-use.ts'
import { outOfUseBeside, outOfUseFindings } from './out-of-use-beside.ts'
import { ownPerson, type Person } from './person.ts'
import { machineRoot } from './root.ts'

export interface LookAroundOptions {
  /** The node.yaml; where none is given, `/etc/fernlab/node.yaml` or the one in this folder, if there is one. */
  readonly nodeFile?: string
  /** The folder of all data, where a node keeps what was added on the hub's page. */
  readonly dataFolder?: string
  /** Instead of `/`. */
  readonly rootFolder?: string
  readonly person?: Person
  /** Whether I2C buses are asked who is there: that is traffic on the bus, also of a node that runs. */
  readonly scans?: boolean
  readonly arch?: string
}

/** What is here, what of it a node uses, and what to do; changes nothing. Rejects only where something is amiss here. */
export async function lookAround(options: LookAroundOptions): Promise<Finding[]> {
  const root = machineRoot(options.rootFolder)
  const file = options.nodeFile ?? (await usualNodeFile(root))
  const node =
    file === undefined
      ? undefined
      : await readNodeUse(file, builtInDrivers(), await addedBeside(file, options.dataFolder))
  const found = await discover({
    root,
    person: options.person ?? ownPerson(),
    arch: options.arch ?? process.arch,
    ...(node === undefined ? {} : { node }),
    ...(options.scans === true ? { scan: scanOf(createI2cBuses({ clock: systemClock })) } : {}),
  })
  const unmade = file === undefined ? [] : await unmadeFindings(file, options.dataFolder)
  const way = node?.hubUrl === undefined ? [] : await lookAtBroker(node.hubUrl)
  const after = found.findLastIndex(({ group }) => group === 'Node') + 1
  return [...found.slice(0, after), ...unmade, ...way, ...found.slice(after)]
}

async function unmadeFindings(file: string, dataFolder: string | undefined): Promise<Finding[]> {
  const { outOfUse, trouble } = await outOfUseBeside(file, dataFolder)
  const unread: Finding[] =
    trouble === undefined ? [] : [{ group: 'Node', what: 'instruments out of use', verdict: 'look', detail: trouble }]
  return [...outOfUseFindings(outOfUse), ...unread]
}

export interface AddFound extends Omit<AddInstrument, 'findings' | 'drivers' | 'file' | 'added'> {
  /** Where none is given, as for `lookAround`. */
  readonly file?: string
  readonly rootFolder?: string
  readonly dataFolder?: string
}

/** Looks around and makes an instrument of a find; see `addInstrument`. */
export async function addFound({ file: given, rootFolder, dataFolder, ...asked }: AddFound): Promise<Added> {
  const file = given ?? (await usualNodeFile(machineRoot(rootFolder)))
  if (file === undefined)
    throw new LabError({
      code: 'node-file-missing',
      kind: 'caller',
      message: 'there is no /etc/fernlab/node.yaml and no node.yaml in this folder; name the file with --node',
    })
  const look = {
    nodeFile: file,
    scans: isChip(asked.find),
    ...(rootFolder === undefined ? {} : { rootFolder }),
    ...(dataFolder === undefined ? {} : { dataFolder }),
  }
  const added = await addedBeside(file, dataFolder)
  return await addInstrument({ ...asked, added, file, findings: await lookAround(look), drivers: builtInDrivers() })
}

/** `i2c:1:0x76`: found by asking the bus only. */
const isChip = (find: string): boolean => /^i2c:\d+:/.test(find)
