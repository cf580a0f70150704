import type { HardwareFinding } from '@fernlab/shared/contracts/hardware'
import { reasonsAmong } from '@fernlab/shared/contracts/reasons'
import type { TFunction } from 'i18next'
import { ApiProblem } from '../api/client.ts'
import { enHardware } from '../language/en-hardware.ts'
import { reasonIn } from '../words/reasons.ts'

const find = reasonsAmong(enHardware.finding)

/** What a node says of its machine, in the language of the page; what the page does not know stays as it is. */
export function foundIn(sentence: string, t: TFunction, language: string): string {
  if (language === 'en') return sentence
  const found = find(sentence)
  if (found === undefined) return reasonIn(sentence, t)
  const inside = (text: string) => foundIn(text, t, language)
  const listed = (names: string[], type: 'conjunction' | 'disjunction') =>
    new Intl.ListFormat(language, { type }).format(names)
  const { all, any } = found.values
  const values = Object.entries(found.values).map(([slot, value]) => [slot, whole.has(slot) ? inside(value) : value])
  return t(`finding.${found.name}`, {
    ...Object.fromEntries(values),
    ...(all === undefined ? {} : { all: listed(all.split(' and '), 'conjunction') }),
    ...(any === undefined ? {} : { any: listed(any.split(/, | or /), 'disjunction') }),
  })
}

/** Slots that hold a sentence of the node themselves; others hold names. */
const whole = new Set(['why', 'claim', 'instruments', 'benches'])

/** The detail of a finding; that of a node too old to say its parts is looked for as one sentence. */
export function detailIn(
  { detail, facts, trouble }: Pick<HardwareFinding, 'detail' | 'facts' | 'trouble'>,
  t: TFunction,
  language: string,
): string {
  if (facts === undefined || language === 'en') return foundIn(detail, t, language)
  const known = facts.map((fact) => foundIn(fact, t, language)).join(', ')
  return trouble === undefined ? known : `${known}: ${foundIn(trouble, t, language)}`
}

/** What a node refused: that a thing is not there says more than the hub's hint about addresses. */
export const nodeSays = (error: unknown, t: TFunction, language: string) => (said: string) =>
  foundIn(error instanceof ApiProblem && error.status === 404 ? error.message : said, t, language)
