import { page } from '@fernlab/shared/contracts/api'
import { ownGroupSchema, type StayReason } from '@fernlab/shared/contracts/groups'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../../context.ts'
import { cellTime } from '../../shown-time.ts'
import { printList } from '../../table.ts'

/** `account groups`, `leave`. */
export function addOwnGroups(account: Command, context: Context): void {
  const { terminal } = context

  withHub(account.command('groups').description('the groups and courses that you are in, by name')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      const { items } = await client.call(page(ownGroupSchema), '/api/v1/me/groups')
      printList(terminal, items, {
        ...options,
        columns: {
          group: (item) => item.id,
          name: (item) => item.name,
          kind: (item) => item.kind,
          role: (item) => item.role,
          since: (item) => cellTime(item.since),
          until: (item) => cellTime(item.until),
          instructors: (item) => item.instructors.join(', '),
          'may leave': (item) => (item.stays === undefined ? 'yes' : `no: ${stayWords[item.stays]}`),
        },
        empty: 'You are in no group.',
      })
    },
  )

  withHub(account.command('leave <group>').description('leave a group; what it gave you ends at once')).action(
    async (id: string, options: HubOptions) => {
      const client = await openHub(context, options)
      await client.fetch(`/api/v1/me/groups/${encodeURIComponent(id)}`, { method: 'DELETE' })
      terminal.out(options.json ? JSON.stringify({ left: id }) : `you are in ${id} no more`)
    },
  )
}

const stayWords: Readonly<Record<StayReason, string>> = {
  course: 'its instructors take people out',
  'last-instructor': 'make somebody else instructor first',
}
