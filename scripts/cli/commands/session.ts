import { type Session, sessionSchema, sessionVisitSchema } from '@fernlab/shared/contracts/sessions'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { formatQuantity } from '@fernlab/shared/primitives/units'
import type { Command } from 'commander'
import { allPages } from '../all-pages.ts'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import type { HubClient } from '../hub-client.ts'
import { type LiveNews, openLive } from '../live-session.ts'
import { mistake } from '../problem.ts'
import { printList } from '../table.ts'

interface StartOptions extends HubOptions {
  readonly seconds?: string
  readonly bench?: string
  readonly wait: boolean
}

const LOOK_MS = 2000

const pathOf = (id: string, verb = '') => `/api/v1/sessions/${encodeURIComponent(id)}${verb}`

/** `session start`, `list`, `show`, `set`, `watch`, `extend`, `finish`: driving a bench by hand. */
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
    .action(async (lab: string, options: StartOptions) => {
      const client = await openHub(context, options)
      const body = {
        lab,
        ...(options.seconds === undefined ? {} : { seconds: numberOf(options.seconds, '--seconds') }),
        ...(options.bench === undefined ? {} : { bench: options.bench }),
      }
      const made = await client.call(sessionSchema, '/api/v1/sessions', { method: 'POST', body })
      print(options.wait ? await untilActive(context, client, made, options) : made, options)
    })

  withHub(session.command('list').description('live sessions, newest first')).action(async (options: HubOptions) => {
    printList(terminal, await allPages(await openHub(context, options), sessionSchema, '/api/v1/sessions'), {
      ...options,
      columns: {
        session: (one) => one.id,
        state: (one) => one.state,
        lab: (one) => one.lab,
        bench: (one) => one.bench ?? undefined,
        person: (one) => one.person.name,
        ends: (one) => one.endsAt,
      },
      empty: 'No sessions yet. Start one with "fernlab session start LAB".',
    })
  })

  withHub(session.command('show <session>').description('where a session is')).action(
    async (id: string, options: HubOptions) => {
      print(await (await openHub(context, options)).call(sessionSchema, pathOf(id)), options)
    },
  )

  withHub(
    session
      .command('set <session> <part.signal=value...>')
      .description("set signals of the bench, in the signals' units"),
  ).action(async (id: string, pairs: string[], options: HubOptions) => {
    const live = await openLive(await openHub(context, options), id)
    try {
      await live.call('set', { values: Object.fromEntries(pairs.map(settingOf)) })
    } finally {
      live.close()
    }
    if (options.json) terminal.out(JSON.stringify({ set: pairs }))
  })

  withHub(session.command('watch <session>').description('print what is read and done, until the session ends')).action(
    async (id: string, options: HubOptions) => {
      const live = await openLive(await openHub(context, options), id, (...news) => {
        const [name, params] = news
        for (const line of options.json ? [JSON.stringify({ [name]: params })] : linesOfNews(news)) terminal.out(line)
      })
      const stop = () => live.close()
      context.signal.addEventListener('abort', stop, { once: true })
      await live.closed
      context.signal.removeEventListener('abort', stop)
    },
  )

  withHub(
    session.command('extend <session> <seconds>').description('make a session longer, while nobody waits'),
  ).action(async (id: string, seconds: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const body = { seconds: numberOf(seconds, 'seconds') }
    print(await client.call(sessionSchema, pathOf(id, '/extend'), { method: 'POST', body }), options)
  })

  withHub(
    session.command('visit <session>').description("print where the page of a lab's own server is, while it is active"),
  ).action(async (id: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const { url } = await client.call(sessionVisitSchema, pathOf(id, '/visit'), { method: 'POST' })
    terminal.out(options.json ? JSON.stringify({ url }) : url)
  })

  withHub(session.command('finish <session>').description('give the bench, or the place in the queue, back')).action(
    async (id: string, options: HubOptions) => {
      const client = await openHub(context, options)
      print(await client.call(sessionSchema, pathOf(id, '/finish'), { method: 'POST' }), options)
    },
  )
}

async function untilActive(
  { terminal, signal }: Context,
  client: HubClient,
  made: Session,
  { json }: HubOptions,
): Promise<Session> {
  let now = made
  let told = ''
  while (now.state === 'waiting' || now.state === 'preparing') {
    const place = now.position === undefined ? '' : `, place ${now.position}`
    const line = `session ${now.id} is ${now.state}${place}${now.waitReason === undefined ? '' : `: ${now.waitReason}`}`
    if (line !== told && !json) terminal.out(line)
    told = line
    await systemClock.sleep(LOOK_MS, signal)
    now = await client.call(sessionSchema, pathOf(now.id))
  }
  if (now.state === 'active') return now
  const why = now.error?.message ?? now.reason
  throw new LabError({
    code: 'session-over',
    kind: 'caller',
    message: `session ${now.id} is ${now.state}${why === undefined ? '' : `: ${why}`}`,
  })
}

function linesOf(one: Session): string[] {
  const bench = one.bench === null ? '' : ` on ${one.bench}`
  const ends = one.endsAt === undefined ? '' : `, until ${one.endsAt}`
  const place = one.position === undefined ? '' : `, place ${one.position}`
  const reason = one.state === 'closed' ? one.reason : one.waitReason
  return [
    `session ${one.id} is ${one.state}${bench}${place}${ends}${reason === undefined ? '' : `: ${reason}`}`,
    ...(one.state === 'active' ? [`  "fernlab session watch ${one.id}" prints what it reads`] : []),
  ]
}

/** What a hub tells of a session, for a person. */
export function linesOfNews([name, params]: LiveNews): string[] {
  switch (name) {
    case 'session':
      return [`session is ${params.state}${params.endsAt === undefined ? '' : `, until ${params.endsAt}`}`]
    case 'samples':
      return Object.entries(params.samples).flatMap(([key, { unit, time, values }]) => {
        const [at, value] = [time.at(-1), values.at(-1)]
        if (at === undefined || value === undefined) return []
        const shown = typeof value === 'number' ? formatQuantity(value, unit) : String(value)
        return [`${new Date(at * 1000).toISOString()}  ${key}  ${shown}`]
      })
    case 'people':
      return [`here: ${params.people.map((person) => `${person.name} (${person.role})`).join(', ')}`]
    case 'chat':
      return [`${params.from.name}: ${params.text}`]
    case 'command':
      return [`${params.by.name}: ${JSON.stringify(params.command)} ${params.outcome}`]
  }
}

function numberOf(text: string, name: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw mistake('option-wrong', `${name} is ${JSON.stringify(text)}, and must be a number of seconds`)
}

function settingOf(pair: string): [string, number | boolean | string] {
  const at = pair.indexOf('=')
  if (at < 1)
    throw mistake('option-wrong', `${JSON.stringify(pair)} must be part.signal=value, such as psu.voltage=3.3`)
  const [key, text] = [pair.slice(0, at), pair.slice(at + 1)]
  if (text === 'true' || text === 'false') return [key, text === 'true']
  const number = Number(text)
  return [key, text.trim() !== '' && Number.isFinite(number) ? number : text]
}
