/** Whom labs with a server of their own are told of: pseudonyms, and names only when an admin lets them out. */
import { createHash } from 'node:crypto'
import { type LabServerRules, labServerRulesSchema } from '@fernlab/shared/contracts/sessions'
import type { Visitor } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { OpenRun } from '../runs/open-runs.ts'
import { createSettings } from '../store/settings.ts'
import type { Store } from '../store/store.ts'

const settingName = 'lab-servers'
const initial: LabServerRules = { names: false }

export interface LabVisitors {
  /** What holds now. */
  rules(): Promise<LabServerRules>
  change(rules: LabServerRules, by: string): Promise<void>
  /** Who comes with this session. */
  of(session: Pick<OpenRun, 'id' | 'personId' | 'lab'>): Promise<Visitor>
}

export interface CreateLabVisitorsOptions {
  readonly store: Store
  readonly site: string
  readonly publicUrl: () => string
  readonly clock: Clock
}

/** The visitors of this site. */
export function createLabVisitors({ store, site, publicUrl, clock }: CreateLabVisitorsOptions): LabVisitors {
  const settings = createSettings(store, clock)
  const rules = async (): Promise<LabServerRules> => {
    const kept = await settings.read(settingName)
    return kept === undefined ? initial : labServerRulesSchema.parse(JSON.parse(kept))
  }
  return {
    rules,
    change: async (next, by) => {
      await store.write(settings.change(settingName, { from: await rules(), to: next }, by))
    },
    of: async ({ id, personId, lab }) => {
      const person = await store.db
        .selectFrom('user')
        .leftJoin('person', 'person.id', 'user.id')
        .select(['user.name', 'person.language'])
        .where('user.id', '=', personId)
        .executeTakeFirst()
      const username = pseudonym(site, lab.id, personId)
      const { names } = await rules()
      return {
        username,
        unique: `${username}@${site}`,
        fullName: names ? (person?.name ?? username) : username,
        locale: person?.language ?? 'en',
        back: new URL(`/sessions/${id}`, publicUrl()).href,
      }
    },
  }
}

/** The same for a person and a lab each time; another for each lab, so that labs can not compare notes. */
function pseudonym(site: string, lab: string, personId: string): string {
  return `user-${createHash('sha256').update(`${site}\n${lab}\n${personId}`).digest('hex').slice(0, 16)}`
}
