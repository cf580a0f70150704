import type { Run } from '@fernlab/shared/contracts/api'
import type { Text } from '@fernlab/shared/contracts/common'
import type { QuantityFormat } from '@fernlab/shared/primitives/units'
import { useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { regionOf } from '../language/language.ts'
import { quantityIn } from './quantity.ts'
import { reasonIn, troubleIn } from './reasons.ts'
import { about, absolute, clockTime, date, duration, moment, range, soonTime } from './time.ts'

/** The text for a language, falling back to English, then to whatever there is. */
export function textIn(text: Text | undefined, language: string): string {
  if (text === undefined) return ''
  if (typeof text === 'string') return text
  return text[language] ?? text[language.split('-')[0] ?? ''] ?? text.en ?? Object.values(text)[0] ?? ''
}

/** Words of the present language: translations, texts of labs, times. */
export function useWords() {
  const { t, i18n } = useTranslation()
  const language = i18n.language
  return useMemo(
    () => ({
      t,
      language,
      text: (text: Text | undefined) => textIn(text, language),
      /** A number with its unit, a switch as on or off, a text as it is. */
      value: (value: number | string | boolean, unit: string, format?: QuantityFormat) =>
        typeof value === 'number'
          ? quantityIn(t, value, unit, format)
          : typeof value === 'string'
            ? value
            : value
              ? t('common.on')
              : t('common.off'),
      /** What hub or node give as a reason. */
      reason: (sentence: string) =>
        reasonIn(sentence, t, undefined, (iso) => soonTime(iso, regionOf(language), Date.now())),
      /** Why a run ended as it did. */
      trouble: (run: Pick<Run, 'error' | 'reason' | 'outputTitles'>) =>
        troubleIn(run, t, (name) => textIn(run.outputTitles?.[name], language) || name),
      duration: (seconds: number) => duration(seconds, t),
      range: (least: number, most: number) => range(least, most, t),
      about: (seconds: number) => about(seconds, t),
      moment: (iso: string, nowMs = Date.now()) => moment(iso, regionOf(language), nowMs),
      soonTime: (iso: string) => soonTime(iso, regionOf(language), Date.now()),
      absolute: (iso: string) => absolute(iso, regionOf(language)),
      date: (iso: string) => date(iso, regionOf(language)),
      clockTime: (iso: string) => clockTime(iso, regionOf(language)),
    }),
    [t, language],
  )
}

/** The time now, renewed at the given interval, for things that count down. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
