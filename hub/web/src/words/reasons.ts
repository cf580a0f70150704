import type { Run } from '@fernlab/shared/contracts/api'
import type { TFunction } from 'i18next'
import { en } from '../language/en.ts'

type Sentence = keyof typeof en.reason
type Fault = keyof typeof en.fault

const slot = /\{\{(\w+)\}\}/g

const patterns = Object.entries(en.reason).map(([name, text]) => {
  const plain = text.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')
  const words = plain.replaceAll('{{time}}', '(?<time>\\S+)').replaceAll(slot, '(?<$1>.+)')
  return [name as Sentence, new RegExp(`^${words}$`)] as const
})

const asItIs = (name: string): string => name

/**
 * A sentence of the hub or a node in the page's language, outputs by their titles and times as people say them; one that
 * the page does not know stays as it is.
 */
export function reasonIn(sentence: string, t: TFunction, titleOf = asItIs, timeOf = asItIs): string {
  for (const [name, pattern] of patterns) {
    const found = pattern.exec(sentence)
    if (found === null) continue
    const { why, names, time, ...values } = found.groups ?? {}
    return t(`reason.${name}`, {
      ...values,
      ...(names === undefined ? {} : { names: names.split(', ').map(titleOf).join(', ') }),
      ...(time === undefined ? {} : { time: timeOf(time) }),
      ...(why === undefined ? {} : { why: reasonIn(why, t, titleOf, timeOf) }),
    })
  }
  return sentence
}

/** Why a run ended as it did: by the code of its error with the details filled in, else by its reason. */
export function troubleIn(
  { error, reason = '' }: Pick<Run, 'error' | 'reason'>,
  t: TFunction,
  titleOf?: (name: string) => string,
  timeOf?: (iso: string) => string,
): string {
  if (error === undefined) return reasonIn(reason, t, titleOf, timeOf)
  const { code, details = {}, studentMessage } = error
  const known = Object.hasOwn(en.fault, code) ? (code as Fault) : undefined
  const isTold = known !== undefined && [...en.fault[known].matchAll(slot)].every(([, name = '']) => name in details)
  return isTold ? t(`fault.${known}`, details) : reasonIn(studentMessage, t)
}
