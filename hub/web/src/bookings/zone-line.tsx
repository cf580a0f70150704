import { ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { siteQuery } from '../api/queries.ts'
import { useWords } from '../words/use-words.ts'
import styles from './calendar.module.css'
import { useTimeZone } from './time-zone.ts'

/** Of which time zone the times are; where the lab is in another than the person, the choice between them. */
export function ZoneLine() {
  const { t } = useWords()
  const [zone, choose] = useTimeZone()
  const own = ownTimeZone()
  const labs = useQuery(siteQuery(useApi())).data?.timeZone ?? own
  const zones = [...new Set([own, labs, 'UTC', zone])]
  if (own === labs && zone === own) return <p className="soft">{t('booking.times', { zone })}</p>
  const called = (one: string) =>
    one === own ? t('booking.ownZone', { zone: one }) : one === labs ? t('booking.labsZone', { zone: one }) : one
  return (
    <NativeSelect
      className={styles.zone}
      label={t('booking.zone')}
      value={zone}
      data={zones.map((one) => ({ value: one, label: called(one) }))}
      onChange={(event) => choose(event.currentTarget.value)}
    />
  )
}
