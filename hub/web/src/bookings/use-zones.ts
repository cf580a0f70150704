import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { siteQuery } from '../api/queries.ts'
import { useWords } from '../words/use-words.ts'
import { useTimeZone } from './time-zone.ts'

export interface Zones {
  readonly own: string
  /** That of the hub, where its labs are. */
  readonly labs: string
  /** To choose from, with what they are called. */
  readonly data: readonly { readonly value: string; readonly label: string }[]
}

/** The time zones that matter to the person: their own, the labs', the one that they chose, and UTC. */
export function useZones(): Zones {
  const { t } = useWords()
  const [chosen] = useTimeZone()
  const own = ownTimeZone()
  const labs = useQuery(siteQuery(useApi())).data?.timeZone ?? own
  const called = (zone: string) =>
    zone === own ? t('booking.ownZone', { zone }) : zone === labs ? t('booking.labsZone', { zone }) : zone
  const data = [...new Set([own, labs, 'UTC', chosen])].map((zone) => ({ value: zone, label: called(zone) }))
  return { own, labs, data }
}
