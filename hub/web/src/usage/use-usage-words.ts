import type { Use, UserOf } from '@fernlab/shared/contracts/usage'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { labsQuery } from '../api/queries.ts'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'

/** A Monday. */
const monday = Date.UTC(2024, 0, 1)

/** Words of the present language for what views of usage name. */
export function useUsageWords() {
  const words = useWords()
  const { t, text, language } = words
  const labs = useQuery(labsQuery(useApi()))
  const region = regionOf(language)
  const weekday = new Intl.DateTimeFormat(region, { weekday: 'short', timeZone: 'UTC' })
  const country = (code: string | undefined) => {
    if (code === undefined) return t('usage.unknown')
    if (code === 'site') return t('usage.siteNetwork')
    return new Intl.DisplayNames(region, { type: 'region' }).of(code) ?? code
  }
  return {
    ...words,
    labTitle: (id: string) => text(labs.data?.items.find((lab) => lab.id === id)?.title) || id,
    personName: ({ id, name }: UserOf) => (name === '' ? t('usage.pseudonym', { id: id.slice(-6) }) : name),
    weekdays: Array.from({ length: 7 }, (_, day) => weekday.format(monday + day * 86_400_000)),
    time: (seconds: number) => (seconds === 0 ? t('usage.none') : words.duration(seconds)),
    percent: (share: number) =>
      new Intl.NumberFormat(region, { style: 'percent', maximumFractionDigits: share < 0.1 ? 1 : 0 }).format(share),
    country,
    /** From where a use was asked for; empty where nothing is known. */
    from: ({ address, country: code }: Pick<Use, 'address' | 'country'>) =>
      [...(code === undefined ? [] : [country(code)]), ...(address === undefined ? [] : [address])].join(', '),
  }
}
