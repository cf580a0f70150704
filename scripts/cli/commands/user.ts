import {
  createdInvitationSchema,
  type createInvitationSchema,
  invitationSchema,
  personSchema,
} from '@fernlab/shared/contracts/api'
import { invitationState, type Role, roles } from '@fernlab/shared/contracts/people'
import { type Command, Option } from 'commander'
import type * as z from 'zod'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { runningHub } from '../hub-address.ts'
import { openLocalHub } from '../local-hub.ts'
import { findPeople, type PeopleOptions, personAt } from '../people.ts'
import { cellTime, spokenTime } from '../shown-time.ts'
import { printList } from '../table.ts'
import { wholeNumber } from '../whole-number.ts'
import { addUserImport } from './user-import.ts'

interface InviteOptions {
  readonly role: Role
  readonly most: string
  readonly days: string
  readonly note?: string
  readonly group?: string
  readonly register: boolean
}

/** `user list`, `invite`, `role`, `revoke-tokens`, `suspend`, `restore`, `take-second-factor`, `import`; `user reset` works on the hub's own data, for the person who can sign in no more. */
export function addUser(program: Command, context: Context): void {
  const { terminal } = context
  const user = program.command('user').description('people: who is here, who may come, and as what')

  withHub(user.command('list').description('people and their roles'))
    .option('-q, --search <text>', 'only those whose name or mail address contains it')
    .option('-g, --group <group>', 'only those in this group or one within it')
    .addOption(new Option('-r, --role <role>', 'only those with this role').choices([...roles]))
    .action(async (options: HubOptions & PeopleOptions) => {
      const client = await openHub(context, options)
      const people = await findPeople(client, options)
      const isAnyOut = people.some(({ suspendedAt }) => suspendedAt !== undefined)
      printList(terminal, people, {
        ...options,
        columns: {
          name: (item) => item.name,
          mail: (item) => item.email,
          role: (item) => item.role,
          ...(isAnyOut && {
            suspended: (item) => (item.suspendedAt === undefined ? '' : cellTime(item.suspendedAt)),
          }),
          person: (item) => item.id,
        },
        empty:
          options.search !== undefined
            ? `Nobody matches "${options.search}".`
            : options.group !== undefined
              ? `Nobody is in ${options.group} yet.`
              : options.role !== undefined
                ? `Nobody has the role ${options.role}.`
                : 'Nobody is here yet.',
      })
    })

  withHub(
    user.command('invite').description('make a link by which people make accounts of their own; it is shown once'),
  )
    .addOption(new Option('-r, --role <role>', 'what they may do').choices([...roles]).default('student'))
    .option('-m, --most <number>', 'how many may join by it', '1')
    .option('--days <days>', 'how long it works', '14')
    .option('--note <words>', 'for whom, to find it again')
    .option('-g, --group <group>', 'into which whoever joins is put')
    .option('--no-register', 'only for people who have an account')
    .action(async (options: HubOptions & InviteOptions) => {
      const body: z.input<typeof createInvitationSchema> = {
        role: options.role,
        most: wholeNumber('--most', options.most, { least: 1, most: 1000 }),
        expiresInDays: wholeNumber('--days', options.days, { least: 1, most: 365 }),
        register: options.register,
        ...(options.group === undefined ? {} : { group: options.group }),
        ...(options.note === undefined ? {} : { note: options.note }),
      }
      const client = await openHub(context, options)
      const made = await client.call(createdInvitationSchema, '/api/v1/invitations', { method: 'POST', body })
      terminal.out(options.json ? JSON.stringify(made, null, 2) : made.link)
      if (!options.json)
        terminal.err(`Keep it now, it is not shown again. It works until ${spokenTime(made.expiresAt)}.`)
    })

  withHub(user.command('invitations').description('the invitations and who has come, without their links')).action(
    async (options: HubOptions) => {
      const client = await openHub(context, options)
      printList(terminal, await allPages(client, invitationSchema, '/api/v1/invitations'), {
        ...options,
        columns: {
          invitation: (item) => item.id,
          for: (item) => item.note ?? '',
          role: (item) => item.role,
          group: (item) => item.group ?? '',
          joined: (item) => `${item.used} of ${item.most}`,
          until: (item) => cellTime(item.expiresAt),
          state: (item) => stateWords[invitationState(item, Date.now())],
        },
        empty: 'No invitations yet. Make one with "fernlab user invite".',
      })
    },
  )

  withHub(
    user.command('uninvite <invitation>').description('take an invitation back, at once; who has joined stays'),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    await client.fetch(`/api/v1/invitations/${encodeURIComponent(id)}`, { method: 'DELETE' })
    terminal.out(options.json ? JSON.stringify({ id, takenBack: true }) : `${id} is taken back`)
  })

  withHub(
    user
      .command('role <email>')
      .description('give a person another role, at once')
      .addOption(new Option('-r, --role <role>', 'the role').choices([...roles]).makeOptionMandatory()),
  ).action(async (email: string, options: HubOptions & { role: Role }) => {
    const client = await openHub(context, options)
    const person = await personAt(client, email)
    const changed = await client.call(personSchema, `/api/v1/users/${person.id}`, {
      method: 'PUT',
      body: { role: options.role },
    })
    terminal.out(options.json ? JSON.stringify(changed) : `${changed.name} is now ${changed.role}`)
  })

  withHub(
    user.command('revoke-tokens <email>').description('end all API tokens of a person, at once; sign-ins stay'),
  ).action(async (email: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const { id, name } = await personAt(client, email)
    await client.fetch(`/api/v1/users/${id}/revoke-tokens`, { method: 'POST' })
    terminal.out(options.json ? JSON.stringify({ id, revoked: true }) : `the tokens of ${name} are revoked`)
  })

  withHub(
    user
      .command('suspend <email>')
      .description(
        'shut a person out, at once: sign-ins, runs and live sessions end, tokens rest; bookings to come stay',
      ),
  ).action(async (email: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const { id, name } = await personAt(client, email)
    await client.fetch(`/api/v1/users/${id}/suspend`, { method: 'POST' })
    terminal.out(options.json ? JSON.stringify({ id, suspended: true }) : `${name} is suspended`)
  })

  withHub(
    user.command('restore <email>').description('let a suspended person in again; their tokens work as before'),
  ).action(async (email: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const { id, name } = await personAt(client, email)
    await client.fetch(`/api/v1/users/${id}/restore`, { method: 'POST' })
    terminal.out(options.json ? JSON.stringify({ id, suspended: false }) : `${name} may sign in again`)
  })

  withHub(
    user
      .command('take-second-factor <email>')
      .description('of somebody who has lost it: end app, recovery codes and passkeys, so that the password signs in'),
  ).action(async (email: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const { id, name } = await personAt(client, email)
    await client.fetch(`/api/v1/users/${id}/second-factor`, { method: 'DELETE' })
    terminal.out(options.json ? JSON.stringify({ id, secondFactor: false }) : `${name} has no second factor now`)
  })

  addUserImport(user, context)

  user
    .command('reset <email>')
    .description('on the machine of the hub: make a one-time link with which this person chooses a new password')
    .option('--second-factor', 'instead: take this person’s second factor away, so that the password alone signs in')
    .option('--json', 'JSON instead of text')
    .action(async (email: string, options: { json?: boolean; secondFactor?: boolean }) => {
      if (options.secondFactor === true) {
        await takeSecondFactor(terminal.env, email)
        terminal.out(
          options.json ? JSON.stringify({ email, secondFactor: false }) : `${email} has no second factor now`,
        )
        return
      }
      const link = await resetLink(terminal.env, email)
      terminal.out(options.json ? JSON.stringify({ email, link }) : link)
      if (!options.json) terminal.err('Good once, for an hour. Give it to nobody but this person.')
    })
}

const stateWords = { open: 'open', takenBack: 'taken back', full: 'all joined', ended: 'ended' } as const

async function resetLink(env: Context['terminal']['env'], email: string): Promise<string> {
  const { resetPassword } = await import('@fernlab/hub/accounts/passwords')
  const { config, store } = await openLocalHub(env)
  try {
    const publicUrl = config.publicUrl ?? (await runningHub(env)) ?? `http://${config.host}:${config.port}`
    return await resetPassword({ store, email, publicUrl })
  } finally {
    await store.close()
  }
}

async function takeSecondFactor(env: Context['terminal']['env'], email: string): Promise<void> {
  const { takeSecondFactorOf } = await import('@fernlab/hub/accounts/second-factor')
  const { store } = await openLocalHub(env)
  try {
    await takeSecondFactorOf({ store, email })
  } finally {
    await store.close()
  }
}
