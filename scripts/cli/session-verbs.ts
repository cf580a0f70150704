import { type Bench, benchSchema, labDetailSchema } from '@fernlab/shared/contracts/api'
import { type LiveParams, liveMethods, type Session, sessionSchema } from '@fernlab/shared/contracts/sessions'
import type { z } from 'zod'
import {
  argumentsOf,
  type Controls,
  controlColumns,
  controlRows,
  controlsOf,
  readableOf,
  settingsOf,
} from './controls.ts'
import type { HubClient } from './hub-client.ts'
import type { LiveSession } from './live-session.ts'
import { misspelt, mistake } from './problem.ts'
import { linesOf, valueText } from './session-text.ts'
import { tableLines } from './table.ts'

type People = LiveParams<'people'>

/** A session that somebody drives: its connection, who is there, and what the bench has. */
export interface Driven {
  readonly live: LiveSession
  people(): Promise<People>
  controls(): Promise<Controls>
}

/** What a command came to: for a person, and as JSON. */
export interface Done {
  readonly lines: readonly string[]
  readonly json: unknown
}

/** The controls of the session's bench, within the lab's limits; throws while it has none. */
export async function controlsOfSession(client: HubClient, session: Session): Promise<Controls> {
  if (session.bench === null) {
    throw mistake(
      'session-not-active',
      `session ${session.id} is ${session.state}: it has no bench`,
      session.state === 'closed' ? undefined : `"fernlab session watch ${session.id}" shows when it has one.`,
    )
  }
  const [bench, lab]: [Bench, { limits?: object | undefined }] = await Promise.all([
    client.call(benchSchema, `/api/v1/benches/${encodeURIComponent(session.bench)}`),
    client.call(labDetailSchema, `/api/v1/labs/${encodeURIComponent(session.lab)}`),
  ])
  return controlsOf(bench.parts, { ...lab.limits })
}

interface Verb {
  /** After its name. */
  readonly usage: string
  readonly about: string
  readonly least: number
  readonly most?: number
  perform(driven: Driven, words: readonly string[]): Promise<Done>
}

const readSchema = liveMethods.read.result
type Readings = z.infer<typeof readSchema>['readings']

/** As many signals as one request may name. */
const MOST_READ = 64

/** What can be done in a session, by the word that asks for it. */
export const sessionVerbs = {
  set: {
    usage: '<part.signal=value...>',
    about: 'set signals: 2.5 in the signal’s unit, "2500 mV" in another, on and off',
    least: 1,
    perform: async ({ live, controls }, pairs) => {
      const values = settingsOf(await controls(), pairs)
      await live.call('set', { values })
      return { lines: [], json: { set: values } }
    },
  },
  read: {
    usage: '[part.signal...]',
    about: 'read signals now; without names all that the bench has',
    least: 0,
    perform: async ({ live, controls }, names) => {
      const left = readableOf(await controls(), names)
      const readings: Readings = {}
      while (left.length > 0) {
        const answer = await live.call('read', { signals: left.splice(0, MOST_READ) })
        Object.assign(readings, readSchema.parse(answer).readings)
      }
      return {
        lines: Object.entries(readings).map(([key, { value, unit }]) => `${key}  ${valueText(value, unit)}`),
        json: { readings },
      }
    },
  },
  call: {
    usage: '<part.action> [argument=value...]',
    about: 'call an action of the bench',
    least: 1,
    perform: async ({ live, controls }, [action = '', ...pairs]) => {
      const given = argumentsOf(await controls(), action, pairs)
      await live.call('call', { action, ...(Object.keys(given).length === 0 ? {} : { arguments: given }) })
      return { lines: [], json: { called: action, arguments: given } }
    },
  },
  controls: {
    usage: '',
    about: 'list what can be read, set and called, with units and limits',
    least: 0,
    most: 0,
    perform: async ({ controls }) => {
      const rows = controlRows(await controls())
      return { lines: tableLines(rows, controlColumns), json: { controls: rows } }
    },
  },
  say: {
    usage: '<words...>',
    about: 'say a line to everybody who is here',
    least: 1,
    perform: async ({ live }, words) => {
      const text = words.join(' ')
      await live.call('chat', { text })
      return { lines: [], json: { said: text } }
    },
  },
  give: {
    usage: '<person>',
    about: 'hand the controls to somebody who takes part and is here, by name or id',
    least: 1,
    perform: async ({ live, people }, words) => {
      const to = personIn(await people(), words.join(' '))
      await live.call('control.give', { to: to.id })
      return { lines: [`${to.name} has the controls`], json: { control: { id: to.id, name: to.name } } }
    },
  },
  take: {
    usage: '',
    about: 'take the controls back; the owner can at any time',
    least: 0,
    most: 0,
    perform: async ({ live }) => {
      await live.call('control.take', {})
      return { lines: ['you have the controls'], json: { control: live.session.person } }
    },
  },
  extend: {
    usage: '<seconds>',
    about: 'make the session longer, while nobody waits',
    least: 1,
    most: 1,
    perform: async ({ live }, [seconds = '']) => {
      const longer = sessionSchema.parse(await live.call('extend', { seconds: secondsIn(seconds, 'seconds') }))
      return { lines: linesOf(longer).slice(0, 1), json: longer }
    },
  },
  finish: {
    usage: '',
    about: 'give the bench back',
    least: 0,
    most: 0,
    perform: async ({ live }) => {
      const ended = sessionSchema.parse(await live.call('finish', {}))
      return { lines: linesOf(ended).slice(0, 1), json: ended }
    },
  },
} as const satisfies Readonly<Record<string, Verb>>

export type SessionVerb = keyof typeof sessionVerbs

/** Performs one, after a look at how many words it was given. */
export async function performVerb(driven: Driven, name: SessionVerb, words: readonly string[]): Promise<Done> {
  const { usage, least, most, perform }: Verb = sessionVerbs[name]
  if (words.length < least || words.length > (most ?? words.length))
    throw mistake('usage', `write: ${`${name} ${usage}`.trimEnd()}`)
  return await perform(driven, words)
}

/** A number of seconds that somebody typed. */
export function secondsIn(text: string, name: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw misspelt('option-wrong', `${name} is ${JSON.stringify(text)}, and must be a number of seconds`)
}

function personIn({ people }: People, who: string): People['people'][number] {
  const wanted = who.toLowerCase()
  const byName = people.filter(({ name }) => name.toLowerCase() === wanted)
  const found = people.find(({ id }) => id === who) ?? (byName.length === 1 ? byName[0] : undefined)
  if (found !== undefined) return found
  const here = people.map(({ name, role, id }) => `${name} (${role}, ${id})`).join(', ')
  throw mistake(
    'person-not-here',
    byName.length > 1 ? `${byName.length} of the people here are called ${who}` : `nobody here is called ${who}`,
    `Here: ${here}. A partner is here while their page or "fernlab session watch" is open.`,
  )
}
