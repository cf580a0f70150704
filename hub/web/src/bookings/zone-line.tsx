import { NativeSelect } from '@mantine/core'
import { useWords } from '../words/use-words.ts'
import styles from './calendar.module.css'
import { useTimeZone } from './time-zone.ts'
import { useZones } from './use-zones.ts'

/** Of which time zone the times are; where the lab is in another than the person, the choice between them. */
export function ZoneLine() {
  const { t } = useWords()
  const [zone, choose] = useTimeZone()
  const { own, labs, data } = useZones()
  if (own === labs && zone === own) return <p className="soft">{t('booking.times', { zone })}</p>
  return (
    <NativeSelect
      className={styles.zone}
      label={t('booking.zone')}
      value={zone}
      data={[...data]}
      onChange={(event) => choose(event.currentTarget.value)}
    />
  )
}
