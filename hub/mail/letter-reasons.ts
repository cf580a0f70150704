import { type LetterLanguage, letterLanguages } from '@fernlab/shared/contracts/booking-notices'
import { reasonSlot, reasonsAmong } from '@fernlab/shared/contracts/reasons'
import { englishReasons } from '@fernlab/shared/contracts/reasons-en'
import { spanishReasons } from '@fernlab/shared/contracts/reasons-es'

const find = reasonsAmong(englishReasons)
const texts = { en: englishReasons, es: spanishReasons }

/** In which language a person's letters are. */
export const letterLanguage = (code: string | null): LetterLanguage =>
  letterLanguages.find((known) => known === code) ?? 'en'

/** A sentence of the hub or a node in the language of a letter, times as its reader says them; others stay as they are. */
export function reasonIn(sentence: string, language: LetterLanguage, timeOf: (ms: number) => string): string {
  const found = find(sentence)
  if (found === undefined) return sentence
  const { time, why, ...rest } = found.values
  const at = Date.parse(time ?? '')
  const values: Readonly<Record<string, string | undefined>> = {
    ...rest,
    time: Number.isNaN(at) ? time : timeOf(at),
    why: why === undefined ? undefined : reasonIn(why, language, timeOf),
  }
  return texts[language][found.name].replaceAll(reasonSlot, (all, slot: string) => values[slot] ?? all)
}
