import { Button } from '@mantine/core'
import { IconCalendarDown } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'

/** One's bookings to come as a file that calendars read. */
export function CalendarFile() {
  const { t } = useTranslation()
  return (
    <Button
      component="a"
      href="/api/v1/bookings/calendar.ics"
      download
      variant="default"
      title={t('booking.fileHelp')}
      leftSection={<IconCalendarDown size={16} aria-hidden="true" />}
    >
      {t('booking.file')}
    </Button>
  )
}
