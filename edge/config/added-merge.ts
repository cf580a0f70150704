/** Instruments that were added beside node.yaml, merged into it. Pure. */
import type { AddedInstruments } from '@fernlab/shared/contracts/hardware-drafts'
import type { InstrumentEntry } from '@fernlab/shared/contracts/node-file'
import type { Claim, Driver } from '../drivers/driver.ts'

export interface Merged {
  readonly instruments: Record<string, InstrumentEntry>
  /** By name, those that do not exist, and why. */
  readonly leftOut: ReadonlyMap<string, string>
}

/** node.yaml wins: an added instrument whose name or hardware it has, or that no driver takes any more, is left out. */
export function mergeAdded(
  own: Readonly<Record<string, InstrumentEntry>>,
  added: AddedInstruments,
  drivers: readonly Driver[],
): Merged {
  const instruments: Record<string, InstrumentEntry> = { ...own }
  const leftOut = new Map<string, string>()
  for (const [name, { driver, config }] of Object.entries(added)) {
    const why = misfit(name, { driver, config }, instruments, drivers)
    if (why === undefined) instruments[name] = { driver, config, shared: false }
    else leftOut.set(name, why)
  }
  return { instruments, leftOut }
}

/** Why an instrument can not stand beside the others; undefined where it can. */
export function misfit(
  name: string,
  { driver: kind, config }: Pick<InstrumentEntry, 'driver' | 'config'>,
  others: Readonly<Record<string, InstrumentEntry>>,
  drivers: readonly Driver[],
): string | undefined {
  if (Object.hasOwn(others, name)) return `there is an instrument ${name} already`
  const driver = drivers.find((each) => each.kind === kind)
  if (driver === undefined) return `there is no driver ${kind}`
  const [issue] = driver.check(config)
  if (issue !== undefined) return `${issue.path === '' ? '' : `${issue.path}: `}${issue.message}`
  for (const claim of driver.claims?.(config) ?? []) {
    const other = Object.entries(others).find(([, entry]) =>
      claimsOf(entry, drivers).some((theirs) => clash(claim, theirs)),
    )
    if (other !== undefined) return `${claim.what} is ${other[0]}'s already`
  }
  return undefined
}

const claimsOf = ({ driver: kind, config }: InstrumentEntry, drivers: readonly Driver[]): readonly Claim[] =>
  drivers.find((each) => each.kind === kind)?.claims?.(config) ?? []

const clash = (one: Claim, other: Claim): boolean =>
  one.key === other.key && (one.sharedAs === undefined || one.sharedAs !== other.sharedAs)
