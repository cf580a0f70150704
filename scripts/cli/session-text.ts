import type { Session } from '@fernlab/shared/contracts/sessions'
import { formatQuantity } from '@fernlab/shared/primitives/units'
import type { LiveNews } from './live-session.ts'
import { spokenTime } from './shown-time.ts'
import { waitText } from './wait-text.ts'

/** Where a session is, for a person. */
export function linesOf(one: Session): string[] {
  const bench = one.bench === null ? '' : ` on ${one.bench}`
  const ends = one.endsAt === undefined ? '' : `, until ${spokenTime(one.endsAt)}`
  const reason = one.state === 'closed' ? one.reason : one.waitReason
  return [
    `session ${one.id} is ${one.state}${bench}${placeOf(one)}${ends}${reason === undefined ? '' : `: ${reason}`}`,
    ...filmedLines(one),
    ...bumpedLines(one),
    ...(one.state === 'active' && one.ownServer === true
      ? [`  "fernlab session visit ${one.id}" prints the address of its page: the lab may end what nobody comes to`]
      : []),
    ...(one.state === 'active' && (one.ownServer !== true || one.panel !== undefined)
      ? [`  "fernlab session controls ${one.id}" lists what it has, "fernlab session drive ${one.id}" takes commands`]
      : []),
    ...(one.state === 'closed' ? [`  "fernlab download ${one.id}" saves what was recorded`] : []),
  ]
}

/** That what cameras see of it is recorded, until it is over. */
export const filmedLines = ({ films, state }: Pick<Session, 'films' | 'state'>): string[] =>
  films === undefined || state === 'closed'
    ? []
    : [`  it is filmed (${films.join(', ')}) while it is active; whoever may see what is recorded sees the film`]

/** Where somebody who waits stands, and why; the time to the second, below which it changes with every look. */
export function waitingLine(one: Session): string {
  const about = one.estimatedStart === undefined ? '' : `, about ${spokenTime(one.estimatedStart)}`
  const reason = one.waitReason === undefined ? '' : `: ${one.waitReason}`
  return `session ${one.id} is ${one.state}${placeOf(one)}${about}${reason}`
}

const placeOf = ({ position }: Session): string => (position === undefined ? '' : `, place ${position}`)

/** That a booking needs its bench, and where the rest of its time is. */
const bumpedLines = ({ bumpedAt, next }: Session): string[] => [
  ...(bumpedAt === undefined
    ? []
    : [`  a booking needs the bench: it ends at ${spokenTime(bumpedAt)}; the rest of its time is next in line`]),
  ...(next === undefined ? [] : [`  the rest of its time: fernlab session show ${next}`]),
]

/** A value with its unit. */
export const valueText = (value: number | boolean | string, unit: string): string =>
  typeof value === 'number' ? formatQuantity(value, unit).replaceAll(/\s/g, ' ') : String(value)

/** The news with these signals alone of what is read, where some are named; undefined when nothing is left of it. */
export function newsOf(news: LiveNews, signals: readonly string[]): LiveNews | undefined {
  const [name, params] = news
  if (name !== 'samples' || signals.length === 0) return news
  const samples = Object.fromEntries(Object.entries(params.samples).filter(([key]) => signals.includes(key)))
  return Object.keys(samples).length === 0 ? undefined : [name, { ...params, samples }]
}

/** What a hub tells of a session, for a person. */
export function linesOfNews([name, params]: LiveNews): string[] {
  switch (name) {
    case 'session':
      return [
        `session is ${params.state}${params.endsAt === undefined ? '' : `, until ${spokenTime(params.endsAt)}`}${
          params.state === 'closed' && params.reason !== undefined ? `: ${params.reason}` : ''
        }`,
        ...bumpedLines(params),
      ]
    case 'wait':
      return [waitText(params)]
    case 'samples':
      return Object.entries(params.samples).flatMap(([key, { unit, time, values }]) => {
        const [at, value] = [time.at(-1), values.at(-1)]
        if (at === undefined || value === undefined) return []
        return [`${new Date(at * 1000).toISOString()}  ${key}  ${valueText(value, unit)}`]
      })
    case 'people': {
      const here = params.people.map((person) => `${person.name} (${person.role})`).join(', ')
      return [`here: ${here}${params.control === undefined ? '' : `; ${params.control.name} has the controls`}`]
    }
    case 'chat':
      return [`${params.from.name}: ${params.text}`]
    case 'said':
      return params.lines.map(({ from, text }) => `${from.name}: ${text}`)
    case 'command':
      return [`${params.by.name}: ${commandText(params.command)}: ${params.outcome}`]
  }
}

type Command = Extract<LiveNews, ['command', unknown]>[1]['command']

function commandText(command: Command): string {
  switch (command.what) {
    case 'set':
      return `set ${pairs(command.values)}`
    case 'call':
      return `call ${command.action} ${pairs(command.arguments ?? {})}`.trimEnd()
    case 'read':
      return `read ${command.signals.join(' ')}`
  }
}

const pairs = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
