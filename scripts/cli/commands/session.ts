import {
  type OpenSession,
  type Session,
  sessionLinkSchema,
  sessionSchema,
  sessionVisitSchema,
} from '@fernlab/shared/contracts/sessions'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { answerTo } from '../asked.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { filterQuery } from '../filter-query.ts'
import type { HubClient } from '../hub-client.ts'
import { untilInterrupted } from '../interrupt.ts'
import { followLive } from '../live-session.ts'
import { filmedLines, linesOf, waitingLine } from '../session-text.ts'
import { secondsIn } from '../session-verbs.ts'
import { cellTime } from '../shown-time.ts'
import { printList } from '../table.ts'
import { addSessionDrive } from './session-drive.ts'

interface StartOptions extends HubOptions {
  readonly seconds?: string
  readonly bench?: string
  readonly wait: boolean
}

interface ListOptions extends HubOptions {
  readonly open?: true
  readonly group?: string
  readonly person?: string
  readonly lab?: string
}

const pathOf = (id: string, verb = '') => `/api/v1/sessions/${encodeURIComponent(id)}${verb}`

/** `session start`, `list`, `show`, `link`, `join`, `extend`, `visit`, `finish`, and the verbs that drive and watch one. */
export function addSession(program: Command, context: Context): void {
  const { terminal } = context
  const session = program.command('session').description('drive a bench by hand')
  const print = (one: Session, options: HubOptions) => {
    if (options.json) terminal.out(JSON.stringify(one, null, 2))
    else for (const line of linesOf(one)) terminal.out(line)
  }

  withHub(session.command('start <lab>').description('ask for a bench, and wait until it is yours'))
    .option('--seconds <number>', 'how long; the lab says unless given')
    .option('--bench <bench>', 'only this bench')
    .option('--no-wait', 'return as soon as there is a place; whoever is not heard of for a minute loses it')
    .addHelpText(
      'after',
      `
While you wait, your place, the time and the reason are shown as they change. Exits 0 once the bench is yours, 1 when
the session ended before that, 130 at Ctrl-C; the place is kept for a minute then, and the same command goes on.

  fernlab session start rc-circuit --seconds 900
  id=$(fernlab session start rc-circuit --json | jq -r .id)`,
    )
    .action(async (lab: string, options: StartOptions) => {
      const client = await openHub(context, options)
      const body: OpenSession = {
        lab,
        ...(options.seconds === undefined ? {} : { seconds: secondsIn(options.seconds, '--seconds') }),
        ...(options.bench === undefined ? {} : { bench: options.bench }),
      }
      const made = await client.call(sessionSchema, '/api/v1/sessions', { method: 'POST', body })
      print(options.wait ? await untilActive(context, client, made, options) : made, options)
    })

  withHub(
    session.command('list').description('live sessions, newest first: your own, for staff and instructors others’ too'),
  )
    .option('--open', 'those alone that are not over')
    .option('--group <group>', 'of the people of a group')
    .option('--person <person>', 'of one person')
    .option('--lab <lab>', 'of one lab')
    .action(async (options: ListOptions) => {
      const query = filterQuery(options, ['group', 'person', 'lab'])
      if (options.open === true) query.set('open', 'true')
      const client = await openHub(context, options)
      printList(terminal, await allPages(client, sessionSchema, '/api/v1/sessions', { query }), {
        ...options,
        columns: {
          session: (one) => one.id,
          state: (one) => one.state,
          lab: (one) => one.lab,
          bench: (one) => one.bench ?? undefined,
          person: (one) => one.person.name,
          ends: (one) => cellTime(one.endsAt),
        },
        empty: 'No sessions yet. Start one with "fernlab session start LAB".',
      })
    })

  withHub(session.command('show <session>').description('where a session is')).action(
    async (id: string, options: HubOptions) => {
      print(await (await openHub(context, options)).call(sessionSchema, pathOf(id)), options)
    },
  )

  addSessionDrive(session, context)

  withHub(
    session.command('link <session>').description('make a link by which partners come; one made before stops working'),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const made = await client.call(sessionLinkSchema, pathOf(id, '/link'), { method: 'POST' })
    if (options.json) return terminal.out(JSON.stringify(made))
    terminal.out(made.link)
    terminal.err('It works until the session ends. In a browser, or: "fernlab session join", which asks for it.')
  })

  withHub(
    session
      .command('join [link]')
      .description("take part in somebody's session, by the link that they made; without it, it is asked for"),
  ).action(async (given: string | undefined, options: HubOptions) => {
    const client = await openHub(context, options)
    const question = { verb: 'session join', what: 'the link', shown: 'The link: ', hidden: true }
    const link = given ?? (await answerTo(terminal, question))
    const body = { token: tokenIn(link.trim()) }
    print(await client.call(sessionSchema, '/api/v1/sessions/join', { method: 'POST', body }), options)
  })

  withHub(
    session.command('extend <session> <seconds>').description('make a session longer, while nobody waits'),
  ).action(async (id: string, seconds: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const body = { seconds: secondsIn(seconds, 'seconds') }
    print(await client.call(sessionSchema, pathOf(id, '/extend'), { method: 'POST', body }), options)
  })

  withHub(
    session
      .command('visit <session>')
      .description("print an address that opens the page of a lab's own server, in one browser, while it is active"),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const visit = await client.call(sessionVisitSchema, pathOf(id, '/visit'), { method: 'POST' })
    terminal.out(options.json ? JSON.stringify(visit) : visit.url)
    if (!options.json && visit.expiresAt !== undefined) terminal.err('It works once, within a minute.')
  })

  withHub(session.command('finish <session>').description('give the bench, or the place in the queue, back')).action(
    async (id: string, options: HubOptions) => {
      const client = await openHub(context, options)
      print(await client.call(sessionSchema, pathOf(id, '/finish'), { method: 'POST' }), options)
    },
  )
}

/** Waits on the session's WebSocket, which also keeps the place. */
async function untilActive(context: Context, client: HubClient, made: Session, { json }: HubOptions): Promise<Session> {
  const { terminal } = context
  let now = made
  let told = ''
  const waits = () => now.state === 'waiting' || now.state === 'preparing'
  const tell = () => {
    const line = waitingLine(now)
    if (line !== told && !json && waits()) terminal.out(line)
    told = line
  }
  const { signal, release } = untilInterrupted(context, leftWaiting(made))
  try {
    tell()
    if (!json && waits()) for (const line of filmedLines(now)) terminal.out(line)
    await followLive({
      client,
      id: made.id,
      signal,
      onNews: (name, params) => {
        if (name === 'session') now = params
        if (name === 'wait' && now.state === 'waiting') {
          const { position, reason: waitReason, estimatedStart } = params
          now = { ...now, position, waitReason, estimatedStart }
        }
        tell()
        return !waits()
      },
      onLost: (error) => json !== true && terminal.err(`the connection was lost, and is tried again: ${error.message}`),
    })
  } finally {
    release()
  }
  if (now.state === 'active') return now
  const why = now.error?.message ?? now.reason
  throw new LabError({
    code: 'session-over',
    kind: 'caller',
    message: `session ${now.id} is ${now.state}${why === undefined ? '' : `: ${why}`}`,
  })
}

const leftWaiting = ({ id, lab }: Session): LabError =>
  new LabError({
    code: 'interrupted-by-person',
    kind: 'caller',
    message: `stopped waiting; the place is kept for a minute\n  "fernlab session start ${lab}" waits on, "fernlab session finish ${id}" gives it back now.`,
  })

/** The token of a link, which stands behind its #; or the token itself. */
function tokenIn(link: string): string {
  if (!URL.canParse(link)) return link
  return new URLSearchParams(new URL(link).hash.slice(1)).get('token') ?? link
}
