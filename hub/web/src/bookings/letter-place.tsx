import type { ChangeBookingLetters } from '@fernlab/shared/contracts/booking-notices'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { languages } from '../language/language.ts'
import { useTimeZone } from './time-zone.ts'

/** Where somebody books: tells the hub once in what language and time zone, since letters about it are so, too. */
export function LetterPlace() {
  const { i18n } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const me = useQuery(meQuery(api)).data
  const [timeZone] = useTimeZone()
  const language = languages.find((known) => known === i18n.language)
  const { mutate } = useMutation({
    mutationFn: (place: ChangeBookingLetters) => api.send('PUT', '/api/v1/me/booking-letters', place),
    onSuccess: () => client.invalidateQueries({ queryKey: meQuery(api).queryKey }),
  })
  const isKnown = me == null || me.role === 'guest' || (me.language === language && me.timeZone === timeZone)
  useEffect(() => {
    if (!isKnown && language !== undefined) mutate({ language, timeZone })
  }, [isKnown, language, timeZone, mutate])
  return null
}
