import { NativeSelect } from '@mantine/core'
import { regionOf } from '../language/language.ts'
import { useNow, useWords } from '../words/use-words.ts'
import styles from './calendar.module.css'
import { useTimeZone } from './time-zone.ts'
import { useZones } from './use-zones.ts'

/** Of which time zone the times are; where the lab is in another than the person, the choice, and what time it is there. */
export function ZoneLine() {
  const { t, language } = useWords()
  const [zone, choose] = useTimeZone()
  const { own, labs, data } = useZones()
  const nowMs = useNow(30_000)
  if (own === labs && zone === own) return <p className="soft">{t('booking.times', { zone })}</p>
  const clock = (timeZone: string) =>
    new Intl.DateTimeFormat(regionOf(language), {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
    }).format(nowMs)
  return (
    <div className={styles.zoneLine}>
      <NativeSelect
        className={styles.zone}
        label={t('booking.zone')}
        value={zone}
        data={[...data]}
        onChange={(event) => choose(event.currentTarget.value)}
      />
      {zone === labs ? null : (
        <p className="soft">{t('booking.zoneDiffers', { zone, here: clock(zone), labs, there: clock(labs) })}</p>
      )}
    </div>
  )
}
