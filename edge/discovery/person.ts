/** Who may open what: the account that a node runs under, and the groups that devices belong to. */
import { userInfo } from 'node:os'
import type { Finding, Seen } from './find.ts'
import type { Access, Root } from './root.ts'

export interface Person {
  readonly name: string
  readonly uid: number
  readonly gids: readonly number[]
}

export interface Accounts {
  /** Whose rights are looked at. */
  readonly person: Person
  /** Group id → name. */
  readonly groups: ReadonlyMap<number, string>
}

/** The account of an installed node: where it exists, it is what root asks for. */
export const serviceAccount = 'fernlab'

/** Reads the groups of a machine; `own` is who asks. */
export async function readAccounts(root: Root, own: Person): Promise<Accounts> {
  const lines = linesOf(await root.text('/etc/group'))
  const groups = new Map(lines.map(([name = '', , gid]) => [Number(gid), name]))
  const users = linesOf(await root.text('/etc/passwd'))
  const account = own.uid === 0 ? users.find(([name]) => name === serviceAccount) : undefined
  if (account === undefined) return { person: own, groups }
  const [name = '', , uid, gid] = account
  const member = lines.filter(([, , , names = '']) => names.split(',').includes(name)).map(([, , id]) => Number(id))
  return { person: { name, uid: Number(uid), gids: [Number(gid), ...member] }, groups }
}

/** The account of this process, with the groups that it has now. */
export function ownPerson(): Person {
  const { username, uid, gid } = userInfo()
  return { name: username, uid, gids: [gid, ...(process.getgroups?.() ?? [])] }
}

/** Why a person may not use a device. */
export interface Refusal {
  readonly detail: string
  /** The group that would open it. */
  readonly group: string
  /** The udev rule that gives the device to the group, where it is root's alone so far. */
  readonly rule?: string
}

/**
 * Why the person can not both read and write a device; undefined where they can. `wanted` is the udev match of the
 * device and the group that it would belong to, for those that are nobody's but root's.
 */
export function refusalOf(
  { person, groups }: Accounts,
  access: Access,
  wanted: { readonly match: string; readonly group: string },
): Refusal | undefined {
  if (person.uid === 0 || (access.mode & 0o006) === 0o006) return undefined
  if (person.uid === access.uid && (access.mode & 0o600) === 0o600) return undefined
  const forGroup = (access.mode & 0o060) === 0o060
  if (forGroup && person.gids.includes(access.gid)) return undefined
  const group = groups.get(access.gid)
  if (forGroup && access.gid !== 0 && group !== undefined)
    return { group, detail: `${person.name} may not open it, not being in the group ${group}` }
  return {
    group: wanted.group,
    detail: `${person.name} may not open it: it is root's alone`,
    rule: `${wanted.match}, GROUP="${wanted.group}", MODE="0660"`,
  }
}

/** The same as what keeps a device from being used. */
export const refusedTrouble = (refusal: Refusal): NonNullable<Seen['trouble']> => ({
  verdict: 'look',
  detail: refusal.detail,
  refusal,
})

/** One finding for all that the person may not open, with the lines that change it. */
export function permissionFindings({ person, groups }: Accounts, refusals: readonly Refusal[]): Finding[] {
  if (refusals.length === 0) return []
  const rules = unique(refusals.flatMap(({ rule }) => rule ?? []))
  const wanted = unique(refusals.map(({ group }) => group))
  const known = [...groups.values()]
  const toMake = wanted.filter((group) => !known.includes(group))
  const missing = wanted.filter((group) => !person.gids.some((gid) => groups.get(gid) === group))
  return [
    {
      group: 'Permissions',
      what: person.name,
      verdict: 'look',
      detail:
        refusals.length === 1
          ? 'is not let at a device below. Type this, then sign in again (a service: restart it)'
          : `is not let at ${refusals.length} devices below. Type this, then sign in again (a service: restart it)`,
      lines: [
        ...toMake.map((group) => `sudo groupadd --system ${group}`),
        ...rules.map((rule) => `echo '${rule}' | sudo tee -a ${rulesFile}`),
        ...(rules.length === 0 ? [] : ['sudo udevadm control --reload && sudo udevadm trigger']),
        ...(missing.length === 0 ? [] : [`sudo usermod -aG ${missing.join(',')} ${person.name}`]),
      ],
    },
  ]
}

const rulesFile = '/etc/udev/rules.d/99-fernlab.rules'
const unique = (words: readonly string[]): string[] => [...new Set(words)].sort()

const linesOf = (text = ''): string[][] =>
  text
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.trim().split(':'))
