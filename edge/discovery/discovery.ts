/** Looks over a machine: what is plugged in, what of it node.yaml has, and what keeps the rest from being used. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { FoundChip } from '../drivers/i2c/scan.ts'
import { readBootConfig } from './boot-config.ts'
import { oneWireMissing, readCameras, readOneWire, readUsbtmc, seeCameras, seeOneWire, seeUsbtmc } from './devices.ts'
import { draftOf } from './draft.ts'
import { type Find, type Finding, notAsked, type Seen, told } from './find.ts'
import { readGpioChips, seeGpioChips } from './gpio-chips.ts'
import { headerBusMissing, readI2cBuses, seeI2cBuses } from './i2c-buses.ts'
import { seeI2cChips } from './i2c-chips.ts'
import { machineFindings, readMachine } from './machine.ts'
import type { NodeUse } from './node-use.ts'
import { type Person, permissionFindings, readAccounts } from './person.ts'
import type { Root } from './root.ts'
import { readSerialPorts, seeSerialPorts } from './serial-ports.ts'

export interface DiscoverOptions {
  readonly root: Root
  /** Who asks. */
  readonly person: Person
  /** As in `process.arch`. */
  readonly arch: string
  /** The node.yaml of this machine, where there is one. */
  readonly node?: Pick<NodeUse, 'claims' | 'findings'>
  /** Asks an I2C bus who is there; without it, buses are not asked. */
  readonly scan?: (bus: number) => Promise<readonly FoundChip[]>
  /** Why a bus is not to be asked now. */
  readonly unasked?: (bus: number) => string | undefined
}

/** Everything that can be said of a machine without touching its hardware, in the order in which it is read. */
export async function discover({ root, person, arch, node, scan, unasked }: DiscoverOptions): Promise<Finding[]> {
  const [machine, accounts, boot] = await Promise.all([
    readMachine(root, arch),
    readAccounts(root, person),
    readBootConfig(root),
  ])
  const [serial, buses, chips, oneWire, usbtmc, cameras] = await Promise.all([
    readSerialPorts(root),
    readI2cBuses(root),
    readGpioChips(root),
    readOneWire(root),
    readUsbtmc(root),
    readCameras(root),
  ])
  const i2c = seeI2cBuses(buses, accounts)
  const seen = [
    ...seeSerialPorts(serial, accounts),
    ...seeUsbtmc(usbtmc, accounts),
    ...seeGpioChips(chips, accounts),
    ...(scan === undefined ? i2c : await withChips(i2c, scan, unasked)),
    ...seeOneWire(oneWire),
    ...seeCameras(cameras, accounts),
  ]
  const claims = node?.claims ?? []
  const headerBus = boot === undefined ? undefined : headerBusMissing(buses, boot)
  return [
    ...machineFindings(machine),
    ...(node?.findings ?? []),
    ...(await absent(claims, seen, root)),
    ...permissionFindings(
      accounts,
      seen.flatMap(({ trouble }) => trouble?.refusal ?? []),
    ),
    ...inOrder([
      ...seen.map((one) => asFinding(one, node?.claims)),
      ...(headerBus === undefined ? [] : [headerBus]),
      ...oneWireMissing(oneWire, boot),
    ]),
  ]
}

type Claims = NodeUse['claims']

const isKey = (known: string, key: string): boolean => (known.endsWith(':') ? key.startsWith(known) : known === key)

/** What was seen, with who has it and, where there is a node, how it gets an instrument of what is free; what is in use and can not be opened is broken, and not only worth a look. */
export function asFinding({ group, find, facts, trouble }: Seen, claims: Claims | undefined): Finding {
  const claimed = (claims ?? []).filter(({ key }) => find.keys.some((each) => isKey(each, key)))
  const instruments = [...new Set(claimed.map(({ instrument }) => instrument))]
  const whole: Find = { ...find, instruments }
  const known = [...facts, ...(instruments.length === 0 ? [] : [`used by ${instruments.join(' and ')}`])]
  const base = { group, what: find.title, find: whole }
  if (trouble === undefined) {
    const fragile = claimed.filter(({ key }) => find.kind === 'serial' && key !== `serial:${find.path}`)
    if (fragile.length === 0)
      return { ...base, verdict: 'ok', ...told(known), ...(claims === undefined ? {} : linesToAdd(whole)) }
    const advice = `node.yaml names it ${fragile[0]?.key.slice('serial:'.length)}, which another port may be called next time; write path: ${find.path}`
    return { ...base, verdict: 'look', ...told(known, advice) }
  }
  return {
    ...base,
    verdict: instruments.length > 0 && trouble.verdict === 'look' ? 'broken' : trouble.verdict,
    ...told(known, trouble.detail),
    ...(trouble.lines === undefined ? {} : { lines: trouble.lines }),
  }
}

/** How an instrument is made of what is free. */
function linesToAdd(find: Find): Pick<Finding, 'lines'> {
  const draft = find.instruments.length > 0 ? undefined : draftOf(find)
  if (draft === undefined) return {}
  const wanted = draft.wanted === undefined ? '' : ` ${draft.wanted}`
  return { lines: [`sudo fernlab node add-instrument ${find.id}${wanted}`] }
}

/** The buses that the person may open with who is on them, one after the other; what keeps one silent is its trouble. */
async function withChips(
  buses: readonly Seen[],
  scan: NonNullable<DiscoverOptions['scan']>,
  unasked: DiscoverOptions['unasked'],
): Promise<Seen[]> {
  const seen: Seen[] = []
  for (const bus of buses) {
    const number = Number(bus.find.id.slice('i2c:'.length))
    const why = unasked?.(number)
    if (why !== undefined) {
      seen.push({ ...bus, facts: [...bus.facts, notAsked(why)] })
      continue
    }
    try {
      seen.push(bus, ...(bus.trouble === undefined ? seeI2cChips(number, await scan(number)) : []))
    } catch (error) {
      if (!(error instanceof LabError)) throw error
      seen.push({ ...bus, trouble: { verdict: 'look', detail: error.message } })
    }
  }
  return seen
}

/** Kinds of claims that discovery looks for; of others it can not say that they are missing. */
const looked = ['serial', 'usbtmc', 'i2c', 'gpio', 'w1', 'camera']

/** Hardware that node.yaml names and the machine has not. */
async function absent(claims: Claims, seen: readonly Seen[], root: Root): Promise<Finding[]> {
  const keys = seen.flatMap(({ find }) => find.keys)
  const missing = await Promise.all(
    claims.map(async (claim): Promise<Finding[]> => {
      const [kind = '', ...rest] = claim.key.split(':')
      const place = rest.join(':')
      if (!looked.includes(kind) || place.startsWith('emulated') || keys.some((known) => isKey(known, claim.key)))
        return []
      if (place.startsWith('/') && (await root.access(place)) !== undefined) return []
      const detail = `${claim.what} is not there: unplugged, switched off, or under another name (see below)`
      return [{ group: 'Node', what: `instrument ${claim.instrument}`, verdict: 'broken', detail }]
    }),
  )
  return missing.flat()
}

const order = ['Serial ports', 'USB instruments', 'GPIO', 'I2C', '1-wire', 'Cameras']

/** Those of a group stand together. */
const inOrder = (findings: readonly Finding[]): Finding[] =>
  order.flatMap((group) => findings.filter((finding) => finding.group === group))
