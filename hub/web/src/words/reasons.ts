import type { Run } from '@fernlab/shared/contracts/api'
import { reasonSlot, reasonsAmong } from '@fernlab/shared/contracts/reasons'
import type { TFunction } from 'i18next'
import { en } from '../language/en.ts'

type Fault = keyof typeof en.fault

const find = reasonsAmong(en.reason)

const asItIs = (name: string): string => name

/**
 * A sentence of the hub or a node in the page's language, outputs by their titles and times as people say them; one that
 * the page does not know stays as it is.
 */
export function reasonIn(sentence: string, t: TFunction, titleOf = asItIs, timeOf = asItIs): string {
  const found = find(sentence)
  if (found === undefined) return sentence
  const { why, names, time, ...values } = found.values
  return t(`reason.${found.name}`, {
    ...values,
    ...(names === undefined ? {} : { names: names.split(', ').map(titleOf).join(', ') }),
    ...(time === undefined ? {} : { time: timeOf(time) }),
    ...(why === undefined ? {} : { why: reasonIn(why, t, titleOf, timeOf) }),
  })
}

/** How the hub begins a sentence about a bench that let somebody down: it says what happened and what comes of it. */
const apology = 'we are sorry'

/** Why a run ended as it did: by an apology, else by the code of its error with the details filled in, else by its reason. */
export function troubleIn(
  { error, reason = '' }: Pick<Run, 'error' | 'reason'>,
  t: TFunction,
  titleOf?: (name: string) => string,
  timeOf?: (iso: string) => string,
): string {
  if (error === undefined || reason.startsWith(apology)) return reasonIn(reason, t, titleOf, timeOf)
  const { code, details = {}, studentMessage } = error
  const known = Object.hasOwn(en.fault, code) ? (code as Fault) : undefined
  const isTold =
    known !== undefined && [...en.fault[known].matchAll(reasonSlot)].every(([, name = '']) => name in details)
  return isTold ? t(`fault.${known}`, details) : reasonIn(studentMessage, t)
}

/** A reason as a sentence of its own, beside which another may stand. */
export function asSentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1)
  return whole === '' || /[.!?]$/.test(whole) ? whole : `${whole}.`
}
