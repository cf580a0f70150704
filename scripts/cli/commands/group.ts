import {
  type ChangeGroup,
  type CreateGroup,
  changedMembersSchema,
  groupMemberSchema,
  groupRemovalSchema,
  groupSchema,
} from '@fernlab/shared/contracts/groups'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { counted } from '../counted.ts'
import { misspelt, mistake } from '../problem.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { printList } from '../table.ts'
import { timeIn } from '../time-in.ts'

interface Times {
  readonly from?: string
  readonly until?: string
}

const path = (id: string, more = '') => `/api/v1/groups/${encodeURIComponent(id)}${more}`

/** `group list`, `show`, `create`, `change`, `remove`, `members`, `add`, `take-out`. */
export function addGroup(program: Command, context: Context): void {
  const { terminal } = context
  const group = program
    .command('group')
    .description('groups of people and courses: who is in them, what lies within what')

  withHub(group.command('list').description('the groups that you may see'))
    .option('-q, --search <text>', 'only those whose id or name contains it')
    .action(async (options: HubOptions & { search?: string }) => {
      const query = new URLSearchParams(options.search === undefined ? {} : { q: options.search })
      printList(terminal, await allPages(await openHub(context, options), groupSchema, '/api/v1/groups', { query }), {
        ...options,
        columns: {
          group: (item) => item.id,
          name: (item) => item.name,
          kind: (item) => item.kind,
          within: (item) => item.within ?? '',
          people: (item) => item.people,
          instructors: (item) => item.instructors.map(({ name }) => name).join(', '),
          from: (item) => cellTime(item.from),
          until: (item) => cellTime(item.until),
        },
        empty: 'No groups yet. Make one with "fernlab group create".',
      })
    })

  withHub(
    group.command('show <group>').description('one group: who teaches it, what it lies within, and when it counts'),
  ).action(async (id: string, options: HubOptions) => {
    const one = await (await openHub(context, options)).call(groupSchema, path(id))
    if (options.json) return terminal.out(JSON.stringify(one, null, 2))
    terminal.out(`${one.id}: ${one.name}, a ${one.kind}`)
    if (one.within !== undefined) terminal.out(`within: ${one.within}`)
    terminal.out(`people: ${one.people}`)
    terminal.out(`instructors: ${one.instructors.map(({ name }) => name).join(', ') || 'none'}`)
    if (one.from !== undefined) terminal.out(`from: ${spokenTime(one.from)}`)
    if (one.until !== undefined) terminal.out(`until: ${spokenTime(one.until)}`)
  })

  withHub(group.command('create <group> <name>').description('make a group; a course begins and ends'))
    .option('--course', 'make a course')
    .option('--within <group>', 'the group that it is within: who is in this one counts in that one too')
    .option('--from <time>', 'when a course begins, such as 2027-02-01 or 2027-02-01T08:00:00Z')
    .option('--until <time>', 'when it is over')
    .action(async (id: string, name: string, options: HubOptions & Times & { course?: boolean; within?: string }) => {
      const body: CreateGroup = {
        id,
        name,
        kind: options.course === true ? 'course' : 'group',
        ...(options.within === undefined ? {} : { within: options.within }),
        ...timesOf(options),
      }
      const client = await openHub(context, options)
      const made = await client.call(groupSchema, '/api/v1/groups', { method: 'POST', body })
      terminal.out(options.json ? JSON.stringify(made, null, 2) : `${made.id} is made`)
    })

  withHub(group.command('change <group>').description('rename a group, move it, or say when a course begins and ends'))
    .option('--name <name>', 'another name')
    .option('--within <group>', 'the group that it is within; "none" takes it out')
    .option('--from <time>', 'when it begins; "none" for always')
    .option('--until <time>', 'when it is over; "none" for never')
    .action(async (id: string, options: HubOptions & Times & { name?: string; within?: string }) => {
      const body: ChangeGroup = {
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.within === undefined ? {} : { within: options.within === 'none' ? null : options.within }),
        ...timesOf(options),
      }
      if (Object.keys(body).length === 0)
        throw misspelt('change', 'say what to change: --name, --within, --from, --until')
      const client = await openHub(context, options)
      const changed = await client.call(groupSchema, path(id), { method: 'PUT', body })
      terminal.out(options.json ? JSON.stringify(changed, null, 2) : `${changed.id} is changed`)
    })

  withHub(group.command('remove <group>').description('remove a group; accounts and runs stay'))
    .option('--yes', 'do it; without this it only says what would go')
    .action(async (id: string, options: HubOptions & { yes?: boolean }) => {
      const client = await openHub(context, options)
      const removal = await client.call(groupRemovalSchema, path(id, '/removal'))
      const { people, inner, invitations, permissions } = removal
      const goes = [
        counted(people, 'person is in it no more', 'people are in it no more'),
        ...(inner.length === 0 ? [] : [`${inner.join(', ')} moves out of it`]),
        ...(invitations === 0
          ? []
          : [counted(invitations, 'open invitation is taken back', 'open invitations are taken back')]),
        ...(permissions === 0 ? [] : [counted(permissions, 'permission ends', 'permissions end')]),
      ].join('; ')
      if (options.yes !== true) {
        throw mistake('yes', `removing ${id}: ${goes}. Nothing was done`, `Add --yes to remove it.`)
      }
      await client.fetch(path(id), { method: 'DELETE' })
      terminal.out(options.json ? JSON.stringify({ id, removed: true, ...removal }) : `${id} is removed: ${goes}`)
    })

  withHub(group.command('members <group>').description('who is in a group'))
    .option('--inner', 'those of groups within it too')
    .action(async (id: string, options: HubOptions & { inner?: boolean }) => {
      const query = new URLSearchParams(options.inner === true ? { inner: 'true' } : {})
      const members = await allPages(await openHub(context, options), groupMemberSchema, path(id, '/members'), {
        query,
      })
      printList(terminal, members, {
        ...options,
        columns: {
          name: (item) => item.name,
          mail: (item) => item.email,
          role: (item) => item.role,
          through: (item) => item.through ?? '',
          person: (item) => item.id,
        },
        empty: `Nobody is in ${id} yet. Put people in with "fernlab group add ${id} MAIL…".`,
      })
    })

  const change = async (id: string, body: object, options: HubOptions) => {
    const client = await openHub(context, options)
    const done = await client.call(changedMembersSchema, path(id, '/members'), { method: 'POST', body })
    const words = `${done.added} put in, ${done.changed} with another role, ${done.removed} taken out`
    terminal.out(options.json ? JSON.stringify(done) : words)
  }
  withHub(group.command('add <group> <who...>').description('put people in, by mail address or id: all or nobody'))
    .option('--instructor', 'as instructors, who see its people and their runs')
    .action((id: string, who: string[], options: HubOptions & { instructor?: boolean }) =>
      change(
        id,
        { add: who.map((one) => ({ who: one, role: options.instructor === true ? 'instructor' : 'member' })) },
        options,
      ),
    )
  withHub(group.command('take-out <group> <who...>').description('take people out, by mail address or id')).action(
    (id: string, who: string[], options: HubOptions) => change(id, { remove: who }, options),
  )
}

function timesOf({ from, until }: Times) {
  const read = (option: string, text: string) => (text === 'none' ? null : timeIn(option, text))
  return {
    ...(from === undefined ? {} : { from: read('--from', from) as string }),
    ...(until === undefined ? {} : { until: read('--until', until) as string }),
  }
}
