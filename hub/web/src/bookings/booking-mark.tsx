import type { BookingState } from '@fernlab/shared/contracts/bookings'
import { IconBan, IconCalendarEvent, IconCircleCheck, IconClockX, IconPlayerPlay } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Mark } from '../states/state-mark.tsx'

const marks = {
  booked: ['waiting', IconCalendarEvent],
  now: ['free', IconPlayerPlay],
  over: ['offline', IconCircleCheck],
  cancelled: ['offline', IconBan],
  missed: ['fault', IconClockX],
} as const

/** A booking's state: colour, icon and word. */
export function BookingMark({ state }: { state: BookingState }) {
  const { t } = useTranslation()
  const [tone, Icon] = marks[state]
  return <Mark tone={tone} Icon={Icon} word={t(`bookingState.${state}`)} />
}
